/** A channel in secure mode, on a stream under the test's hand: what is sealed when, and how it ends. */
import assert from 'node:assert/strict';
import { suite } from 'uvu';
import type { StreamSecrets } from '../../../src/protocol/stream-secrets.ts';
import { NonceCounter } from '../../../src/wire/frame-nonce.ts';
import { SecureMode, secureMode } from '../../../src/wire/frame-secure.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { IndependentSealer } from '../../support/independent-sealer.ts';
import { headerBytes } from '../../support/secure-frames.ts';
import { secretPair } from '../../support/stream-secrets.ts';
import { outgoing, patternBytes } from '../recorder.ts';
import { FakeHost, type FakeStream } from './fake-stream.ts';

const test = suite('stream channel in secure mode');

const { connector, acceptor } = secretPair(1);
const address = { family: 4, host: '10.0.0.2', port: 6800 } as const;

/** A session whose channel has the acceptor's secrets. */
function secureSession(fake = new FakeHost()) {
  const opened = fake.open();
  opened.channel.secure(acceptor);
  opened.channel.startSession({ lossless: true });
  return { fake, ...opened, opener: secureMode(connector) };
}

/** A host whose streams may seal so many operations. */
function nearTheEnd(sends: bigint, receives = 1n << 64n): FakeHost {
  const mode = ({ key, receiveNonce, sendNonce }: StreamSecrets) =>
    new SecureMode(key, new NonceCounter(receiveNonce, receives), new NonceCounter(sendNonce, sends));
  return new FakeHost(undefined, mode);
}

const seqOf = ({ head }: ReturnType<FakeStream['takeFrames']>[number]): bigint => head.readBigUInt64LE();

test('bytes and frames that wait are in the clear, what follows is sealed; all leave in one write', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.open();
  channel.sendControl(Tag.AuthDone, patternBytes(30));
  channel.secure(acceptor);
  channel.sendControl(Tag.AuthSignature, patternBytes(32));
  fake.turn();
  assert.equal(stream.writes.length, 1);
  const clearBytes = 32 + 30 + 4;
  const sealed = stream.writes[0]!.subarray(clearBytes);
  stream.writes[0] = stream.writes[0]!.subarray(0, clearBytes);
  assert.deepEqual(
    stream.takeFrames().map(({ tag }) => tag),
    [Tag.AuthDone],
  );
  stream.writes.push(sealed);
  const [signature] = stream.takeFrames(secureMode(connector));
  assert.equal(signature!.tag, Tag.AuthSignature);
});

test('a message is sealed when it leaves: control frames that come later go before it', () => {
  const { fake, channel, stream, opener } = secureSession();
  stream.full = true;
  for (let message = 0; message < 3; message++) channel.send(outgoing({ front: patternBytes(10) }));
  fake.turn();
  channel.send(outgoing({ front: patternBytes(10) }));
  fake.turn();
  channel.sendControl(Tag.Keepalive2, Buffer.alloc(8));
  stream.drain();
  fake.turn();
  assert.deepEqual(
    stream.takeFrames(opener).map(({ tag }) => tag),
    [Tag.Message, Tag.Message, Tag.Message, Tag.Keepalive2, Tag.Message],
  );
});

test('with each socket frames have new keys, and the sequence numbers they had', () => {
  const fake = new FakeHost();
  const channel = fake.host.createChannel({
    onOpen() {},
    onBytes() {},
    onFrame() {},
    onMessages: () => false,
    onDrain() {},
    onClosed() {},
  });
  for (let message = 0; message < 3; message++) channel.send(outgoing({ front: patternBytes(50, message) }));
  const written: Buffer[] = [];
  for (let socket = 0; socket < 3; socket++) {
    const secrets = secretPair(10 + socket);
    channel.connect(address, {});
    const stream = fake.streams.at(-1)!;
    stream.handler.onOpen();
    channel.secure(secrets.connector);
    channel.startSession({ lossless: true });
    fake.turn();
    written.push(Buffer.concat(stream.writes));
    const frames = stream.takeFrames(secureMode(secrets.acceptor));
    assert.deepEqual(frames.map(seqOf), [1n, 2n, 3n]);
    channel.disconnect();
  }
  assert.equal(new Set(written.map((bytes) => bytes.toString('hex'))).size, 3);
  assert.equal(channel.counters().messagesReplayed, 6);
  assert.equal(
    channel.counters().bytesSent,
    written.reduce((sum, bytes) => sum + bytes.length, 0),
  );
});

