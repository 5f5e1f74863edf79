/**
 * Sessions with real daemons, through sockets that are closed by force. We are an OSD that is not in the map
 * (osd.77), at the cluster port of a real one: the session is lossless_peer on both sides. What we send are
 * commands (MCommand `version`), because each of them is answered over the same session, with its tid: an
 * answer missing, doubled or out of order is a message lost, doubled or out of order, in one direction or
 * the other.
 * @timeLimitSeconds 300
 */
import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { InterceptStep } from '../../src/messenger/interceptor.ts';
import { Message, type ReceivedMessage } from '../../src/messenger/message.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import { Policy } from '../../src/messenger/policy.ts';
import type { SocketAddress } from '../../src/transport/socket.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { MMonGetVersion } from '../../src/wire/messages/m-mon-get-version.ts';
import { MMonGetVersionReply } from '../../src/wire/messages/m-mon-get-version-reply.ts';
import { encodeUuid, Uuid } from '../../src/wire/uuid.ts';
import { SeededRandom } from '../maps/support/random.ts';
import { Breakpoints } from '../support/breakpoints.ts';
import { ByteProxy } from '../support/byte-proxy.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { Messengers, Recorder, type TestTransport, testTransports } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const commandType = 97;
const commandReplyType = 98;
const closes = 100;
const commandsPerClose = 5;
const playedOsd = 77;
const seed = Number(process.env.MSGR2_SEED ?? randomInt(1, 2 ** 31));

function socketAddressOf(address: string): SocketAddress {
  const { host, port } = EntityAddr.parse(address);
  return { family: 4, host, port };
}

/** `ceph tell` as it travels: fsid, then the command's JSON. */
function versionCommand(fsid: string, tid: bigint): Message {
  const front = encodeWith((encoder) => {
    encodeUuid(encoder, Uuid.parse(fsid));
    encoder.list([JSON.stringify({ prefix: 'version' })], (text) => encoder.string(text));
  });
  return new Message({ type: commandType, tid, front });
}

/** The played OSD: a messenger at its own address, its recorder and its steps. */
async function playOsd(
  all: Messengers,
  cluster: CephCluster,
  route?: (address: EntityAddr) => SocketAddress,
): Promise<{ recorder: Recorder; steps: Breakpoints; connect: (address: string) => PeerConnection }> {
  const steps = new Breakpoints();
  const recorder = new Recorder();
  const messenger = all.create({
    name: `osd.${playedOsd}`,
    options: { ms_initial_backoff: 0.01, ms_max_backoff: 0.5 },
    interceptor: steps.interceptor,
    ...(route === undefined ? {} : { route }),
  });
  messenger.setDefaultPolicy(Policy.losslessPeer());
  messenger.addDispatcherTail(recorder);
  await messenger.bind(`v2:${cluster.backIp(playedOsd)}:0`);
  messenger.start();
  const connect = (address: string): PeerConnection =>
    messenger.getConnection(address, { peerType: EntityType.Osd }) as PeerConnection;
  return { recorder, steps, connect };
}

