/**
 * Cases of Ceph's test_msgr, by Ceph's names, in which both sides act at once or one fails at a given step.
 * In all of them the server's address is the smaller one, so the server's own attempt wins a race.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InterceptStep } from '../../../src/messenger/interceptor.ts';
import { PeerConnection } from '../../../src/messenger/peer-connection.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { testTransports } from '../../support/messengers.ts';
import { withTimeout } from '../../support/timeout.ts';
import { PingPair, ping, untilState } from './ping-pair.ts';

function asConnection(subject: unknown): PeerConnection {
  assert.ok(subject instanceof PeerConnection);
  return subject as PeerConnection;
}

for (const transport of testTransports()) {
  const check = (name: string, body: () => Promise<void>): void => {
    test(`${transport}: ${name}`, () => withTimeout(body(), 20_000, name));
  };

  check('ConnectionRaceTest: both connect at once; one session, one message each way', async () => {
    const policy = Policy.losslessPeerReuse();
    await using pair = await PingPair.start(transport, {
      serverPolicy: policy,
      clientPolicy: policy,
      replies: false,
      clientIsBound: true,
    });
    const { clientPoints, serverPoints } = pair;
    clientPoints.breakpoint(InterceptStep.SendClientIdentity);
    serverPoints.breakpoint(InterceptStep.SendClientIdentity);
    const clientToServer = pair.connect();
    clientToServer.send(ping());
    const serverToClient = pair.connectBack();
    serverToClient.send(ping());
    await clientPoints.wait(InterceptStep.SendClientIdentity, clientToServer);
    await serverPoints.wait(InterceptStep.SendClientIdentity, serverToClient);
    clientPoints.proceed(InterceptStep.SendClientIdentity, 'continue');
    serverPoints.proceed(InterceptStep.SendClientIdentity, 'continue');
    await pair.clientRecorder.untilMessages(1);
    await pair.serverRecorder.untilMessages(1);
    assert.is(serverToClient.isConnected, true);
    assert.is(pair.serverRecorder.sessionCount(serverToClient), 1);
    assert.is(serverToClient.peerName.type, EntityType.Client);
    assert.is(clientToServer.isConnected, true);
    assert.is(pair.clientRecorder.sessionCount(clientToServer), 1);
    assert.is(clientToServer.peerName.type, EntityType.Osd);
    // Beyond Ceph's test: the session runs on the server's attempt, and there is no second one.
    assert.equal(pair.client.connections(), [clientToServer]);
    assert.equal(pair.server.connections(), [serverToClient]);
    assert.equal(pair.serverRecorder.events, ['connect']);
    assert.equal(pair.clientRecorder.events, ['accept']);
  });

  check(
    'ConnectionRaceReuseBannerTest: an attempt without a banner yet is replaced, without a fault',
    async () => {
      const policy = Policy.losslessPeerReuse();
      await using pair = await PingPair.start(transport, {
        serverPolicy: policy,
        clientPolicy: policy,
        replies: false,
        clientIsBound: true,
      });
      const { clientPoints, serverPoints } = pair;
      serverPoints.breakpoint(InterceptStep.SendClientIdentity);
      const serverToClient = pair.connectBack();
      serverToClient.send(ping());
      await serverPoints.wait(InterceptStep.SendClientIdentity, serverToClient);
      // The client's own attempt gets no banner: the acceptor it reached is held before it says anything.
      serverPoints.breakpoint(InterceptStep.StartServerBannerExchange);
      const clientToServer = pair.connect();
      clientToServer.send(ping());
      const accepter = await serverPoints.wait(InterceptStep.StartServerBannerExchange);
      clientPoints.breakpoint(InterceptStep.Ready);
      serverPoints.proceed(InterceptStep.SendClientIdentity, 'continue');
      await clientPoints.wait(InterceptStep.Ready, clientToServer);
      serverPoints.proceed(InterceptStep.StartServerBannerExchange, 'continue');
      clientPoints.proceed(InterceptStep.Ready, 'continue');
      await pair.clientRecorder.untilMessages(1);
      await pair.serverRecorder.untilMessages(1);
      assert.is(serverToClient.isConnected, true);
      assert.is(pair.serverRecorder.sessionCount(serverToClient), 1);
      assert.is(clientToServer.isConnected, true);
      assert.is(pair.clientRecorder.sessionCount(clientToServer), 1);
      assert.is(accepter instanceof PeerConnection, false, 'the replaced socket never became a connection');
      assert.equal(pair.server.connections(), [serverToClient]);
      assert.is(clientPoints.countStep(clientToServer, InterceptStep.StartClientBannerExchange), 1);
      assert.is(clientPoints.countStep(clientToServer, InterceptStep.SendReconnect), 0);
      assert.is(clientPoints.countStep(clientToServer, InterceptStep.Ready), 1);
      assert.is(clientToServer.counters().faults, 0);
    },
  );

  check(
    'MissingServerIdenTest: the server fails before SERVER_IDENT; the client connects again',
    async () => {
      await using pair = await PingPair.start(transport, {
        serverPolicy: Policy.statefulServer(),
        clientPolicy: Policy.lossyClient(),
        replies: false,
        clientIsBound: true,
      });
      const { serverPoints } = pair;
      serverPoints.breakpoint(InterceptStep.SendServerIdentity);
      const clientToServer = pair.connect();
      clientToServer.send(ping());
      const accepted = asConnection(await serverPoints.wait(InterceptStep.SendServerIdentity));
      // With something to send, the server's end rests in standby instead of vanishing.
      accepted.send(ping());
      serverPoints.proceed(InterceptStep.SendServerIdentity, 'fail');
      await pair.serverRecorder.untilMessages(1);
      await pair.clientRecorder.untilMessages(1);
      assert.is(clientToServer.isConnected, true);
      assert.is(pair.clientRecorder.sessionCount(clientToServer), 1);
      assert.is(clientToServer.peerName.type, EntityType.Osd);
      assert.is(accepted.isConnected, true);
      assert.is(pair.serverRecorder.sessionCount(accepted), 1);
      assert.is(accepted.peerName.type, EntityType.Client);
    },
  );

  check('MissingServerIdenTest2: the client rests in standby, and the server comes back to it', async () => {
    const policy = Policy.losslessPeer();
    await using pair = await PingPair.start(transport, {
      serverPolicy: policy,
      clientPolicy: policy,
      replies: false,
      clientIsBound: true,
    });
    const { serverPoints, clientPoints } = pair;
    serverPoints.breakpoint(InterceptStep.SendServerIdentity);
    const clientToServer = pair.connect();
    const accepted = asConnection(await serverPoints.wait(InterceptStep.SendServerIdentity));
    accepted.send(ping());
    serverPoints.proceed(InterceptStep.SendServerIdentity, 'fail');
    await untilState(clientToServer, 'standby');
    await pair.clientRecorder.untilMessages(1);
    assert.is(clientToServer.isConnected, true);
    assert.is(pair.clientRecorder.sessionCount(clientToServer), 1);
    assert.is(clientToServer.peerName.type, EntityType.Osd);
    assert.is(accepted.isConnected, true);
    assert.is(pair.serverRecorder.sessionCount(accepted), 0);
    assert.is(accepted.peerName.type, EntityType.Client);
    // The server had a cookie and tried it; the client, who never saw the ident, asked for a new beginning.
    assert.is(serverPoints.countStep(accepted, InterceptStep.SendReconnect), 1);
    assert.is(serverPoints.countStep(accepted, InterceptStep.SendClientIdentity), 1);
    assert.is(clientPoints.countStep(clientToServer, InterceptStep.StartClientBannerExchange), 1);
  });

  check('ReconnectTest: the client fails in session; one RECONNECT, one RECONNECT_OK', async () => {
    await using pair = await PingPair.start(transport, {
      serverPolicy: Policy.statefulServer(),
      clientPolicy: Policy.losslessPeer(),
      clientIsBound: true,
    });
    const { clientPoints, serverPoints } = pair;
    const clientToServer = pair.connect();
    await pair.roundTrip(clientToServer);
    assert.is(clientToServer.isConnected, true);
    assert.is(pair.clientRecorder.sessionCount(clientToServer), 1);
    clientPoints.breakpoint(InterceptStep.HandleMessage);
    clientToServer.send(ping());
    await clientPoints.wait(InterceptStep.HandleMessage, clientToServer);
    serverPoints.breakpoint(InterceptStep.Ready);
    clientPoints.proceed(InterceptStep.HandleMessage, 'fail');
    clientToServer.send(ping());
    const accepted = asConnection(await serverPoints.wait(InterceptStep.Ready));
    assert.is(accepted.peerName.type, EntityType.Client);
    assert.is(serverPoints.countStep(accepted, InterceptStep.SendReconnect), 0);
    assert.is(serverPoints.countStep(accepted, InterceptStep.SendReconnectOk), 1);
    assert.is(clientPoints.countStep(clientToServer, InterceptStep.SendReconnect), 1);
    assert.is(clientPoints.countStep(clientToServer, InterceptStep.SendReconnectOk), 0);
    serverPoints.proceed(InterceptStep.Ready, 'continue');
    await pair.clientRecorder.untilMessages(3);
    await pair.serverRecorder.untilMessages(3);
    assert.equal(
      pair.serverRecorder.messages.map(({ seq }) => seq),
      [1n, 2n, 3n],
    );
  });

  check("ReconnectRaceTest: both send RECONNECT; the server's wins", async () => {
    const policy = Policy.losslessPeer();
    await using pair = await PingPair.start(transport, {
      serverPolicy: policy,
      clientPolicy: policy,
      clientIsBound: true,
    });
    const { clientPoints, serverPoints } = pair;
    const clientToServer = pair.connect();
    await pair.roundTrip(clientToServer);
    // The client fails at the server's second answer, before it acknowledged it: both have reason to return.
    clientPoints.breakpoint(InterceptStep.HandleMessage);
    clientToServer.send(ping());
    await clientPoints.wait(InterceptStep.HandleMessage, clientToServer);
    clientPoints.breakpoint(InterceptStep.SendReconnect);
    serverPoints.breakpoint(InterceptStep.SendReconnect);
    const accepted = pair.connectBack();
    clientPoints.proceed(InterceptStep.HandleMessage, 'fail');
    clientToServer.send(ping());
    accepted.send(ping());
    await clientPoints.wait(InterceptStep.SendReconnect, clientToServer);
    await serverPoints.wait(InterceptStep.SendReconnect, accepted);
    serverPoints.breakpoint(InterceptStep.Ready);
    clientPoints.proceed(InterceptStep.SendReconnect, 'continue');
    serverPoints.proceed(InterceptStep.SendReconnect, 'continue');
    await serverPoints.wait(InterceptStep.Ready, accepted);
    assert.is(accepted.peerName.type, EntityType.Client);
    assert.is(clientToServer.peerName.type, EntityType.Osd);
    const attempts = serverPoints.countStep(accepted, InterceptStep.SendReconnect);
    assert.ok(attempts === 1 || attempts === 2, `${attempts} RECONNECTs of the server`);
    assert.is(serverPoints.countStep(accepted, InterceptStep.SendReconnectOk), 0);
    assert.is(clientPoints.countStep(clientToServer, InterceptStep.SendReconnect), 1);
    assert.is(clientPoints.countStep(clientToServer, InterceptStep.SendReconnectOk), 1);
    assert.is(
      clientPoints.countStep(undefined, InterceptStep.SessionRetry),
      attempts - 1,
      'a second RECONNECT has a SESSION_RETRY_GLOBAL before it',
    );
    serverPoints.proceed(InterceptStep.Ready, 'continue');
    // Answers to three pings, and the server's own.
    await pair.clientRecorder.untilMessages(4);
    await pair.serverRecorder.untilMessages(3);
    assert.equal(
      pair.clientRecorder.messages.map(({ seq }) => seq),
      [1n, 2n, 3n, 4n],
    );
  });
}

test.run();
