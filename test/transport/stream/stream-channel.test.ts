/** A channel against hostile, slow and confused peers, byte by byte, on a stream under the test's hand. */
import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { channelQueueBytesMax, controlPayloadBytesMax, unackedBytesMax } from '../../../src/limits.ts';
import { assembleControlFrame } from '../../../src/wire/frame.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { outgoing, patternBytes } from '../recorder.ts';
import { FakeHost, messageFrame, u64Frame } from './fake-stream.ts';

const test = suite('stream channel');

const address = { family: 4, host: '10.0.0.2', port: 6800 } as const;
const closedByPeer = new MsgrError(ErrorCode.PeerClosed, 'closed');

test('messages of one turn leave in one write, control frames before them', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  for (let message = 0; message < 50; message++) channel.send(outgoing());
  channel.sendControl(Tag.Keepalive2, Buffer.alloc(8));
  assert.equal(stream.writes.length, 0);
  fake.turn();
  assert.equal(stream.writes.length, 1);
  const tags = stream.takeFrames().map((frame) => frame.tag);
  assert.deepEqual(tags, [Tag.Keepalive2, ...new Array<number>(50).fill(Tag.Message)]);
});

test('while the stream is full nothing is written; what waits then leaves in one piece', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.full = true;
  channel.send(outgoing({ front: patternBytes(10) }));
  fake.turn();
  for (let message = 0; message < 10; message++) {
    channel.send(outgoing({ front: patternBytes(10) }));
    fake.turn();
  }
  assert.equal(stream.writes.length, 1);
  const frameBytes = stream.writes[0]!.length;
  assert.equal(channel.queuedBytes, 11 * frameBytes);
  stream.drain();
  assert.equal(stream.writes.length, 2);
  assert.equal(stream.writes[1]!.length, 10 * frameBytes);
  assert.equal(channel.queuedBytes, 0);
  assert.equal(channel.unackedBytes, 11 * frameBytes);
});

test('an acknowledgement rides on a message, or goes alone at the end of the turn', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.receive(messageFrame(1), messageFrame(2));
  stream.receive(messageFrame(3));
  fake.turn();
  const [ack, ...others] = stream.takeFrames();
  assert.equal(ack!.tag, Tag.Ack);
  assert.equal(ack!.head.readBigUInt64LE(), 3n);
  assert.equal(others.length, 0);
  stream.receive(messageFrame(4));
  channel.send(outgoing());
  fake.turn();
  const [message, ...rest] = stream.takeFrames();
  assert.equal(message!.tag, Tag.Message);
  assert.equal(message!.head.readBigUInt64LE(28), 4n);
  assert.equal(rest.length, 0);
});

test('a lossy session sends no ACK, but says in its headers what came', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session(false);
  stream.receive(messageFrame(1), messageFrame(2));
  fake.turn();
  assert.equal(stream.writes.length, 0);
  channel.send(outgoing());
  fake.turn();
  assert.equal(stream.takeFrames()[0]!.head.readBigUInt64LE(28), 2n);
  assert.equal(channel.outboxCount, 0);
});

test('an ACK for what was never sent drops nothing that was not', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.session();
  channel.send(outgoing());
  fake.turn();
  stream.full = true;
  channel.send(outgoing());
  stream.receive(u64Frame(Tag.Ack, 0xffff_ffff_ffff_ffffn));
  assert.equal(channel.outboxCount, 1);
  fake.turn();
  assert.equal(channel.outboxCount, 1, 'the stream still holds the second');
  stream.drain();
  assert.equal(channel.outboxCount, 1, 'it was not sent when the ACK came');
  assert.deepEqual(
    events.events.map((event) => event.kind),
    ['acknowledged'],
  );
});

test('what the stream holds when its ACK arrives is dropped when the stream is done with it', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.full = true;
  channel.send(outgoing());
  fake.turn();
  stream.receive(u64Frame(Tag.Ack, 1n));
  assert.equal(channel.outboxCount, 1);
  stream.drain();
  assert.equal(channel.outboxCount, 0);
  assert.equal(channel.unackedBytes, 0);
});

test('a peer that never acknowledges gets no more than the limit', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  const front = new Uint8Array(60 * 1024);
  let sent = 0;
  while (channel.unackedBytes < unackedBytesMax + 4 * channelQueueBytesMax) {
    channel.send(outgoing({ front }));
    sent++;
    if (sent % 16 === 0) fake.turn();
  }
  fake.turn();
  const { messagesSent, bytesSent } = channel.counters();
  assert.ok(bytesSent >= unackedBytesMax && bytesSent < unackedBytesMax + 2 * front.length);
  assert.ok(channel.queuedBytes >= 3 * channelQueueBytesMax);
  stream.receive(u64Frame(Tag.Ack, BigInt(messagesSent)));
  fake.turn();
  assert.equal(channel.counters().messagesSent, sent);
  assert.equal(channel.queuedBytes, 0);
});