test('a channel that takes over a socket has its secrets, and sealed frames that wait stay first', () => {
  const fake = new FakeHost();
  const session = fake.host.createChannel({
    onOpen() {},
    onBytes() {},
    onFrame() {},
    onMessages: () => false,
    onDrain() {},
    onClosed() {},
  });
  session.send(outgoing({ front: patternBytes(10) }));
  const { channel, stream } = fake.open();
  channel.secure(acceptor);
  channel.sendControl(Tag.AuthSignature, patternBytes(32));
  session.adopt(channel);
  session.sendControl(Tag.SessionReconnectOk, Buffer.alloc(8));
  session.startSession({ lossless: true });
  const sealer = new IndependentSealer(connector.key, connector.sendNonce);
  stream.receive(sealer.frame(Tag.Message, [headerBytes(), Buffer.from('front')]));
  fake.turn();
  assert.equal(session.counters().messagesReceived, 1);
  assert.deepEqual(
    stream.takeFrames(secureMode(connector)).map(({ tag }) => tag),
    [Tag.AuthSignature, Tag.SessionReconnectOk, Tag.Ack, Tag.Message],
  );
});

test('segments lie where the records say, padded as they came', () => {
  const { fake, stream, events } = secureSession();
  const sealer = new IndependentSealer(connector.key, connector.sendNonce);
  const shapes = [
    [0, 0, 0],
    [1, 0, 0],
    [0, 17, 0],
    [0, 0, 31],
    [15, 16, 17],
    [4096, 1, 70_000],
  ];
  for (const shape of shapes) {
    const [front, middle, data] = shape.map((length, index) => patternBytes(length, index));
    const head = headerBytes();
    head.writeBigUInt64LE(BigInt(1 + shapes.indexOf(shape)), 0);
    const frame = sealer.frame(Tag.Message, [head, front!, middle!, data!]);
    // In pieces that end anywhere.
    stream.receive(frame.subarray(0, 97));
    fake.turn();
    if (frame.length > 97) stream.receive(frame.subarray(97));
    fake.turn();
  }
  const messages = events.events.flatMap((event) => (event.kind === 'message' ? [event.message] : []));
  assert.equal(messages.length, shapes.length);
  messages.forEach((message, index) => {
    const [front, middle, data] = shapes[index]!.map((length, segment) => patternBytes(length, segment));
    assert.deepEqual([message.front, message.middle, message.data], [front, middle, data]);
  });
});

test('a frame whose tag does not verify: what came before is delivered, then the channel closes', () => {
  const { fake, stream, events } = secureSession();
  const sealer = new IndependentSealer(connector.key, connector.sendNonce);
  const good = sealer.frame(Tag.Message, [headerBytes(), Buffer.from('front')]);
  const bad = sealer.frame(Tag.Message, [headerBytes(), Buffer.from('front')]);
  const after = sealer.frame(Tag.Message, [headerBytes(), Buffer.from('front')]);
  bad[120]! ^= 8;
  stream.receive(good, bad, after);
  fake.turn();
  const told = events.events.filter(({ kind }) => kind !== 'acknowledged');
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['message', 'closed'],
  );
  const [, closed] = told;
  assert.ok(closed?.kind === 'closed');
  assert.equal(closed.error.code, 'ERR_MSGR_BAD_FRAME');
  assert.equal(closed.error.field, 'epilogue.tag');
  assert.match(closed.error.message, /^10\.0\.0\.2:6800: /);
  assert.ok(stream.destroyed);
});

