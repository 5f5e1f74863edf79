/** The table of requests by itself: who ends a wait, and what is left of it then. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { Message, type ReceivedMessage } from '../../src/messenger/message.ts';
import type { RandomSource } from '../../src/messenger/random.ts';
import { RequestTable } from '../../src/messenger/requests.ts';
import { VirtualClock } from '../../src/transport/memory/virtual-clock.ts';

const random: RandomSource = { u32: () => 7, u64: () => 7n };

function tableOf(send: (request: Message) => void = () => {}) {
  const clock = new VirtualClock();
  const sent: Message[] = [];
  const table = new RequestTable({ clock, random }, (request) => {
    send(request);
    sent.push(request);
  });
  return { clock, sent, table };
}

/** As it comes back; only its transaction id matters. */
function replyTo({ tidLow, tidHigh }: Message): ReceivedMessage {
  return { tidLow, tidHigh } as ReceivedMessage;
}

const request = () => new Message({ type: 0x8001 });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: MsgrError) => error.code,
  );

test('replies find their requests, in whatever order they come, and each once', async () => {
  const { sent, table } = tableOf();
  const waits = [request(), request()].map((message) => table.start(message, {}));
  const [first, second] = sent.map(replyTo);
  assert.is(table.settle(second!), true);
  assert.is(table.settle(second!), false);
  assert.is(table.settle({ tidLow: first!.tidLow, tidHigh: first!.tidHigh + 1 } as ReceivedMessage), false);
  assert.is(table.settle(first!), true);
  assert.equal(await Promise.all(waits), [first, second]);
  assert.is(table.size, 0);
});

test('what ends a wait takes its timer and its listener along', async () => {
  const { clock, sent, table } = tableOf();
  const controller = new AbortController();
  const options = { signal: controller.signal, timeoutMs: 1000 };
  const replied = table.start(request(), options);
  table.settle(replyTo(sent[0]!));
  await replied;
  assert.is(clock.pendingCount, 0);

  const late = codeOf(table.start(request(), options));
  clock.step();
  assert.is(await late, ErrorCode.Timeout);

  const aborted = codeOf(table.start(request(), options));
  controller.abort(new Error('enough'));
  assert.is(await aborted, ErrorCode.Aborted);
  assert.is(await codeOf(table.start(request(), options)), ErrorCode.Aborted);
  assert.is(sent.length, 3, 'nothing is sent for a signal that has been given');

  const closed = codeOf(table.start(request(), { timeoutMs: 1000 }));
  table.rejectAll(new MsgrError(ErrorCode.Closed, 'the connection has ended'));
  assert.is(await closed, ErrorCode.Closed);
  assert.equal([table.size, clock.pendingCount], [0, 0]);
});

test('what cannot be sent waits for nothing', async () => {
  const tooLarge = new MsgrError(ErrorCode.MessageTooLarge, 'too large');
  const { clock, table } = tableOf(() => {
    throw tooLarge;
  });
  assert.is(await codeOf(table.start(request(), { timeoutMs: 1000 })), ErrorCode.MessageTooLarge);
  assert.equal([table.size, clock.pendingCount], [0, 0]);
});

test.run();
