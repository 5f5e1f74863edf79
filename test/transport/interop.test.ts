/**
 * `async` and `simple` with each other, in all four pairings and both modes: the same messages arrive, and
 * the bytes on the wire are the same whoever wrote them.
 */
import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { lendBytesMin, slabBytes } from '../../src/limits.ts';
import { nativeAvailable } from '../../src/native.ts';
import type { StreamSecrets } from '../../src/protocol/stream-secrets.ts';
import type { OutgoingMessage, Transport } from '../../src/transport/channel.ts';
import { createNativeTransport } from '../../src/transport/native/native-transport.ts';
import { createSimpleTransport } from '../../src/transport/stream/simple-transport.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { secureMode } from '../../src/wire/frame-secure.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { IndependentSealer } from '../support/independent-sealer.ts';
import { recordingProxy } from '../support/recording-proxy.ts';
import { secretPair } from '../support/stream-secrets.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';
import type { SceneMode } from './conformance-pair.ts';
import { outgoing, patternBytes, type ReceivedMessage, Recorder } from './recorder.ts';

const test = suite('interop of async and simple');

const makers: Record<string, () => Transport> = {
  async: () => createNativeTransport(),
  simple: () => createSimpleTransport(),
};

const bannerBytes = 26;
const sealedAckBytes = 96;
const secrets = secretPair(1);

/** Every shape of message: each segment empty, small, at the border of being lent, beyond a slab. */
const messages: OutgoingMessage[] = [];
for (const front of [0, 1, 64, 4096, lendBytesMin - 1, lendBytesMin, slabBytes + 1]) {
  for (const middle of [0, 3]) {
    for (const data of [0, 1, 70, lendBytesMin, lendBytesMin + 5]) {
      const tid = messages.length;
      messages.push(
        outgoing({
          type: 1 + tid,
          priority: 255 - tid,
          version: tid,
          compatVersion: tid >> 1,
          tidLow: 0xfffffff0 + (tid & 0xf),
          tidHigh: 0x80000000 + tid,
          front: patternBytes(front, tid),
          middle: patternBytes(middle, tid),
          data: patternBytes(data, tid),
        }),
      );
    }
  }
}

interface Exchange {
  received: ReceivedMessage[];
  fromConnector: Buffer;
  fromAcceptor: Buffer;
}

/**
 * A handshake of a banner and a frame each way, every message from the connector, two answers. In secure mode
 * the banner and HELLO are in the clear.
 */
async function exchange(connector: Transport, acceptor: Transport, mode: SceneMode): Promise<Exchange> {
  const near = new Recorder();
  const far = new Recorder();
  const accepted = new Promise<ReturnType<Transport['createChannel']>>((resolve) => {
    void acceptor
      .listen({ family: 4, host: '127.0.0.1', port: 0 }, {}, (channel) => {
        channel.handler = far;
        resolve(channel);
      })
      .then(async (listener) => {
        proxy = await recordingProxy(listener.address);
        channel.connect(proxy.address, {});
      });
  });
  let proxy!: Awaited<ReturnType<typeof recordingProxy>>;
  const channel = connector.createChannel(near);
  try {
    const answering = await withTimeout(accepted, 5000, 'the connection');
    await near.next('open');
    const banner = patternBytes(bannerBytes, 3);
    channel.sendBytes(banner);
    channel.sendControl(Tag.Hello, patternBytes(36));
    answering.expectBytes(bannerBytes);
    assert.deepEqual(new Uint8Array((await far.next('bytes')).bytes), banner);
    answering.expectFrame();
    assert.equal((await far.next('frame')).tag, Tag.Hello);
    if (mode === 'secure') {
      channel.secure(secrets.connector);
      answering.secure(secrets.acceptor);
    }
    answering.sendControl(Tag.Wait, new Uint8Array(0));
    channel.expectFrame();
    assert.equal((await near.next('frame')).tag, Tag.Wait);
    channel.startSession({ lossless: true });
    answering.startSession({ lossless: true });
    channel.sendControl(Tag.Keepalive2, patternBytes(8, 9));
    for (const message of messages) channel.send(message);
    const received = await far.nextMessages(messages.length);
    assert.equal((await near.next('frame')).tag, Tag.Keepalive2Ack);
    await waitUntil(() => channel.unackedBytes === 0, 5000, 'every acknowledgement', 2);
    // What was received is acknowledged in the headers of the answers.
    answering.send(outgoing({ type: 7, front: patternBytes(100) }));
    answering.send(outgoing({ type: 8, data: patternBytes(100) }));
    await near.nextMessages(2);
    await waitUntil(() => answering.unackedBytes === 0, 5000, 'the last acknowledgement', 2);
    return { received, fromConnector: proxy.fromConnector(), fromAcceptor: proxy.fromAcceptor() };
  } finally {
    await Promise.all([connector.close(), acceptor.close()]);
    await proxy.close();
  }
}

