/**
 * cephx over real messengers on loopback, in both modes and on both transports: what a dispatcher learns of
 * its peer, connections that break at every byte of the authentication, recorded bytes that are sent again,
 * and the text of everything that was logged meanwhile.
 *
 * @timeLimitSeconds 300
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionMode } from '../../../src/auth/auth.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import type { AcceptFailedEvent, ConnectionStateEvent } from '../../../src/messenger/diagnostics.ts';
import { Message } from '../../../src/messenger/message.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { authBadMethodFrame } from '../../../src/wire/frames/auth-bad-method.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { ByteProxy } from '../../support/byte-proxy.ts';
import { testTransports } from '../../support/messengers.ts';
import { recordingProxy } from '../../support/recording-proxy.ts';
import { withTimeout } from '../../support/timeout.ts';
import { CephxMessengers, untilState } from '../support/cephx-messengers.ts';

const { Osd } = EntityType;
const bannerBytes = 26;
const preambleBytes = 32;

/** Offsets at which the frames of the clear part end, from the banner to AUTH_DONE or the last request. */
function frameEnds(bytes: Buffer, count: number): number[] {
  const ends = [bannerBytes];
  for (let at = bannerBytes; ends.length <= count; ) {
    at += preambleBytes + bytes.readUInt32LE(at + 2) + 4;
    ends.push(at);
  }
  return ends;
}

/** The tags of frames in the clear. */
function tagsOf(bytes: Buffer): number[] {
  const tags: number[] = [];
  for (let at = bannerBytes; at + preambleBytes <= bytes.byteLength; ) {
    tags.push(bytes[at]!);
    at += preambleBytes + bytes.readUInt32LE(at + 2) + 4;
  }
  return tags;
}

/** Sends bytes on a socket of its own and gives what comes back until the other side closes, or falls silent. */
async function sendAgain(port: number, bytes: Buffer, untilTag: number): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const got = Buffer.concat(chunks);
      if (got.byteLength > bannerBytes && tagsOf(got).includes(untilTag)) resolve();
    });
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  socket.write(bytes);
  await withTimeout(answered, 10_000, 'an answer to recorded bytes');
  socket.destroy();
  return Buffer.concat(chunks);
}