test('duplicates are dropped and acknowledged, gaps are accepted', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.session();
  stream.receive(messageFrame(1), messageFrame(1), messageFrame(5), messageFrame(4), messageFrame(0));
  fake.turn();
  assert.deepEqual(
    events.events.map((event) => event.kind === 'message' && event.message.seq),
    [1n, 5n],
  );
  assert.equal(channel.inSeq, 5n);
  assert.equal(channel.counters().duplicatesDropped, 3);
});

test('sequence numbers use all 64 bits', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.receive(messageFrame(1, { seq: 0xffff_ffffn }), messageFrame(1, { seq: 0x1_0000_0000n }));
  stream.receive(messageFrame(1, { seq: 0xffff_fffen }));
  stream.receive(messageFrame(1, { seq: 0xffff_ffff_ffff_ffffn }));
  assert.equal(channel.inSeq, 0xffff_ffff_ffff_ffffn);
  assert.equal(channel.counters().messagesReceived, 3);
});

test('every keepalive is answered, but a peer that does not read gets the newest only', () => {
  const fake = new FakeHost();
  const { stream } = fake.session();
  stream.receive(u64Frame(Tag.Keepalive2, 1n), u64Frame(Tag.Keepalive2, 2n));
  fake.turn();
  const stamps = () => stream.takeFrames().map((frame) => frame.head.readBigUInt64LE());
  assert.deepEqual(stamps(), [1n, 2n]);
  stream.full = true;
  stream.receive(u64Frame(Tag.Keepalive2, 3n));
  fake.turn();
  stream.writes.length = 0;
  for (let stamp = 4n; stamp <= 10_000n; stamp++) stream.receive(u64Frame(Tag.Keepalive2, stamp));
  fake.turn();
  stream.drain();
  const answered = stamps();
  assert.ok(answered.length < 200, `${answered.length} answers were kept`);
  assert.equal(answered.at(-1), 10_000n);
});

test('messages before a bad frame are delivered, then the channel closes', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.session();
  const bad = messageFrame(3);
  bad[40]! ^= 1;
  stream.receive(messageFrame(1), messageFrame(2), bad, messageFrame(4));
  const kinds = events.events.map((event) => event.kind);
  assert.deepEqual(kinds, ['message', 'message', 'closed']);
  const last = events.events[2]!;
  assert.ok(last.kind === 'closed' && last.error.code === ErrorCode.BadFrame);
  assert.equal(last.kind === 'closed' && last.error.field, 'segments[0].crc');
  assert.ok(stream.destroyed);
  assert.equal(channel.remoteAddress, undefined);
  stream.receive(messageFrame(5));
  assert.equal(events.events.length, 3);
});

test('an aborted message is passed over', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  const aborted = messageFrame(1);
  aborted[aborted.length - 13] = 1;
  stream.receive(aborted, messageFrame(1));
  assert.equal(channel.counters().messagesReceived, 1);
});

test('every tag in every state: handed up, handled, or the end of that one connection', () => {
  const cells: string[] = [];
  for (let tag = 0; tag < 256; tag++) {
    for (const state of ['asked', 'not asked', 'session'] as const) {
      const fake = new FakeHost();
      const { channel, stream, events } = state === 'session' ? fake.session() : fake.open();
      if (state === 'asked') channel.expectFrame();
      stream.receive(tag === Tag.Message ? messageFrame(1) : u64Frame(tag, 0n));
      fake.turn();
      const kinds = events.events.map((event) => event.kind);
      let expected: string[] = ['frame'];
      if (state === 'not asked') expected = [];
      else if (state === 'session') {
        if (tag === Tag.Message) expected = ['message'];
        else if (tag === Tag.Ack || tag === Tag.Keepalive2) expected = [];
      }
      assert.deepEqual(kinds, expected, `tag ${tag}, ${state}`);
      assert.equal(stream.destroyed, false);
      cells.push(kinds.join());
    }
  }
  assert.equal(cells.length, 3 * 256);
});

test('ACK and KEEPALIVE2 of any other length than 8 bytes are bad frames', () => {
  for (const tag of [Tag.Ack, Tag.Keepalive2]) {
    for (const length of [0, 1, 7, 9, 4096]) {
      const fake = new FakeHost();
      const { stream, events } = fake.session();
      stream.receive(assembleControlFrame(tag, Buffer.alloc(length)));
      const [event] = events.events;
      assert.ok(event?.kind === 'closed' && event.error.code === ErrorCode.BadFrame);
    }
  }
});

