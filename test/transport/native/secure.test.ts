/** Secure mode of the native transport against a peer that node:crypto makes, byte for byte. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Channel } from '../../../src/transport/channel.ts';
import {
  createNativeTransport,
  type NativeTransportOptions,
} from '../../../src/transport/native/native-transport.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { limited, withTimeout } from '../../support/timeout.ts';
import { outgoing, patternBytes, Recorder } from '../recorder.ts';
import { headerOf, SecurePeer, secretsPair } from './support/secure-peer.ts';

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
    await use({ channel, events, peer: new SecurePeer(socket, secretsPair().far) });
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
          channel.secure(secretsPair().near);
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

test.run();
