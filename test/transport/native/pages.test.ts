/**
 * Streams within one host give their socket the pages of the send slab instead of copies where that is faster, and
 * find out by trying (D43, D51); at first they give pages. Nothing is lost or mixed up by it, and no peer reads what
 * is meant for another, however early it acknowledges.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { channelQueueBytesMax, lendBytesMin, slabBytes } from '../../../src/limits.ts';
import type { Channel, Transport } from '../../../src/transport/channel.ts';
import { createNativeTransport } from '../../../src/transport/native/native-transport.ts';
import type { SocketAddress, SocketOptions } from '../../../src/transport/socket.ts';
import { assembleControlFrame } from '../../../src/wire/frame.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { limited, waitUntil } from '../../support/timeout.ts';
import { outgoing, patternBytes, Recorder } from '../recorder.ts';
import { readNumber } from './support/socket-option.ts';

const loopback: SocketAddress = { family: 4, host: '127.0.0.1', port: 0 };

/** The sending side, and that of its peers: what a loop has for others besides ends a stream. */
async function withTransports(
  threads: 0 | 1,
  use: (transport: Transport, far: Transport) => Promise<void>,
): Promise<void> {
  const transport = createNativeTransport({ threads });
  const far = createNativeTransport();
  try {
    await use(transport, far);
  } finally {
    await transport.close();
    await far.close();
  }
}

async function sessionWith(
  transport: Transport,
  address: SocketAddress,
  options: SocketOptions = {},
): Promise<Channel> {
  const events = new Recorder();
  const channel = transport.createChannel(events);
  channel.connect(address, options);
  await events.next('open');
  channel.startSession({ lossless: true });
  return channel;
}

/** A listener of the transport whose sessions go to `handler`. */
async function listening(transport: Transport, handler: Recorder): Promise<SocketAddress> {
  const listener = await transport.listen(loopback, {}, (channel) => {
    channel.handler = handler;
    channel.startSession({ lossless: true });
  });
  return listener.address;
}

function givesPages(channel: Channel): boolean {
  const native = channel as unknown as { readonly lendBytesMin: number };
  return native.lendBytesMin > lendBytesMin;
}

/** A channel that has the number which `gone` had. */
async function withNumberOf(gone: Channel, transport: Transport, events: Recorder): Promise<Channel> {
  const numberOf = (channel: Channel) => (channel as unknown as { readonly id: number }).id;
  for (let count = 0; count < 50; count++) {
    const channel = transport.createChannel(events);
    if (numberOf(channel) === numberOf(gone)) return channel;
    await sleep(5);
  }
  throw new Error('its number was not given again');
}

/** Sends copies of `data` until `bytes` are sent, as fast as the channel takes them. */
async function stream(channel: Channel, data: Uint8Array, bytes: number): Promise<boolean> {
  let gavePages = false;
  for (let sent = 0; sent < bytes; ) {
    while (sent < bytes && channel.backlogBytes < channelQueueBytesMax)
      sent += channel.send(outgoing({ data }));
    await nextTurn();
    gavePages ||= givesPages(channel);
  }
  return gavePages;
}

function acknowledgement(seq: bigint): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(seq);
  return assembleControlFrame(Tag.Ack, payload);
}