test('a session cut off after every byte of a frame closes quietly', () => {
  const frame = messageFrame(1);
  for (let length = 0; length < frame.length; length++) {
    const fake = new FakeHost();
    const { channel, stream, events } = fake.session();
    stream.receive(frame.subarray(0, length));
    stream.close(closedByPeer);
    assert.deepEqual(
      events.events.map((event) => event.kind),
      ['closed'],
    );
    assert.equal(channel.inSeq, 0n);
    // The next stream begins with a reader of its own.
    channel.accept((handler) => Object.assign(stream, { handler }));
    channel.startSession({ lossless: true });
    stream.receive(frame);
    assert.equal(channel.inSeq, 1n);
  }
});

test('before the session a message may be no larger than a control frame', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.open();
  channel.expectFrame();
  stream.receive(messageFrame(1, {}, 'x'.repeat(controlPayloadBytesMax + 1)).subarray(0, 32));
  const [event] = events.events;
  assert.ok(event?.kind === 'closed' && event.error.code === ErrorCode.BadFrame);
});

test('in the handshake no more is read than what could be asked for', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.open();
  const frame = assembleControlFrame(Tag.Hello, Buffer.alloc(60_000));
  for (let frames = 0; frames < 3; frames++) stream.receive(frame);
  assert.ok(stream.paused);
  assert.equal(events.events.length, 0);
  channel.expectFrame();
  assert.equal(stream.paused, false);
  fake.turn();
  assert.equal(events.events.length, 1);
});

test('what a handler throws costs nothing that came with it', () => {
  const fake = new FakeHost();
  const { stream, events } = fake.session();
  let throws = true;
  events.react = () => {
    if (throws) throw new Error('thrown by a handler');
  };
  const keepaliveAck = u64Frame(Tag.Keepalive2Ack, 1n);
  assert.throws(() => stream.receive(messageFrame(1), keepaliveAck, messageFrame(2)), /thrown by a handler/);
  throws = false;
  fake.turn();
  const kinds = events.events.map((event) => event.kind);
  assert.deepEqual(kinds, ['message', 'frame', 'message']);
});

test('a stream that broke behind a message whose handler throws is closed all the same', () => {
  const fake = new FakeHost();
  const { stream, events } = fake.session();
  events.react = (event) => {
    if (event.kind === 'message') throw new Error('thrown by a handler');
  };
  const badAck = assembleControlFrame(Tag.Ack, Buffer.alloc(9));
  assert.throws(() => stream.receive(messageFrame(1), badAck, messageFrame(2)), /thrown by a handler/);
  fake.turn();
  const kinds = events.events.map((event) => event.kind);
  assert.deepEqual(kinds, ['message', 'closed']);
});

test('handlers that disconnect, destroy or replace the handler get nothing more', () => {
  for (const action of ['disconnect', 'destroy'] as const) {
    const fake = new FakeHost();
    const { channel, stream, events } = fake.session();
    events.react = () => channel[action]();
    stream.receive(u64Frame(Tag.Keepalive2Ack, 1n), u64Frame(Tag.Keepalive2Ack, 2n), messageFrame(1));
    stream.close(closedByPeer);
    fake.turn();
    assert.equal(events.events.length, 1);
    assert.ok(stream.destroyed);
  }
  const fake = new FakeHost();
  const { channel, stream, events } = fake.session();
  const other = fake.open().events;
  events.react = () => {
    channel.handler = other;
  };
  stream.receive(u64Frame(Tag.Keepalive2Ack, 1n), u64Frame(Tag.Keepalive2Ack, 2n));
  assert.equal(events.events.length, 1);
  assert.equal(other.events.length, 1);
});

test('adopt from inside the frame that decides it', () => {
  const fake = new FakeHost();
  const old = fake.session();
  old.channel.send(outgoing({ tidLow: 9 }));
  const { channel, stream, events } = fake.open();
  events.react = () => {
    old.channel.adopt(channel);
    old.channel.sendControl(Tag.SessionReconnectOk, Buffer.alloc(8));
    old.channel.startSession({ lossless: true });
  };
  channel.expectFrame();
  stream.receive(assembleControlFrame(Tag.SessionReconnect, Buffer.alloc(80)), messageFrame(1));
  fake.turn();
  assert.deepEqual(
    old.events.events.map((event) => event.kind),
    ['message'],
  );
  assert.ok(fake.streams[0]!.destroyed);
  const frames = stream.takeFrames();
  assert.deepEqual(
    frames.map((frame) => frame.tag),
    [Tag.SessionReconnectOk, Tag.Ack, Tag.Message],
  );
  assert.throws(() => channel.send(outgoing()), { code: ErrorCode.Closed });
});

