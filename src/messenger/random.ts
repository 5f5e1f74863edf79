/**
 * Where a messenger's random numbers come from: nonces, cookies, transaction ids, injected delays. The real
 * source is the host's; the simulation puts a seeded one in its place, so that a run can be repeated.
 */
import { randomBytes } from 'node:crypto';

export interface RandomSource {
  /** Any u32. */
  u32(): number;
  /** Any u64. */
  u64(): bigint;
}

/** Unpredictable, as cookies must be to whoever does not see the wire. */
export const systemRandom: RandomSource = {
  u32: () => randomBytes(4).readUInt32LE(),
  u64: () => randomBytes(8).readBigUInt64LE(),
};

/** A u32 that is not 0. */
export function nonZeroU32(random: RandomSource): number {
  for (;;) {
    const value = random.u32();
    if (value !== 0) return value;
  }
}

/** From 0 up to, but never, 1. */
export function fraction(random: RandomSource): number {
  return random.u32() / 0x1_0000_0000;
}