test('before the session a sealed message may not be longer than a control frame', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.open();
  channel.secure(acceptor);
  channel.expectFrame();
  const sealer = new IndependentSealer(connector.key, connector.sendNonce);
  stream.receive(sealer.frame(Tag.Message, [headerBytes(), Buffer.alloc(100_000)]).subarray(0, 96));
  fake.turn();
  const [closed] = events.events;
  assert.ok(closed?.kind === 'closed');
  assert.equal(closed.error.code, 'ERR_MSGR_BAD_FRAME');
});

test('before its nonces come again the channel closes, whatever took the last ones; the next socket goes on', () => {
  const ways: Record<string, (scene: ReturnType<typeof secureSession>) => void> = {
    messages: ({ channel }) => {
      for (let count = 0; count < 10; count++) channel.send(outgoing({ front: patternBytes(20, count) }));
    },
    'control frames': ({ channel }) => {
      for (let count = 0; count < 10; count++) channel.sendControl(Tag.Keepalive2, Buffer.alloc(8));
    },
    'answers to keepalives': ({ fake, stream }) => {
      const sealer = new IndependentSealer(connector.key, connector.sendNonce);
      for (let count = 0; count < 10; count++) {
        stream.receive(sealer.frame(Tag.Keepalive2, [Buffer.alloc(8)]));
        fake.turn();
      }
    },
    acknowledgements: ({ fake, stream }) => {
      const sealer = new IndependentSealer(connector.key, connector.sendNonce);
      for (let count = 0; count < 10; count++) {
        const head = headerBytes();
        head.writeBigUInt64LE(BigInt(count + 1), 0);
        stream.receive(sealer.frame(Tag.Message, [head]));
        fake.turn();
      }
    },
  };
  for (const [name, act] of Object.entries(ways)) {
    const scene = secureSession(nearTheEnd(7n));
    const { fake, channel, stream, events, opener } = scene;
    act(scene);
    fake.turn();
    const frames = stream.takeFrames(opener);
    assert.ok(frames.length >= 3 && frames.length <= 6, `${name}: ${frames.length} frames`);
    const closed = events.events.filter((event) => event.kind === 'closed');
    assert.equal(closed.length, 1, name);
    assert.equal(closed[0]!.error.code, 'ERR_MSGR_NONCES_USED_UP', name);
    assert.ok(stream.destroyed, name);
    if (name !== 'messages') continue;
    // Nothing is lost: the rest, and what was not acknowledged, leaves with new keys.
    const next = fake.open();
    next.channel.secure(secretPair(2).acceptor);
    channel.adopt(next.channel);
    channel.acknowledge(2n);
    channel.startSession({ lossless: true });
    fake.turn();
    const again = next.stream.takeFrames(secureMode(secretPair(2).connector));
    assert.deepEqual(again.map(seqOf), [3n, 4n, 5n]);
  }
});

test('in the handshake too', () => {
  const fake = nearTheEnd(3n);
  const { channel, stream, events } = fake.open();
  channel.secure(acceptor);
  for (let count = 0; count < 5; count++) channel.sendControl(Tag.Hello, patternBytes(8));
  fake.turn();
  assert.equal(stream.takeFrames(secureMode(connector)).length, 2);
  assert.equal(events.events.length, 1);
  const [closed] = events.events;
  assert.ok(closed?.kind === 'closed' && closed.error.code === 'ERR_MSGR_NONCES_USED_UP');
});

test('a peer whose nonces come again is not heard', () => {
  const { fake, stream, events } = secureSession(nearTheEnd(1n << 64n, 4n));
  const sealer = new IndependentSealer(connector.key, connector.sendNonce);
  for (let count = 0; count < 5; count++) stream.receive(sealer.frame(99, [Buffer.alloc(4)]));
  fake.turn();
  assert.deepEqual(
    events.events.map(({ kind }) => kind),
    ['frame', 'frame', 'frame', 'frame', 'closed'],
  );
  const closed = events.events.at(-1);
  assert.ok(closed?.kind === 'closed' && closed.error.code === 'ERR_MSGR_NONCES_USED_UP');
});

test.run();
