/** Where challenges, nonces and secrets come from. Another source is for tests that repeat a recording. */
import { randomBytes } from 'node:crypto';

/** As many bytes as asked for, that nobody can guess. */
export type RandomBytes = (count: number) => Buffer;

export const systemRandomBytes: RandomBytes = randomBytes;

export function randomU64(random: RandomBytes): bigint {
  return random(8).readBigUInt64LE();
}
