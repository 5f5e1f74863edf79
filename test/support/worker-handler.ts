/**
 * The handler of the tests of worker dispatchers. A message's middle says what to do, its data goes back:
 *
 *      echo            data, with the sender in the front
 *      spin <us>       uses the processor for that long, then as echo
 *      sleep <ms>      waits for a timer, then as echo
 *      meet            returns when a handler in another worker is in `meet` too
 *      gate            returns when the test opens the gate
 *      silent, and the ways to fail: throw odd-throw odd-reply text-reply exit uncaught oom hang
 *
 * The reply's version is 1 + the number of the worker, its middle (u32) counts the calls in all workers.
 */
import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  WorkerContext,
  WorkerMessage,
  WorkerReply,
} from '../../src/messenger/workers/worker-message.ts';

/** i32 indices into `handlerData`, an Int32Array on shared memory. */
export const Shared = { met: 0, gate: 1, calls: 2, gateReached: 3 } as const;

export const replyType = 0x2001;

/** So long a test may need on a loaded machine; it fails when it is over, it does not hang. */
const waitMsMax = 60_000;

function spin(microseconds: number): void {
  const end = performance.now() + microseconds / 1000;
  while (performance.now() < end);
}

function eatMemory(): never {
  const kept: string[][] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => `${kept.length} ${index}`));
}

export async function handle(
  message: WorkerMessage,
  context: WorkerContext,
): Promise<WorkerReply | undefined> {
  const shared = context.data as Int32Array<SharedArrayBuffer>;
  const call = Buffer.alloc(4);
  call.writeUInt32LE(Atomics.add(shared, Shared.calls, 1));
  const [command, argument] = message.middle.toString().split(' ');
  switch (command) {
    case 'spin':
      spin(Number(argument));
      break;
    case 'sleep':
      await sleep(Number(argument));
      break;
    case 'meet': {
      const before = Atomics.add(shared, Shared.met, 1);
      Atomics.notify(shared, Shared.met);
      if (before % 2 === 0 && Atomics.wait(shared, Shared.met, before + 1, waitMsMax) === 'timed-out') {
        throw new Error('nobody came');
      }
      break;
    }
    case 'gate':
      Atomics.add(shared, Shared.gateReached, 1);
      if (Atomics.wait(shared, Shared.gate, 0, waitMsMax) === 'timed-out') throw new Error('never opened');
      break;
    case 'silent':
      return undefined;
    case 'throw':
      throw Object.assign(new RangeError('as told'), { code: 'E_TOLD' });
    case 'odd-throw':
      throw { toString: () => 'not an error', uncloneable: () => {} };
    case 'odd-reply':
      return { type: 70_000 };
    case 'text-reply':
      return { type: replyType, data: 'text' as unknown as Uint8Array };
    case 'exit':
      process.exit(3);
      break;
    case 'uncaught':
      setTimeout(() => {
        throw new Error('from a timer');
      }, 0);
      await sleep(waitMsMax);
      break;
    case 'oom':
      eatMemory();
      break;
    case 'hang':
      for (;;) spin(1_000_000);
  }
  return {
    type: replyType,
    version: 1 + context.worker,
    front: Buffer.from(message.peer),
    middle: call,
    data: message.data,
  };
}