for (const transport of testTransports()) {
  for (const mode of ['crc', 'secure'] as const) {
    const title = `${transport}, ${mode}`;

    test(`a dispatcher learns who the peer has proven to be (${title})`, async () => {
      await using cluster = await CephxMessengers.start(transport, mode);
      const client = cluster.newcomer('client.a');
      const toMon = await cluster.join(client);
      const { recorder: monRecorder } = cluster.mon;
      await monRecorder.untilEvent('accept');
      const atMon = monRecorder.lastConnection!.auth!;
      assert.is(atMon.entity, 'client.a');
      assert.is(atMon.caps, 'allow r');
      assert.is(atMon.globalId, client.session.globalId);
      const connectionMode = mode === 'crc' ? ConnectionMode.Crc : ConnectionMode.Secure;
      assert.is(atMon.connectionMode, connectionMode);
      assert.is(toMon.auth!.globalId, client.session.globalId);
      assert.is(toMon.auth!.entity, undefined);

      const toOsd = await cluster.connectToOsd(client);
      toOsd.send(new Message({ type: 0x8001, front: Buffer.from('hello') }));
      const { recorder } = cluster.osd;
      await recorder.untilMessages(1);
      const { auth } = recorder.messages[0]!.connection;
      assert.equal(
        { ...auth },
        {
          globalId: client.session.globalId,
          connectionMode,
          entity: 'client.a',
          caps: 'allow rw pool=data',
        },
      );
      // Tickets for more, through the session with the monitor.
      cluster.world.time += 3600_000;
      const request = client.session.nextRequest(cluster.world.time)!;
      const answer = atMon.requests!.handleRequest(request);
      client.session.handleReply({ globalId: client.session.globalId, ...answer });
      assert.ok(client.session.isComplete);
    });

    test(`a connection that is cut anywhere in the authentication is made at the next try (${title})`, async () => {
      await using cluster = await CephxMessengers.start(transport, mode);
      for (const peer of ['mon', 'osd'] as const) {
        const target = peer === 'mon' ? cluster.monAddr : cluster.osdAddr;
        const address = { family: 4, host: target.host, port: target.port } as const;
        const recording = await recordingProxy(address);
        const connectOnce = async (name: string): Promise<void> => {
          if (peer === 'mon') await cluster.join(cluster.newcomer(name));
          else await cluster.connectToOsd(member);
        };
        const member = await cluster.member('client.a');
        cluster.routes.set(target.port, recording.address);
        await connectOnce('client.b');
        const recorded = { up: recording.fromConnector(), down: recording.fromAcceptor() };
        await recording.close();
        for (const direction of ['up', 'down'] as const) {
          // Banner, HELLO, two frames of authentication, AUTH_SIGNATURE: after each, and in the middle of it.
          const ends = frameEnds(recorded[direction], 3);
          const signature = mode === 'crc' ? preambleBytes + 32 + 4 : 96;
          ends.push(ends.at(-1)! + signature);
          const cuts = ends.flatMap((end, index) => [end, Math.floor((end + (ends[index - 1] ?? 0)) / 2)]);
          for (const afterBytes of cuts) {
            await using proxy = await ByteProxy.start(address, {
              cutOf: (index) => (index === 0 ? { direction, afterBytes } : undefined),
            });
            cluster.routes.set(target.port, proxy.address);
            if (peer === 'mon') {
              const newcomer = cluster.newcomer('client.b');
              const { globalId } = newcomer.session;
              assert.is(globalId, 0n);
              await cluster.join(newcomer);
              assert.ok(newcomer.session.isComplete, `${direction} ${afterBytes}`);
              await newcomer.messenger.shutdown();
            } else {
              member.messenger.markDownAll();
              await cluster.connectToOsd(member);
            }
            assert.ok(proxy.connections[0]!.isCut, `${peer} ${direction} ${afterBytes}`);
          }
        }
        cluster.routes.clear();
      }
    });

    test(`recorded bytes that are sent again are refused, by the monitor and by the OSD (${title})`, async () => {
      await using cluster = await CephxMessengers.start(transport, mode);
      const client = cluster.newcomer('client.a');
      for (const peer of ['mon', 'osd'] as const) {
        const target = peer === 'mon' ? cluster.monAddr : cluster.osdAddr;
        const { recorder } = peer === 'mon' ? cluster.mon : cluster.osd;
        const recording = await recordingProxy({ family: 4, host: target.host, port: target.port });
        cluster.routes.set(target.port, recording.address);
        if (peer === 'mon') await cluster.join(client);
        else await cluster.connectToOsd(client);
        const bytes = recording.fromConnector();
        await recording.close();
        cluster.routes.clear();
        await recorder.untilEvent('accept');
        const accepts = recorder.count('accept');
        const authEnd = frameEnds(bytes, 3).at(-1)!;
        for (let round = 0; round < 3; round++) {
          const got = await sendAgain(target.port, bytes.subarray(0, authEnd), Tag.AuthBadMethod);
          assert.equal(tagsOf(got), [Tag.Hello, Tag.AuthReplyMore, Tag.AuthBadMethod], peer);
          const at = frameEnds(got, 2)[2]!;
          const refusal = authBadMethodFrame.decode(got.subarray(at + preambleBytes));
          assert.is(refusal.result, -Errno.EACCES);
          // With all that followed, as if it had been let in: the connection is closed.
          const all = await sendAgain(target.port, bytes, Tag.AuthDone);
          assert.not.ok(all.byteLength > bannerBytes && tagsOf(all).includes(Tag.AuthDone));
        }
        assert.is(recorder.count('accept'), accepts);
      }
    });
  }

  test(`a wrong key ends in ERR_MSGR_AUTH with EACCES, and both sides can tell why (${transport})`, async () => {
    await using cluster = await CephxMessengers.start(transport, 'crc');
    cluster.world.key('client.a');
    const refused: MsgrError[] = [];
    const onRefused = (event: unknown): void => void refused.push((event as AcceptFailedEvent).error);
    subscribe('msgr2:accept:failed', onRefused);
    const key = CryptoKey.generate(cluster.world.keyType);
    const client = cluster.newcomer('client.a', cluster.world.session('client.a', { key }));
    const connection = client.messenger.getConnection(cluster.monAddr, { peerType: EntityType.Mon });
    const cause = await withTimeout(
      new Promise<MsgrError>((resolve) => {
        connection.on('state', (_, error) => error !== undefined && resolve(error));
      }),
      10_000,
      'a refusal',
    );
    assert.is(cause.code, ErrorCode.Auth);
    assert.is(cause.errno, Errno.EACCES);
    assert.match(cause.message, /`ceph auth get client\.a`/);
    await client.messenger.shutdown();
    await cluster.mon.messenger.shutdown();
    unsubscribe('msgr2:accept:failed', onRefused);
    assert.ok(refused.some(({ message }) => /the proof of client\.a is of another key/.test(message)));
  });

  test(`a session stays with the entity that began it (${transport})`, async () => {
    await using cluster = await CephxMessengers.start(transport, 'crc');
    cluster.osd.messenger.setDefaultPolicy(Policy.statefulServer());
    const a = await cluster.member('client.a');
    a.messenger.setPolicy(Osd, Policy.losslessClient());
    const first = await cluster.connectToOsd(a);
    const begun = cluster.osd.recorder.lastConnection!;
    // Another client claims the first one's address.
    const failed: string[] = [];
    const onFailed = (event: unknown): void => void failed.push((event as AcceptFailedEvent).error.message);
    subscribe('msgr2:accept:failed', onFailed);
    const b = await cluster.member('client.b');
    b.messenger.setPolicy(Osd, Policy.losslessClient());
    Object.defineProperty(b.messenger, 'myAddrs', { get: () => a.messenger.myAddrs });
    const second = b.messenger.getConnection(cluster.osdAddr, { peerType: Osd });
    await untilState(second, 'backoff');
    second.markDown();
    unsubscribe('msgr2:accept:failed', onFailed);
    assert.ok(
      failed.some((message) => /client\.b claims the address of client\.a/.test(message)),
      failed.join(),
    );
    assert.is(begun.state, 'open');
    first.send(new Message({ type: 0x8001 }));
    await cluster.osd.recorder.untilMessages(1);
    assert.is(cluster.osd.recorder.messages[0]!.connection.auth!.entity, 'client.a');
  });

  test(`nothing that can be logged or printed shows a secret (${transport})`, async () => {
    const lines: string[] = [];
    const show = (value: unknown): void => {
      lines.push(inspect(value, { depth: 12, showHidden: true, getters: true, maxArrayLength: null }));
      if (value instanceof Error) lines.push(String(value.stack));
    };
    const onState = (event: unknown): void => {
      const { cause, connection } = event as ConnectionStateEvent;
      show(cause);
      show(connection.auth);
    };
    const onFailed = (event: unknown): void => show((event as AcceptFailedEvent).error);
    subscribe('msgr2:connection:state', onState);
    subscribe('msgr2:accept:failed', onFailed);
    const secrets: Buffer[] = [];
    for (const mode of ['crc', 'secure'] as const) {
      await using cluster = await CephxMessengers.start(transport, mode);
      const client = await cluster.member('client.a');
      const connection = await cluster.connectToOsd(client);
      const key = CryptoKey.generate(cluster.world.keyType);
      const wrong = cluster.newcomer('client.b', cluster.world.session('client.b', { key }));
      const refused = wrong.messenger.getConnection(cluster.monAddr, { peerType: EntityType.Mon });
      await untilState(refused, 'backoff');
      cluster.world.time += 3600_000;
      client.messenger.markDownAll();
      await untilState(client.messenger.getConnection(cluster.osdAddr, { peerType: Osd }), 'backoff');
      for (const value of [
        connection,
        connection.auth,
        client.session,
        cluster.world.mon,
        cluster.osd.session,
      ]) {
        show(value);
      }
      show(client.session.snapshot());
      const held = [client.session, cluster.osd.session].flatMap((session) => {
        const { rotating, tickets } = session.snapshot();
        return [
          ...tickets.map((ticket) => ticket.sessionKey),
          ...(rotating?.secrets ?? []).map((s) => s.key),
        ];
      });
      for (const { secret } of [...held, key, cluster.world.key('client.a'), cluster.world.key('osd.3')]) {
        secrets.push(secret.export());
      }
    }
    unsubscribe('msgr2:connection:state', onState);
    unsubscribe('msgr2:accept:failed', onFailed);
    const text = lines.join('\n');
    assert.ok(
      text.length > 10_000 && secrets.length > 20,
      `${text.length} characters, ${secrets.length} secrets`,
    );
    for (const secret of secrets) {
      const raw = secret.toString('latin1');
      const printed = inspect(secret).slice(8, -1).slice(0, 40);
      for (const form of [secret.toString('hex'), secret.toString('base64'), raw, printed]) {
        assert.not.ok(text.includes(form), `a secret as ${form}`);
      }
    }
  });
}

test.run();