interface Frames {
  /** Whole frames in crc mode, tag and segments in secure mode. */
  others: string[];
  lastAck: string | undefined;
}

/** The frames of one direction; of the ACKs only the last one, since their number is a matter of time. */
function framesOf(stream: Buffer, clearFrames: number, keys?: StreamSecrets): Frames {
  const reader = new FrameReader();
  reader.push(stream);
  const sealer = keys && new IndependentSealer(keys.key, keys.sendNonce);
  const others: string[] = [];
  let lastAck: string | undefined;
  for (let count = 0; ; count++) {
    if (keys !== undefined && count === clearFrames) {
      reader.mode = secureMode({ ...keysOf(keys), receiveNonce: keys.sendNonce });
    }
    if (!reader.next()) break;
    const { frame } = reader;
    let text = reader.raw().toString('hex');
    if (sealer !== undefined && count >= clearFrames) {
      const segments = [frame.payload(), frame.segment(1), frame.segment(2), frame.segment(3)];
      // The nonces depend on the number of ACKs, and the bytes on the nonces.
      assert.ok(sealer.frame(frame.tag, segments).equals(reader.raw()), `frame ${count}`);
      text = [frame.tag, ...segments.map((segment) => segment.toString('hex'))].join();
    }
    if (frame.tag === Tag.Ack) lastAck = text;
    else others.push(text);
  }
  assert.equal(reader.bufferedBytes, 0);
  return { others, lastAck };
}

const keysOf = ({ key, receiveNonce, sendNonce }: StreamSecrets) => ({ key, receiveNonce, sendNonce });

if (!nativeAvailable()) {
  test.skip('needs the native core', () => {});
} else {
  for (const mode of ['crc', 'secure'] as const) pairings(mode);
}

function pairings(mode: SceneMode): void {
  const results = new Map<string, Exchange>();
  for (const connector of Object.keys(makers)) {
    for (const acceptor of Object.keys(makers)) {
      test(`${mode} mode: ${connector} sends to ${acceptor}`, async () => {
        const result = await exchange(makers[connector]!(), makers[acceptor]!(), mode);
        results.set(`${connector}-${acceptor}`, result);
        result.received.forEach((message, index) => {
          const { seq, ...fields } = message;
          const sent = messages[index]!;
          assert.equal(seq, BigInt(index + 1));
          for (const segment of ['front', 'middle', 'data'] as const) {
            const same = Buffer.compare(fields[segment], sent[segment]) === 0;
            assert.ok(same, `${segment} of message ${index}`);
          }
          const header = ({ front, middle, data, ...rest }: typeof fields) => rest;
          assert.deepEqual(header(fields), header(sent as typeof fields));
        });
      });
    }
  }

  const isSecure = mode === 'secure';

  test(`${mode} mode: the bytes of the connector are the same in all pairings`, () => {
    assert.equal(results.size, 4);
    const streams = [...results.values()].map((result) => result.fromConnector.subarray(bannerBytes));
    const [first, ...others] = streams.map((stream) =>
      framesOf(stream, 1, isSecure ? secrets.connector : undefined),
    );
    assert.ok(first!.others.length === messages.length + 2);
    for (const other of others) assert.deepEqual(other, first);
    if (!isSecure) return;
    // All that it sends comes before its ACKs, of which two answers bring two at most.
    const bytes = Math.min(...streams.map((stream) => stream.length)) - 2 * sealedAckBytes;
    for (const stream of streams) assert.ok(stream.subarray(0, bytes).equals(streams[0]!.subarray(0, bytes)));
  });

  test(`${mode} mode: the bytes of the acceptor are the same in all pairings`, () => {
    assert.equal(results.size, 4);
    const [first, ...others] = [...results.values()].map((result) =>
      framesOf(result.fromAcceptor, 0, isSecure ? secrets.acceptor : undefined),
    );
    assert.equal(first!.others.length, 4);
    for (const other of others) assert.deepEqual(other, first);
  });
}

test.run();
