/** Messages, sequence numbers, acknowledgements, replay and backpressure. */
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { channelQueueBytesMax, lendBytesMin, slabBytes } from '../../src/limits.ts';
import type { Channel, OutgoingMessage } from '../../src/transport/channel.ts';
import type { ConformanceSuite } from './conformance-pair.ts';
import { frontView, outgoing, patternBytes, type ReceivedMessage, type RecordedChannel } from './recorder.ts';

const zeros = Buffer.alloc(2 * channelQueueBytesMax);
const keepalive2Tag = 18;
const keepalive2AckTag = 19;

function sendNumbered(channel: Channel, first: number, end: number, size = 32): void {
  for (let index = first; index < end; index++) {
    channel.send(outgoing({ type: 42, tidLow: index, front: patternBytes(size, index) }));
  }
}

function assertNumbered(messages: readonly ReceivedMessage[], first: number, size = 32): void {
  messages.forEach((message, index) => {
    assert.is(message.tidLow, first + index);
    assert.equal(message.front, patternBytes(size, first + index));
  });
}

const acknowledged = ({ channel, events }: RecordedChannel) =>
  events.settled(() => channel.unackedBytes === 0 && channel.outboxCount === 0, 'every message acknowledged');

export function sessionConformance({ test, mode }: ConformanceSuite): void {
  test('every field and every shape of segments arrives as it was sent', async (scene) => {
    const { near, far } = await scene.session();
    const sizes = [0, 1, 3, 64, 4095, 4096];
    const sent: OutgoingMessage[] = [];
    let tid = 0;
    for (const front of sizes) {
      for (const middle of [0, 1, 100]) {
        for (const data of sizes) {
          sent.push(
            outgoing({
              type: 1 + (tid % 0xffff),
              priority: 255 - (tid % 200),
              version: tid & 0xffff,
              compatVersion: 0xffff - tid,
              tidLow: 0xffffffff - tid,
              tidHigh: 0x80000000 + tid,
              front: patternBytes(front, tid),
              middle: patternBytes(middle, tid + 1),
              data: patternBytes(data, tid + 2),
            }),
          );
          tid++;
        }
      }
    }
    for (const message of sent) near.events.call(() => near.channel.send(message));
    const received = await far.events.nextMessages(sent.length);
    received.forEach((message, index) => {
      const { seq, ...fields } = message;
      assert.is(seq, BigInt(index + 1));
      assert.equal(fields, sent[index]);
    });
    assert.is(far.channel.inSeq, BigInt(sent.length));
  });

  test('large payloads, lent ones included, arrive whole and in order', async (scene) => {
    const { near, far } = await scene.session();
    const sizes = [
      lendBytesMin - 1,
      lendBytesMin,
      lendBytesMin + 1,
      slabBytes - 90,
      slabBytes,
      5 * slabBytes + 3,
    ];
    const sent = sizes.flatMap((size, index) => [
      outgoing({ tidLow: index, data: patternBytes(size, index), front: patternBytes(17, index) }),
      outgoing({ tidLow: index, front: patternBytes(size, index) }),
      outgoing({
        tidLow: index,
        front: patternBytes(size, index),
        middle: patternBytes(9),
        data: patternBytes(size, 3),
      }),
      outgoing({ tidLow: index, middle: patternBytes(size, index) }),
    ]);
    for (const message of sent) near.channel.send(message);
    const received = await far.events.nextMessages(sent.length);
    received.forEach((message, index) => {
      for (const segment of ['front', 'middle', 'data'] as const) {
        const same = Buffer.compare(message[segment], sent[index]![segment]) === 0;
        assert.ok(same, `${segment} of message ${index} (${sent[index]![segment].length} bytes)`);
      }
    });
    await acknowledged(near);
  });

  test('small payloads may be changed as soon as send returns', async (scene) => {
    const { near, far } = await scene.session();
    const front = new Uint8Array(200);
    for (let index = 0; index < 100; index++) {
      front.fill(index);
      near.channel.send(outgoing({ front }));
    }
    const received = await far.events.nextMessages(100);
    received.forEach((message, index) => {
      assert.equal(message.front, new Uint8Array(200).fill(index));
    });
  });

  test('both directions at once, many turns, in order', async (scene) => {
    const { near, far } = await scene.session();
    const count = 20_000;
    for (let first = 0; first < count; first += 500) {
      sendNumbered(near.channel, first, first + 500, 20);
      sendNumbered(far.channel, first, first + 500, 30);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assertNumbered(await far.events.nextMessages(count), 0, 20);
    assertNumbered(await near.events.nextMessages(count), 0, 30);
    await Promise.all([acknowledged(near), acknowledged(far)]);
    assert.is(near.channel.counters().messagesReceived, count);
    assert.is(far.channel.counters().messagesSent, count);
  });

  test('views stay valid when the handler answers that it keeps them', async (scene) => {
    const { near, far } = await scene.session();
    const kept: Uint8Array[] = [];
    far.channel.handler = {
      onOpen() {},
      onBytes() {},
      onFrame() {},
      onDrain() {},
      onClosed() {},
      onMessages(batch, first, end) {
        for (let index = first; index < end; index++) kept.push(frontView(batch, index));
        return true;
      },
    };
    const count = 6000;
    for (let first = 0; first < count; first += 200) {
      sendNumbered(near.channel, first, first + 200, 1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await far.events.settled(() => kept.length === count, 'all messages');
    kept.forEach((front, index) => {
      assert.ok(
        Buffer.compare(front, patternBytes(1000, index)) === 0,
        `message ${index} still holds its bytes`,
      );
    });
  });

  test('lossless: acknowledged up to the last, without a message in the other direction', async (scene) => {
    const { near, far } = await scene.session();
    sendNumbered(near.channel, 0, 10);
    assert.is(near.channel.outboxCount, 10);
    assert.ok(near.channel.unackedBytes >= 320);
    await far.events.nextMessages(10);
    await acknowledged(near);
    const seqs = () => near.events.events.filter((event) => event.kind === 'acknowledged').map((e) => e.seq);
    await near.events.settled(() => seqs().at(-1) === 10, 'the acknowledgement of the last message');
    assert.is(near.channel.queuedBytes, 0);
  });

  test('lossy: nothing is kept once it is written, and nothing is acknowledged', async (scene) => {
    const { near, far } = await scene.session(false);
    sendNumbered(near.channel, 0, 10);
    await far.events.nextMessages(10);
    await near.events.settled(
      () => near.channel.outboxCount === 0 && near.channel.queuedBytes === 0,
      'an empty outbox',
    );
    assert.not(near.events.events.some((event) => event.kind === 'acknowledged'));
    assert.is(far.channel.counters().framesSent, 0);
  });

  test('messages sent before the session starts leave when it does', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    sendNumbered(near.channel, 0, 5);
    assert.is(near.channel.outboxCount, 5);
    const far = await scene.connect(near, listener);
    sendNumbered(near.channel, 5, 8);
    near.channel.sendControl(8, patternBytes(12));
    far.channel.expectFrame();
    assert.is((await far.events.next('frame')).tag, 8, 'control frames go before messages that wait');
    sendNumbered(near.channel, 8, 10);
    near.channel.startSession({ lossless: true });
    sendNumbered(near.channel, 10, 12);
    far.channel.startSession({ lossless: true });
    const messages = await far.events.nextMessages(12);
    assertNumbered(messages, 0);
    assert.is(messages[11]!.seq, 12n);
  });

  test('messages that come in one piece with the last handshake frame are not lost', async (scene) => {
    const { near, far } = await scene.pair();
    near.channel.sendControl(9, patternBytes(20));
    near.channel.startSession({ lossless: true });
    sendNumbered(near.channel, 0, 50);
    far.events.react = (event) => {
      if (event.kind === 'frame') far.events.call(() => far.channel.startSession({ lossless: true }));
    };
    far.channel.expectFrame();
    await far.events.next('frame');
    assertNumbered(await far.events.nextMessages(50), 0);
    await acknowledged(near);
  });

  test('after a reconnect what the peer has is dropped and the rest is replayed', async (scene) => {
    const { near, far, listener } = await scene.session();
    sendNumbered(near.channel, 0, 100);
    await far.events.nextMessages(100);
    far.events.call(() => far.channel.disconnect());
    await near.events.next('closed');
    sendNumbered(near.channel, 100, 130);
    const second = await scene.connect(near, listener);
    far.channel.adopt(second.channel);
    assert.is(far.channel.inSeq, 100n);
    near.channel.acknowledge(far.channel.inSeq);
    assert.is(near.channel.outboxCount, 30);
    near.channel.startSession({ lossless: true });
    far.channel.startSession({ lossless: true });
    assertNumbered(await far.events.nextMessages(30), 100);
    await acknowledged(near);
    assert.is(far.channel.counters().duplicatesDropped, 0);
    assert.is(far.channel.inSeq, 130n);
  });

  test('what is replayed although the peer has it is dropped there, and counted', async (scene) => {
    const { near, far, listener } = await scene.session();
    // Paused, so that no acknowledgement of what follows is read.
    near.channel.pauseReading();
    await new Promise((resolve) => setTimeout(resolve, 20));
    sendNumbered(near.channel, 0, 40);
    await far.events.nextMessages(40);
    near.channel.disconnect();
    await far.events.next('closed');
    near.channel.resumeReading();
    const replayed = near.channel.outboxCount;
    const second = await scene.connect(near, listener);
    far.channel.adopt(second.channel);
    near.channel.startSession({ lossless: true });
    far.channel.startSession({ lossless: true });
    sendNumbered(near.channel, 40, 50);
    assertNumbered(await far.events.nextMessages(10), 40);
    await acknowledged(near);
    assert.is(far.channel.counters().duplicatesDropped, replayed);
    assert.is(near.channel.counters().messagesReplayed, replayed);
    assert.ok(replayed > 0, 'the pause kept acknowledgements from being read');
  });

  test('many cuts in the middle of the stream lose nothing, double nothing, and keep the order', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    let far = scene.idle(scene.server);
    const kept = far;
    let sent = 0;
    for (let round = 0; round < 30; round++) {
      const socket = await scene.connect(near, listener);
      kept.channel.adopt(socket.channel);
      far = kept;
      near.channel.acknowledge(far.channel.inSeq);
      near.channel.startSession({ lossless: true });
      far.channel.startSession({ lossless: true });
      sendNumbered(near.channel, sent, sent + 200, 500);
      sent += 200;
      scene.client.flush();
      // A different number of loop turns each time: the cut falls elsewhere in the stream.
      for (let turn = 0; turn < round % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
      const [closer, other] = round % 2 === 0 ? [near, far] : [far, near];
      closer.channel.disconnect();
      await other.events.settled(
        () => other.channel.remoteAddress === undefined,
        'the other end to see the cut',
      );
      near.events.takeAll();
    }
    const last = await scene.connect(near, listener);
    far.channel.adopt(last.channel);
    near.channel.acknowledge(far.channel.inSeq);
    near.channel.startSession({ lossless: true });
    far.channel.startSession({ lossless: true });
    await acknowledged(near);
    await far.events.settled(() => far.events.messageCount >= sent, 'the messages that are acknowledged');
    const messages = far.events.events
      .filter((event) => event.kind === 'message')
      .map((event) => event.message);
    assert.is(messages.length, sent);
    assertNumbered(messages, 0, 500);
  });

  test('lent payloads are replayed too', async (scene) => {
    const { near, far, listener } = await scene.session();
    far.channel.pauseReading();
    const big = patternBytes(3 * slabBytes + 11, 5);
    near.channel.send(outgoing({ tidLow: 1, data: big }));
    near.channel.send(outgoing({ tidLow: 2, front: big }));
    scene.client.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    near.channel.disconnect();
    far.channel.resumeReading();
    await far.events.settled(() => far.channel.remoteAddress === undefined, 'the far end to see the cut');
    const second = await scene.connect(near, listener);
    far.channel.adopt(second.channel);
    near.channel.startSession({ lossless: true });
    far.channel.startSession({ lossless: true });
    await acknowledged(near);
    await far.events.settled(() => far.events.messageCount >= 2, 'the messages that are acknowledged');
    // How much of it the system had room for before the cut differs; each message arrives once all the same.
    const messages = far.events.events
      .filter((event) => event.kind === 'message')
      .map((event) => event.message);
    assert.is(messages.length, 2);
    assert.ok(Buffer.compare(messages[0]!.data, big) === 0);
    assert.ok(Buffer.compare(messages[1]!.front, big) === 0);
  });

  test('adopt takes what was read but not handed out, and destroys the other', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    const far = await scene.connect(near, listener);
    near.channel.sendControl(8, patternBytes(10));
    near.channel.sendControl(9, patternBytes(11));
    scene.client.flush();
    const session = scene.idle(scene.server);
    far.channel.expectFrame();
    await far.events.next('frame');
    far.channel.sendControl(10, patternBytes(6));
    session.events.call(() => session.channel.adopt(far.channel));
    assert.equal(session.channel.localAddress, listener.address);
    session.channel.expectFrame();
    assert.is((await session.events.next('frame')).tag, 9);
    near.channel.expectFrame();
    assert.equal(new Uint8Array((await near.events.next('frame')).payload), patternBytes(6));
    far.channel.destroy();
    near.channel.disconnect();
    assert.is((await session.events.next('closed')).error.code, ErrorCode.PeerClosed);
    assert.is(far.events.untaken.length, 0);
  });

  test('adopt closes the socket the channel had', async (scene) => {
    const { near, far, listener } = await scene.session();
    const newcomer = scene.idle();
    const second = await scene.connect(newcomer, listener);
    far.events.call(() => far.channel.adopt(second.channel));
    assert.is((await near.events.next('closed')).error.code, ErrorCode.PeerClosed);
    newcomer.channel.sendControl(8, patternBytes(3));
    far.channel.expectFrame();
    await far.events.next('frame');
    assert.is(far.events.untaken.length, 0);
  });

  test('resetSession empties the outbox and counts from 1 again; resetInSeq forgets what came', async (scene) => {
    const { near, far, listener } = await scene.session();
    sendNumbered(near.channel, 0, 3);
    await far.events.nextMessages(3);
    near.channel.disconnect();
    await far.events.next('closed');
    sendNumbered(near.channel, 3, 9);
    near.events.call(() => near.channel.resetSession());
    assert.is(near.channel.outboxCount, 0);
    assert.is(near.channel.unackedBytes, 0);
    assert.is(near.channel.queuedBytes, 0);
    far.events.call(() => far.channel.resetInSeq());
    assert.is(far.channel.inSeq, 0n);
    const second = await scene.connect(near, listener);
    far.channel.adopt(second.channel);
    near.channel.startSession({ lossless: true });
    far.channel.startSession({ lossless: true });
    sendNumbered(near.channel, 9, 12);
    const messages = await far.events.nextMessages(3);
    assertNumbered(messages, 9);
    assert.is(messages[0]!.seq, 1n);
  });

  test('control frames in session come up without raw bytes; KEEPALIVE2 is answered below', async (scene) => {
    const { near, far } = await scene.session();
    const stamp = patternBytes(8, 77);
    near.channel.sendControl(keepalive2Tag, stamp);
    const answer = await near.events.next('frame');
    assert.is(answer.tag, keepalive2AckTag);
    assert.equal(new Uint8Array(answer.payload), stamp);
    assert.is(answer.raw.length, 0);
    assert.is(far.events.untaken.length, 0);
    near.channel.sendControl(12, Uint8Array.of(1));
    const frame = await far.events.next('frame');
    assert.is(frame.tag, 12);
    assert.is(frame.raw.length, 0);
  });

  test('backpressure: queued bytes grow while the peer does not read, then drain', async (scene) => {
    const { near, far } = await scene.session();
    far.events.copyMessages = false;
    far.channel.pauseReading();
    let sent = 0;
    // Bounded: socket buffers on both sides hold some MiB at most.
    for (let round = 0; round < 2000 && near.channel.queuedBytes < 2 * channelQueueBytesMax; round++) {
      sendNumbered(near.channel, sent, sent + 4, 32 * 1024);
      sent += 4;
      scene.client.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(near.channel.queuedBytes >= channelQueueBytesMax, 'the queue filled');
    assert.is(far.events.messageCount, 0, 'a paused channel delivers nothing');
    far.events.call(() => far.channel.resumeReading());
    await near.events.next('drain', 20_000);
    // It was below half when it was told; sealing more for the next write adds its tags and padding since.
    assert.ok(near.channel.queuedBytes < (channelQueueBytesMax / 2) * 1.05);
    await far.events.settled(() => far.events.messageCount === sent, 'every message', 20_000);
    await acknowledged(near);
  });

  // A full queue that was only ever seen full from here: what waits may be gone before anybody else looks.
  for (const lossless of [true, false]) {
    const kind = lossless ? 'lossless' : 'lossy';
    test(`backpressure: whoever saw the queue full is told each time that it drained, ${kind}`, async (scene) => {
      const { near, far } = await scene.session(lossless);
      far.events.copyMessages = false;
      let sent = 0;
      for (const size of [64, 4096, 100_000, 2 * channelQueueBytesMax]) {
        for (let round = 0; round < 6; round++) {
          // Bounded: a loop on a thread of its own may take what it is given as fast as it comes.
          const end = sent + 50_000;
          while (sent < end && near.channel.queuedBytes < channelQueueBytesMax) {
            near.channel.send(outgoing({ tidLow: sent++, data: zeros.subarray(0, size) }));
          }
          if (sent < end) await near.events.next('drain', 20_000);
        }
      }
      await far.events.settled(() => far.events.messageCount === sent, 'every message', 20_000);
      if (lossless) await acknowledged(near);
    });
  }

  test('a peer that vanishes in the middle of a large frame closes the channel', async (scene) => {
    const { near, far } = await scene.session();
    far.channel.pauseReading();
    near.channel.send(outgoing({ data: patternBytes(64 * slabBytes) }));
    scene.client.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    near.channel.destroy();
    far.channel.resumeReading();
    assert.ok((await far.events.next('closed')).error.code.startsWith('ERR_MSGR_'));
    assert.is(far.channel.inSeq, 0n);
  });

  test('counters add up', async (scene) => {
    const { near, far } = await scene.session();
    sendNumbered(near.channel, 0, 7, 100);
    await far.events.nextMessages(7);
    await acknowledged(near);
    await far.events.settled(
      () => near.channel.counters().bytesReceived === far.channel.counters().bytesSent,
      'as many bytes received as sent',
    );
    const sender = near.channel.counters();
    const receiver = far.channel.counters();
    assert.is(sender.messagesSent, 7);
    assert.is(receiver.messagesReceived, 7);
    const frameBytes = mode === 'crc' ? 32 + 41 + 4 + 100 + 13 : 96 + 112 + 16 + 16;
    assert.is(sender.bytesSent, 7 * frameBytes);
    assert.is(receiver.bytesReceived, sender.bytesSent);
    assert.is(sender.framesReceived, receiver.framesSent);
    assert.is(receiver.framesReceived, 7);
  });
}