test('misuse is a TypeError', () => {
  const fake = new FakeHost();
  const { channel } = fake.session();
  const idle = fake.host.createChannel(fake.open().events);
  assert.throws(() => channel.connect(address, {}), TypeError);
  assert.throws(() => channel.expectFrame(), TypeError);
  assert.throws(() => channel.startSession({ lossless: true }), TypeError);
  assert.throws(() => channel.adopt(channel), TypeError);
  assert.throws(() => channel.adopt(idle), TypeError);
  assert.throws(() => idle.adopt(channel), TypeError);
  assert.throws(() => idle.startSession({ lossless: true }), TypeError);
  assert.throws(() => fake.open().channel.expectBytes(0), TypeError);
  assert.throws(() => idle.adopt(new FakeHost().open().channel), TypeError);
});

test('too large is ERR_MSGR_MESSAGE_TOO_LARGE, before anything is taken', () => {
  const fake = new FakeHost(1000);
  const { channel } = fake.session();
  const send = (front: number, data: number) =>
    channel.send(outgoing({ front: new Uint8Array(front), data: new Uint8Array(data) }));
  assert.throws(() => send(500, 501), { code: ErrorCode.MessageTooLarge });
  assert.equal(channel.outboxCount, 0);
  send(500, 500);
  assert.equal(channel.outboxCount, 1);
  assert.throws(() => channel.sendControl(Tag.Hello, new Uint8Array(controlPayloadBytesMax + 1)), {
    code: ErrorCode.MessageTooLarge,
  });
});

test('resetSession while the stream holds frames leaves their bytes alone', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.full = true;
  let held: readonly Uint8Array[] = [];
  const write = stream.write.bind(stream);
  stream.write = (pieces) => {
    held = pieces;
    return write(pieces);
  };
  channel.send(outgoing({ front: patternBytes(1000, 1) }));
  fake.turn();
  const before = Buffer.concat(held);
  channel.resetSession();
  const others = fake.session();
  others.channel.send(outgoing({ front: patternBytes(1000, 2) }));
  channel.send(outgoing({ front: patternBytes(1000, 3) }));
  assert.equal(Buffer.concat(held).compare(before), 0);
  stream.drain();
  fake.turn();
  assert.equal(channel.outboxCount, 1);
});

test('resetInSeq takes old acknowledgements out of frames that wait', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  stream.receive(messageFrame(7));
  channel.send(outgoing({ front: patternBytes(20) }));
  stream.close(closedByPeer);
  channel.resetInSeq();
  channel.accept((handler) => Object.assign(stream, { handler }));
  channel.startSession({ lossless: true });
  fake.turn();
  const [frame] = stream.takeFrames();
  assert.equal(frame!.head.readBigUInt64LE(0), 1n);
  assert.equal(frame!.head.readBigUInt64LE(28), 0n);
});

test('a replay sends the same bytes again', () => {
  const fake = new FakeHost();
  const { channel, stream } = fake.session();
  for (let message = 0; message < 20; message++) {
    channel.send(outgoing({ tidLow: message, front: patternBytes(message * 10, message) }));
  }
  channel.send(outgoing({ front: patternBytes(70_000), data: patternBytes(65_536, 3) }));
  fake.turn();
  const first = Buffer.concat(stream.writes);
  stream.writes.length = 0;
  stream.close(closedByPeer);
  channel.accept((handler) => Object.assign(stream, { handler }));
  channel.acknowledge(5n);
  channel.startSession({ lossless: true });
  fake.turn();
  const second = Buffer.concat(stream.writes);
  assert.ok(second.length < first.length);
  assert.equal(second.compare(first.subarray(first.length - second.length)), 0);
  assert.equal(channel.counters().messagesReplayed, 16);
});

test('drain follows once when the queue has been full', () => {
  const fake = new FakeHost();
  const { channel, stream, events } = fake.session();
  const front = new Uint8Array(60_000);
  stream.full = true;
  for (let message = 0; message < 30; message++) channel.send(outgoing({ front }));
  fake.turn();
  assert.ok(channel.queuedBytes >= channelQueueBytesMax);
  assert.equal(events.events.length, 0);
  stream.drain();
  fake.turn();
  assert.deepEqual(
    events.events.map((event) => event.kind),
    ['drain'],
  );
  channel.send(outgoing());
  fake.turn();
  assert.equal(events.events.length, 1);
});

test.run();
