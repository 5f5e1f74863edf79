/**
 * Secure mode of the native transport against a peer that node:crypto makes, byte for byte, and against what
 * real daemons sent. What every transport has to do is in conformance-secure.ts.
 */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import { loadNative } from '../../../src/native.ts';
import type { Channel } from '../../../src/transport/channel.ts';
import { Field, recordFields } from '../../../src/transport/message-batch.ts';
import { CloseReason, closedError, FrameError } from '../../../src/transport/native/native-errors.ts';
import {
  createNativeTransport,
  type NativeTransportOptions,
} from '../../../src/transport/native/native-transport.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import { secureMode } from '../../../src/wire/frame-secure.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { messageHeaderFromBytes } from '../../../src/wire/message-header.ts';
import { type SecureStream, secureStreams } from '../../maps/support/secure-captures.ts';
import { allCaptures } from '../../support/captures.ts';
import { secretPair } from '../../support/stream-secrets.ts';
import { limited, withTimeout } from '../../support/timeout.ts';
import { outgoing, patternBytes, Recorder } from '../recorder.ts';
import { headerOf, SecurePeer } from './support/secure-peer.ts';

interface Scene {
  readonly channel: Channel;
  readonly events: Recorder;
  readonly peer: SecurePeer;
}

/** A native channel that is connected to a plain socket, both in the handshake. */
async function withPeer(
  use: (scene: Scene) => Promise<void>,
  options: NativeTransportOptions = {},
): Promise<void> {
  const transport = createNativeTransport(options);
  const server = createServer({ pauseOnConnect: false });
  const sockets: Socket[] = [];
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const events = new Recorder();
    const channel = transport.createChannel(events);
    const { port } = server.address() as AddressInfo;
    channel.connect({ family: 4, host: '127.0.0.1', port }, {});
    const [socket] = await withTimeout(connected, 5000, 'the connection');
    sockets.push(socket);
    // What the channel does to the connection is seen by its own events.
    socket.on('error', () => {});
    await events.next('open');
    await use({ channel, events, peer: new SecurePeer(socket, secretPair(1).acceptor) });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await transport.close();
  }
}

for (const threads of [0, 1] as const) {
  test(
    `frames of every kind are sealed and opened, threads: ${threads}`,
    limited(20_000, () =>
      withPeer(
        async ({ channel, events, peer }) => {
          channel.secure(secretPair(1).connector);
          for (const length of [0, 1, 47, 48, 49, 64, 65, 500, 5000]) {
            const payload = patternBytes(length);
            channel.sendControl(Tag.ClientIdent, payload);
            const sent = await peer.next();
            assert.is(sent.tag, Tag.ClientIdent);
            assert.equal(new Uint8Array(sent.segments[0]!), payload);
            assert.ok(sent.padding.every((byte) => byte === 0));

            channel.expectFrame();
            peer.send(Tag.ServerIdent, [payload]);
            const received = await events.next('frame');
            assert.is(received.tag, Tag.ServerIdent);
            assert.equal(new Uint8Array(received.payload), payload);
          }
          channel.startSession({ lossless: true });
          let seq = 0;
          for (const [front, middle, data] of [
            [0, 0, 0],
            [1, 0, 0],
            [16, 0, 0],
            [0, 0, 33],
            [5, 6, 7],
            [4096, 0, 0],
            [600, 700, 800],
            [0, 0, 70_000],
            [70_000, 3, 3_000_001],
          ] as const) {
            seq++;
            const message = outgoing({
              front: patternBytes(front, 1),
              middle: patternBytes(middle, 2),
              data: patternBytes(data, 3),
            });
            channel.send(message);
            const sent = await peer.next();
            assert.is(sent.tag, Tag.Message);
            assert.is(sent.segments[0]!.readBigUInt64LE(0), BigInt(seq));
            assert.equal(new Uint8Array(sent.segments[1] ?? []), message.front);
            assert.equal(new Uint8Array(sent.segments[2] ?? []), message.middle);
            assert.equal(new Uint8Array(sent.segments[3] ?? []), message.data);
            if (sent.segments.length > 1) assert.is(sent.lateStatus, 0x0e);
            assert.ok(sent.padding.every((byte) => byte === 0));

            const segments = [headerOf(seq, seq), message.front, message.middle, message.data];
            while (segments.length > 1 && segments.at(-1)!.length === 0) segments.pop();
            peer.send(Tag.Message, segments);
            const received = (await events.next('message')).message;
            assert.is(received.seq, BigInt(seq));
            assert.equal(received.front, message.front);
            assert.equal(received.middle, message.middle);
            assert.equal(received.data, message.data);
            const ack = await peer.next();
            assert.is(ack.tag, Tag.Ack);
            assert.is(ack.segments[0]!.readBigUInt64LE(0), BigInt(seq));
          }
          const stamp = patternBytes(8);
          peer.send(Tag.Keepalive2, [stamp]);
          const echo = await peer.next();
          assert.is(echo.tag, Tag.Keepalive2Ack);
          assert.equal(new Uint8Array(echo.segments[0]!), stamp);
          assert.is(channel.unackedBytes, 0);
        },
        { threads },
      ),
    ),
  );
}