/** A peer that reads nothing, acknowledges everything, and looks later what it got. */
async function eagerPeer(): Promise<{ address: SocketAddress; socket: Promise<Socket> } & Disposable> {
  const server = createServer({ pauseOnConnect: true });
  const socket = once(server, 'connection').then(([accepted]) => accepted as Socket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const end = () => {
    server.close();
    socket.then((accepted) => accepted.destroy());
  };
  return { address: { ...loopback, port }, socket, [Symbol.dispose]: end };
}

/** SO_BUF_LOCK: a receive buffer whose size was not set is fitted to the traffic by the kernel. */
function kernelFits(transport: Transport, channel: Channel): boolean {
  const [solSocket, soBufLock, receiveBufferLock] = [1, 72, 2];
  return (readNumber(transport, channel, [solSocket, soBufLock]) & receiveBufferLock) === 0;
}

for (const threads of [0, 1] as const) {
  const where = threads === 0 ? 'inline' : 'threaded';

  // The kernel drops what it was promised room for and has none; the sender finds out 200 ms later.
  test(
    `the receive buffer of a stream stays when the stream is over: ${where}`,
    limited(20_000, () =>
      withTransports(threads, async (far, transport) => {
        const events = new Recorder();
        events.copyMessages = false;
        const receivers: Channel[] = [];
        const listener = await far.listen(loopback, {}, (channel) => {
          channel.handler = events;
          channel.startSession({ lossless: true });
          receivers.push(channel);
        });
        const near = await sessionWith(transport, listener.address);
        near.send(outgoing({ data: patternBytes(100) }));
        await waitUntil(() => events.messageCount === 1, 5000, 'the first message');
        assert.is(kernelFits(far, receivers[0]!), false, 'small before the stream');
        await stream(near, patternBytes(4000), 32 << 20);
        for (let sent = 0; sent < 200; sent++) {
          near.send(outgoing({ data: patternBytes(100) }));
          await nextTurn();
        }
        await waitUntil(() => near.outboxCount === 0, 10_000, 'all acknowledgements');
        assert.is(kernelFits(far, receivers[0]!), true, 'and after it');
      }),
    ),
  );

  test(
    `a peer that acknowledges what it has not read reads nothing that is for others: ${where}`,
    limited(20_000, () =>
      withTransports(threads, async (transport, far) => {
        const others = new Recorder();
        others.copyMessages = false;
        const honest = await sessionWith(transport, await listening(far, others));
        using peer = await eagerPeer();
        // Its socket takes all that is sent, so that nothing but the peer's word keeps the slabs.
        const hostile = await sessionWith(transport, peer.address, { sendBufferBytes: 4 << 20 });
        const socket = await peer.socket;
        const forHostile = Buffer.alloc(4000, 0xaa);
        const forOthers = Buffer.alloc(4000, 0xbb);
        let gavePages = false;
        for (let round = 0; round < 25; round++) {
          for (let index = 0; index < 25; index++) hostile.send(outgoing({ data: forHostile }));
          await nextTurn();
          gavePages ||= givesPages(hostile);
          await others.settled(() => {
            socket.write(acknowledgement(1n << 40n));
            return hostile.outboxCount === 0;
          }, 'all written and acknowledged');
        }
        assert.ok(gavePages);
        await stream(honest, forOthers, 20 * slabBytes);
        // A channel that gets its number afterwards is another one, too.
        hostile.destroy();
        const events = new Recorder();
        const next = await withNumberOf(hostile, transport, events);
        next.connect(await listening(far, others), {});
        await events.next('open');
        next.startSession({ lossless: true });
        await stream(next, forOthers, 20 * slabBytes);
        await others.settled(() => honest.outboxCount === 0 && next.outboxCount === 0, 'all acknowledged');
        let got = 0;
        for await (const chunk of socket) {
          got += (chunk as Buffer).length;
          assert.not.ok((chunk as Buffer).includes(forOthers.subarray(0, 32)));
        }
        assert.ok(got > 2_000_000, `${got} bytes`);
      }),
    ),
  );

  test(
    `a long stream is sent either way by turns, and arrives as it was sent: ${where}`,
    limited(20_000, () =>
      withTransports(threads, async (transport, far) => {
        const handler = new Recorder();
        const channel = await sessionWith(transport, await listening(far, handler));
        // Copied into the slab one way, and lent the other.
        const payloads = Array.from({ length: 7 }, (_, seed) => patternBytes(20_000, seed));
        const count = 3000;
        const ways = new Set<boolean>();
        for (let sent = 0; sent < count; ) {
          for (; sent < count && channel.backlogBytes < channelQueueBytesMax; sent++)
            channel.send(outgoing({ data: payloads[sent % 7]! }));
          await nextTurn();
          ways.add(givesPages(channel));
        }
        const messages = await handler.nextMessages(count);
        messages.forEach(({ data }, index) => {
          assert.ok(Buffer.compare(data, payloads[index % 7]!) === 0, `message ${index}`);
        });
        assert.is(ways.size, 2, `pages: ${[...ways].join()}`);
      }),
    ),
  );

  test(
    `streams and single messages of all sizes to several channels arrive as they were sent: ${where}`,
    limited(20_000, () =>
      withTransports(threads, async (transport, far) => {
        const ends: { channel: Channel; handler: Recorder; sent: Uint8Array[] }[] = [];
        for (let index = 0; index < 3; index++) {
          const handler = new Recorder();
          const channel = await sessionWith(transport, await listening(far, handler));
          ends.push({ channel, handler, sent: [] });
        }
        const sizes = [0, 1, 64, 4000, 20_000, 100_000, 380_000, 400_000];
        let gavePages = 0;
        for (let burst = 0; burst < 120; burst++) {
          const streaming = ends[Math.floor(burst / 40)]!;
          for (let index = 0; index < 25; index++) {
            // Others in the middle of a burst, when the stream has been one for a while.
            const end = burst % 40 > 30 && index === 13 ? ends[burst % 3]! : streaming;
            const size = index % 8 === 0 ? sizes[(burst + index) % sizes.length]! : 3000;
            const data = patternBytes(size, burst * 100 + index);
            end.sent.push(data);
            end.channel.send(outgoing({ data }));
          }
          if (givesPages(streaming.channel)) gavePages++;
          await nextTurn();
        }
        assert.ok(gavePages > 10, `${gavePages} bursts`);
        for (const { handler, sent } of ends) {
          const messages = await handler.nextMessages(sent.length);
          messages.forEach(({ data }, index) => {
            assert.ok(Buffer.compare(data, sent[index]!) === 0, `message ${index} of ${data.length} bytes`);
          });
        }
      }),
    ),
  );
}

test(
  'a stream copies payloads that are lent else, and lends them again when its socket is gone',
  limited(10_000, () =>
    withTransports(0, async (transport, far) => {
      const { sendTable } = transport as unknown as { sendTable: { readonly lentCount: number } };
      const handler = new Recorder();
      handler.copyMessages = false;
      const channel = await sessionWith(transport, await listening(far, handler));
      const data = patternBytes(100_000);
      channel.send(outgoing({ data }));
      assert.is(sendTable.lentCount, 1);
      assert.ok(await stream(channel, data, 8 * slabBytes));
      await handler.settled(() => sendTable.lentCount === 0, 'all payloads back');
      channel.send(outgoing({ data }));
      assert.is(sendTable.lentCount, 0);
      channel.disconnect();
      channel.send(outgoing({ data }));
      assert.is(sendTable.lentCount, 1);
    }),
  ),
);

test.run();
