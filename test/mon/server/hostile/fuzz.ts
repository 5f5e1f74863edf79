/**
 * Mutated messages to a running monitor: each must end its sender's session or be taken, as decoding it says,
 * and the monitor must go on, its memory bounded.
 */

import type { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MessagePayload } from '../../../../src/wire/messages/registry.ts';
import { HostileClient } from './hostile-clients.ts';
import { type Sample, samplesFor } from './samples.ts';
import { SeededRandom } from './seeded-random.ts';

export interface FuzzResult {
  executions: number;
  accepted: number;
  refused: number;
}

const interesting = [0, 1, 2, 7, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Changes bytes, writes a number that lies in wait, cuts, doubles, or joins two messages. */
export function mutate(random: SeededRandom, front: Uint8Array, other: Uint8Array): Buffer {
  let bytes = Buffer.from(front);
  for (let changes = random.below(4) + 1; changes > 0; changes--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 1:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(interesting[random.below(interesting.length)]!, at);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(at + 1))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
        break;
      default:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
    }
  }
  return bytes;
}

function decodes(sample: Sample, payload: MessagePayload): boolean {
  try {
    sample.decode(payload);
    return true;
  } catch {
    return false;
  }
}

/** Until `isOver` says so. @throws Error that names seed and execution when the monitor did otherwise. */
export async function fuzzMonitor(
  monitor: Monitor,
  seed: number,
  isOver: (executions: number) => boolean,
): Promise<FuzzResult> {
  const samples = samplesFor(monitor);
  const result: FuzzResult = { executions: 0, accepted: 0, refused: 0 };
  const random = new SeededRandom(seed);
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      await using client = new HostileClient(monitor);
      while (!isOver(result.executions)) {
        const execution = result.executions++;
        const sample = samples[random.below(samples.length)]!;
        const other = samples[random.below(samples.length)]!;
        const front = mutate(random, sample.payload.front, other.payload.front);
        const payload = { ...sample.payload, front };
        const outcome = await client.send(sample.type, payload);
        const expected = decodes(sample, payload) ? 'map' : 'reset';
        if (outcome === 'reset') result.refused++;
        else result.accepted++;
        if (outcome !== expected) {
          const what = `${sample.name} ${front.toString('hex')}`;
          throw new Error(`seed ${seed}, execution ${execution}: ${outcome}, not ${expected}: ${what}`);
        }
      }
    }),
  );
  return result;
}