/** Plays a daemon's stream to a channel in pieces of other sizes than the frames', and compares what comes out. */
async function playStream({ name, key, nonce, bytes }: SecureStream, seed: number): Promise<number> {
  const secrets = { key, receiveNonce: nonce, sendNonce: secretPair(2).connector.sendNonce };
  const reader = new FrameReader();
  reader.mode = secureMode(secrets);
  reader.push(bytes);
  let count = 0;
  await withPeer(async ({ channel, events, peer }) => {
    channel.secure(secrets);
    channel.startSession({ lossless: false });
    let random = seed;
    for (let at = 0; at < bytes.length; ) {
      random = (random * 1103515245 + 12345) & 0x7fffffff;
      const end = at + 1 + (random % (random % 7 === 0 ? 50_000 : 400));
      peer.socket.write(bytes.subarray(at, end));
      at = end;
      if (random % 3 === 0) await new Promise(setImmediate);
    }
    let seq = 0n;
    for (; reader.next(); count++) {
      const { frame } = reader;
      const where = `${name}: frame ${count}`;
      // Of these the channel takes the first two itself; the peer of a lossy session gets no acks.
      if (frame.tag === Tag.Ack || frame.tag === Tag.Keepalive2) continue;
      if (frame.tag !== Tag.Message) {
        const received = await events.next('frame');
        assert.is(received.tag, frame.tag, where);
        assert.ok(received.payload.equals(frame.payload()), where);
        continue;
      }
      const header = messageHeaderFromBytes(frame.payload());
      // Sent again after a reconnect, or a message of another session.
      if (header.seq <= seq) continue;
      seq = header.seq;
      const { message } = await events.next('message');
      assert.is(message.seq, header.seq, where);
      assert.is(message.type, header.type, where);
      for (const [part, index] of [
        [message.front, 1],
        [message.middle, 2],
        [message.data, 3],
      ] as const) {
        assert.ok(frame.segment(index).equals(part), where);
      }
    }
  });
  return count;
}

const handshakes = fileURLToPath(new URL('../../fixtures/handshakes', import.meta.url));

for (const root of [handshakes, allCaptures]) {
  if (root === undefined) continue;
  const kind = root === handshakes ? 'fixtures' : 'all recordings';
  test(
    `sealed streams of real daemons are opened whole: ${kind}`,
    limited(60_000, async () => {
      let count = 0;
      let seed = 1;
      for (const stream of secureStreams(root, 'cephx-secure')) count += await playStream(stream, seed++);
      assert.ok(count > (root === handshakes ? 10 : 1000), `${count} frames`);
    }),
  );
}

test(
  'a part of the secrets that has another size is refused, and the channel goes on without',
  limited(5000, () =>
    withPeer(async ({ channel, events, peer }) => {
      const secrets = secretPair(1).connector;
      for (const wrong of [
        { key: new Uint8Array(15) },
        { key: new Uint8Array(32) },
        { receiveNonce: new Uint8Array(11) },
        { sendNonce: new Uint8Array(13) },
      ]) {
        assert.throws(
          () => channel.secure({ ...secrets, ...wrong }),
          (error: Error) => /16 bytes, a nonce 12/.test(error.message),
        );
      }
      channel.secure(secrets);
      channel.expectFrame();
      peer.send(Tag.Hello, [patternBytes(5)]);
      assert.is((await events.next('frame')).tag, Tag.Hello);
    }),
  ),
);

test(
  'a host without OpenSSL has no secure mode, and says so',
  limited(5000, () =>
    withPeer(async ({ channel, events, peer }) => {
      const native = loadNative() as { hasAead: boolean };
      native.hasAead = false;
      try {
        assert.throws(
          () => channel.secure(secretPair(1).connector),
          (error: MsgrError) => error.code === ErrorCode.Unsupported && /OpenSSL/.test(error.message),
        );
      } finally {
        native.hasAead = true;
      }
      channel.expectBytes(3);
      peer.socket.write('abc');
      await events.next('bytes');
    }),
  ),
);

test('what the core says of nonces and ciphers has codes of its own', () => {
  const record = new Int32Array(recordFields);
  record[Field.typeAndPriority] = CloseReason.badFrame;
  record[Field.versions] = FrameError.noncesUsed;
  assert.is(closedError(record, 0, 'peer').code, ErrorCode.NoncesUsedUp);
  assert.match(closedError(record, 0, 'peer').message, /every nonce.*new keys/);
  record[Field.versions] = FrameError.cipher;
  assert.is(closedError(record, 0, 'peer').code, ErrorCode.Unsupported);
  record[Field.versions] = FrameError.tag;
  record[Field.tidLow] = 7;
  const { code, field, message } = closedError(record, 0, 'peer');
  assert.equal([code, field], [ErrorCode.BadFrame, 'preamble.tag']);
  assert.match(message, /^peer: preamble\.tag does not verify: .*after 7 sealed parts/);
  record[Field.typeAndPriority] = CloseReason.badFrame | (Tag.Hello << 16);
  assert.is(closedError(record, 0, 'peer').field, 'segments[0].tag');
  record[Field.versions] = FrameError.tag | (1 << 16);
  assert.is(closedError(record, 0, 'peer').field, 'epilogue.tag');
});

test.run();
