/** Fault injection itself: what it does to a stream, to a handshake's steps and to received messages. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MsgrError } from '../../src/errors.ts';
import { DelayedDelivery, internalDelays } from '../../src/messenger/fault-injection.ts';
import { InterceptStep, type InterceptSubject } from '../../src/messenger/interceptor.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { systemRandom } from '../../src/messenger/random.ts';
import { resolveOptions } from '../../src/options.ts';
import type { Clock } from '../../src/transport/clock.ts';
import type { ByteStream, ByteStreamHandler } from '../../src/transport/stream/byte-stream.ts';
import { FaultyStream } from '../../src/transport/stream/faulty-stream.ts';
import { EntityType } from '../../src/wire/entity-name.ts';

/** A clock whose time passes when it is told to. */
class ManualClock implements Clock {
  #now = 0;
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { dueMs: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  }

  setImmediate(callback: () => void): void {
    this.setTimeout(callback, 0);
  }

  get pending(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > end) break;
      this.#now = Math.max(this.#now, next.dueMs);
      this.clearTimeout(next);
      next.callback();
    }
    this.#now = end;
  }
}

const message = (index: number): ReceivedMessage => ({ index }) as unknown as ReceivedMessage;
const delays = resolveOptions({
  ms_inject_delay_type: 'client osd',
  ms_inject_delay_probability: 0.5,
  ms_inject_delay_max: 2,
});

test('late messages keep their order, and all are there after the longest delay', () => {
  const clock = new ManualClock();
  const delivered: unknown[] = [];
  const delivery = DelayedDelivery.forPeer(
    EntityType.Osd,
    { clock, random: systemRandom, options: delays },
    (one) => delivered.push(one),
  )!;
  const messages = Array.from({ length: 200 }, (_, index) => message(index));
  for (const one of messages) delivery.add(one);
  assert.is(delivered.length, 0, 'none is delivered from inside the call');
  clock.advance(100);
  assert.ok(delivered.length < messages.length, 'half of 200 are late by up to 2 s');
  clock.advance(2000);
  assert.equal(delivered, messages);
  assert.is(clock.pending, 0);
});

test('what is discarded is not delivered, and what comes afterwards is', () => {
  const clock = new ManualClock();
  const delivered: unknown[] = [];
  const delivery = DelayedDelivery.forPeer(
    EntityType.Client,
    { clock, random: systemRandom, options: delays },
    (one) => delivered.push(one),
  )!;
  for (let index = 0; index < 10; index++) delivery.add(message(index));
  delivery.discard();
  assert.is(clock.pending, 0);
  const last = message(10);
  delivery.add(last);
  clock.advance(5000);
  assert.equal(delivered, [last]);
});

test('a handler that discards from inside its delivery hears nothing more', () => {
  const clock = new ManualClock();
  let count = 0;
  const delivery = DelayedDelivery.forPeer(
    EntityType.Osd,
    { clock, random: systemRandom, options: delays },
    () => {
      count++;
      delivery.discard();
    },
  )!;
  for (let index = 0; index < 10; index++) delivery.add(message(index));
  clock.advance(5000);
  assert.is(count, 1);
});

test('messages of other peers, and of all peers without a probability, are not delayed', () => {
  const clock = new ManualClock();
  const never = (): void => assert.unreachable();
  assert.is(
    DelayedDelivery.forPeer(EntityType.Mon, { clock, random: systemRandom, options: delays }, never),
    undefined,
  );
  const none = resolveOptions({ ms_inject_delay_type: 'osd' });
  assert.is(
    DelayedDelivery.forPeer(EntityType.Osd, { clock, random: systemRandom, options: none }, never),
    undefined,
  );
});

test('internal delays hold every step but that of a message, and are absent without the option', async () => {
  const clock = new ManualClock();
  assert.is(internalDelays({ clock, random: systemRandom, options: resolveOptions() }), undefined);
  const interceptor = internalDelays({
    clock,
    random: systemRandom,
    options: resolveOptions({ ms_inject_internal_delays: 0.1 }),
  })!;
  const subject = {} as InterceptSubject;
  assert.is(interceptor(subject, InterceptStep.HandleMessage), 'continue');
  const held = interceptor(subject, InterceptStep.SendServerIdentity);
  assert.ok(held instanceof Promise);
  assert.is(clock.pending, 1);
  clock.advance(100);
  assert.is(await held, 'continue');
});

/** A stream that does as it is told, in a decorator that always fails or never does. */
function faulty(failureOneIn: number): {
  stream: FaultyStream;
  inner: ByteStreamHandler;
  events: string[];
  calls: string[];
} {
  const calls: string[] = [];
  const events: string[] = [];
  let inner: ByteStreamHandler | undefined;
  const open = (handler: ByteStreamHandler): ByteStream => {
    inner = handler;
    return {
      handler,
      remoteAddress: undefined,
      localAddress: undefined,
      write: () => {
        calls.push('write');
        return true;
      },
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
      destroy: () => calls.push('destroy'),
    };
  };
  const handler: ByteStreamHandler = {
    onOpen: () => events.push('open'),
    onData: () => events.push('data'),
    onDrain: () => events.push('drain'),
    onClose: (error: MsgrError) => events.push(error.code),
  };
  return { stream: new FaultyStream(open, handler, failureOneIn), inner: inner!, events, calls };
}

test('a read that fails ends the stream in place of its data', () => {
  const { inner, events, calls } = faulty(1);
  inner.onData(Buffer.of(1));
  inner.onData(Buffer.of(2));
  assert.equal(events, ['ERR_MSGR_SOCKET']);
  assert.equal(calls, ['destroy']);
});

test('a write that fails tells so afterwards, never from inside the call, and not after destroy', async () => {
  const told = faulty(1);
  told.stream.write([Buffer.of(1)]);
  assert.equal(told.events, []);
  assert.is(told.calls.at(-1), 'destroy');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told.events, ['ERR_MSGR_SOCKET']);
  const destroyed = faulty(1);
  destroyed.stream.write([Buffer.of(1)]);
  destroyed.stream.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(destroyed.events, []);
});

test('what does not fail passes through', () => {
  const { stream, inner, events, calls } = faulty(1e300);
  assert.is(stream.write([Buffer.of(1)]), true);
  inner.onOpen();
  inner.onData(Buffer.of(1));
  inner.onDrain();
  stream.pause();
  stream.resume();
  stream.destroy();
  assert.equal(events, ['open', 'data', 'drain']);
  assert.equal(calls, ['write', 'pause', 'resume', 'destroy']);
});

test.run();