function checkVersionReply(message: ReceivedMessage): void {
  assert.is(message.type, commandReplyType);
  assert.match(message.data.toString(), /"version": "\d+\.\d+\.\d+/);
}

async function forcedCloses(transport: TestTransport, cluster: CephCluster): Promise<void> {
  const random = new SeededRandom(seed);
  const address = (await cluster.addrsOf(0)).cluster;
  await using proxy = await ByteProxy.start(socketAddressOf(address));
  await using all = new Messengers(transport);
  const { connect, recorder, steps } = await playOsd(all, cluster, () => proxy.address);
  const connection = connect(address);
  await recorder.untilEvent('connect');

  const broken = new MsgrError(ErrorCode.Socket, 'the test closed it');
  let tid = 0n;
  const kinds = { local: 0, close: 0, reset: 0, 'daemon first': 0 };
  const send = (count: number): void => {
    for (let left = count; left > 0; left--) connection.send(versionCommand(cluster.fsid, ++tid));
  };
  const untilAnswered = (): Promise<void> => recorder.untilMessages(Number(tid), 20_000);
  const closeIt = (): void => {
    const isProxied = connection.channel.remoteAddress?.port === proxy.address.port;
    // A socket that the daemon dialled does not go through the proxy; it is closed at our end.
    const wanted = random.pick(['local', 'close', 'reset', 'daemon first'] as const);
    const kind = isProxied ? wanted : 'local';
    kinds[kind]++;
    const [socket] = proxy.living;
    if (kind === 'local') connection.fault(broken);
    else if (kind === 'daemon first') socket!.endFarFirst(random.between(1, 40));
    else socket!.end(kind);
  };
  for (let round = 0; round < closes; round++) {
    // The answer shows that the socket which is to be closed is the session's, and works.
    send(1);
    await untilAnswered();
    send(commandsPerClose - 1);
    // Somewhere between the first byte sent and the last answer received.
    const pauseMs = random.between(-2, 4);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    closeIt();
    await untilAnswered();
  }
  send(1);
  await untilAnswered();
  await waitUntil(() => connection.channel.outboxCount === 0, 10_000, 'the last acknowledgements', 1);

  assert.equal(
    recorder.messages.map((message) => message.tid),
    Array.from({ length: Number(tid) }, (_, index) => BigInt(index + 1)),
    'every command was answered once, in order',
  );
  for (const message of recorder.messages) checkVersionReply(message);
  assert.is(recorder.count('reset') + recorder.count('remoteReset'), 0, 'it was one session throughout');
  assert.is(steps.countStep(undefined, InterceptStep.SendClientIdentity), 1);
  const reconnectOks = recorder.count('connect') - 1;
  const accepted = recorder.count('accept');
  assert.ok(reconnectOks > 0, 'the daemon answered RECONNECT_OK');
  // A socket may be closed after the last answer in it, and the session then rests: the next command wakes it.
  assert.ok(reconnectOks + accepted >= closes, `${reconnectOks} + ${accepted} returns`);
  const { duplicatesDropped, faults, messagesReplayed } = connection.counters();
  console.log(
    `\n${transport}: ${closes} closes (${Object.entries(kinds)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}), ${faults} faults: the daemon answered RECONNECT_OK ${reconnectOks} times and came ` +
      `back itself ${accepted} times; ${messagesReplayed} messages replayed, ${duplicatesDropped} duplicates ` +
      `dropped, ${tid} commands answered once and in order`,
  );
}

async function restart(transport: TestTransport, cluster: CephCluster): Promise<void> {
  const before = (await cluster.addrsOf(0)).cluster;
  await using all = new Messengers(transport);
  const { connect, recorder, steps } = await playOsd(all, cluster);
  const connection = connect(before);
  connection.send(versionCommand(cluster.fsid, 1n));
  await recorder.untilMessages(1);
  await waitUntil(() => connection.channel.outboxCount === 0, 10_000, 'the acknowledgement', 1);

  await cluster.killOsd(0);
  // With nothing to send the session rests; with something it tries, and nobody is there.
  await waitUntil(() => connection.state === 'standby', 10_000, 'standby', 1);
  connection.send(versionCommand(cluster.fsid, 2n));
  await recorder.untilEvent('refused');
  assert.is(recorder.count('remoteReset'), 0, 'nobody there is not a lost session yet');

  await cluster.startOsd(0);
  const after = (await cluster.addrsOf(0)).cluster;
  const [old, now] = [EntityAddr.parse(before), EntityAddr.parse(after)];
  assert.is(now.port, old.port, 'the same place');
  assert.is.not(now.nonce, old.nonce, 'another process');
  await recorder.untilEvent('remoteReset');
  // The new process knows no session (SESSION_RESET), and is not whom we then identify to by the old nonce.
  const idents = (): number => steps.countStep(connection, InterceptStep.SendClientIdentity);
  await waitUntil(() => connection.state === 'standby', 10_000, 'standby, with nothing left to send', 1);
  assert.is(idents(), 2);
  connection.send(versionCommand(cluster.fsid, 3n));
  await waitUntil(() => idents() >= 4, 10_000, 'it to try as a new session, and again', 1);
  assert.is(connection.isConnected, false);
  assert.is(recorder.count('remoteReset'), 1, 'the loss is told once');
  assert.is(recorder.count('connect'), 1);
  assert.is(recorder.messages.length, 1, 'what was sent into the lost session went with it');
  // A peer's new address comes with the map; the old connection is then marked down.
  connection.markDown();
  const anew = connect(after);
  anew.send(versionCommand(cluster.fsid, 4n));
  await recorder.untilMessages(2);
  assert.is(recorder.messages[1]!.tid, 4n);
  checkVersionReply(recorder.messages[1]!);
  assert.equal(
    recorder.events.filter((event) => event !== 'refused'),
    ['connect', 'remoteReset', 'connect'],
  );
}

/** A monitor's nonce is always 0, so one that restarts is at exactly the same address. */
async function restartSameNonce(transport: TestTransport, cluster: CephCluster): Promise<void> {
  await using all = new Messengers(transport);
  const recorder = new Recorder();
  const messenger = all.create({
    name: 'mon.9',
    nonce: 0,
    options: { ms_initial_backoff: 0.05, ms_max_backoff: 0.2 },
  });
  messenger.setDefaultPolicy(Policy.losslessPeerReuse());
  messenger.addDispatcherTail(recorder);
  await messenger.bind(`v2:${cluster.backIp(playedOsd)}:0`);
  messenger.start();
  const connection = messenger.getConnection(cluster.monAddrs[0]!, {
    peerType: EntityType.Mon,
  }) as PeerConnection;
  // A monitor that is just forming its quorum may turn us away: with something to send we come again.
  connection.sendKeepalive();
  await recorder.untilEvent('connect');
  await waitUntil(() => connection.lastKeepaliveAck > 0, 10_000, 'the answer to the keepalive', 1);
  await cluster.killMon('a');
  await waitUntil(() => connection.state === 'standby', 10_000, 'standby', 1);
  assert.is(recorder.count('remoteReset'), 0);
  await cluster.startMon('a');
  // Something to send ends the rest: SESSION_RECONNECT, SESSION_RESET, and a new session at the same place.
  connection.sendKeepalive();
  await recorder.untilEvent('remoteReset', 1, 20_000);
  await recorder.untilEvent('connect', 2, 20_000);
  assert.is(connection.isConnected, true);
  assert.equal(
    recorder.events.filter((event) => event !== 'refused'),
    ['connect', 'remoteReset', 'connect'],
  );
}

async function lossyMonitor(transport: TestTransport, cluster: CephCluster): Promise<void> {
  const address = cluster.monAddrs[0]!;
  await using proxy = await ByteProxy.start(socketAddressOf(address));
  await using all = new Messengers(transport);
  const recorder = new Recorder();
  const messenger = all.create({ name: 'client.4242', route: () => proxy.address });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.addDispatcherTail(recorder);
  messenger.start();
  let handle = 0n;
  /** Asks for the map's version, whose answer carries the handle; other messages may come too. */
  const ask = async (connection: PeerConnection): Promise<void> => {
    const mine = ++handle;
    connection.send(Message.of(MMonGetVersion, { handle: mine, what: 'osdmap' }));
    const isAnswer = (message: ReceivedMessage): boolean => message.as(MMonGetVersionReply)?.handle === mine;
    await recorder.until(() => recorder.messages.some(isAnswer), `answer ${mine}`);
  };
  let last: PeerConnection | undefined;
  const kills = ['reset', 'close', 'local', 'reset'] as const;
  for (const [index, kill] of kills.entries()) {
    const connection = messenger.getConnection(address, { peerType: EntityType.Mon }) as PeerConnection;
    assert.is.not(connection, last);
    await ask(connection);
    if (kill === 'local') connection.fault(new MsgrError(ErrorCode.Socket, 'the test closed it'));
    else proxy.living[0]!.end(kill);
    await recorder.untilEvent('reset', index + 1);
    assert.is(connection.state, 'closed');
    assert.is(recorder.lastConnection, connection);
    assert.is(connection.send(new Message({ type: MMonGetVersion.type })), false);
    last = connection;
  }
  await ask(messenger.getConnection(address, { peerType: EntityType.Mon }) as PeerConnection);
  assert.equal(recorder.events, [...kills.flatMap(() => ['connect', 'reset']), 'connect']);
}

if (requireCeph('sessions with a real ceph-osd and ceph-mon')) {
  for (const transport of testTransports()) {
    test(
      `${transport}: a lossless session with a real OSD survives ${closes} forced closes, and loses nothing`,
      limited(150_000, async () => {
        await using cluster = await CephCluster.start({ osds: 1 });
        await forcedCloses(transport, cluster);
      }),
    );

    test(
      `${transport}: a real OSD restarted is a remote reset, told once; its new address is a new session`,
      limited(90_000, async () => {
        await using cluster = await CephCluster.start({ osds: 1 });
        await restart(transport, cluster);
      }),
    );

    test(
      `${transport}: a real monitor restarted, nonce and all the same, is a remote reset and a new session`,
      limited(90_000, async () => {
        await using cluster = await CephCluster.start();
        await restartSameNonce(transport, cluster);
      }),
    );

    test(
      `${transport}: a lossy session with a real monitor ends with one reset, and a new one is made`,
      limited(60_000, async () => {
        await using cluster = await CephCluster.start();
        await lossyMonitor(transport, cluster);
      }),
    );
  }
}

test.run();
