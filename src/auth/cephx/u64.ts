/** Challenges, nonces and proofs: unsigned numbers of 64 bits. */
import { timingSafeEqual } from 'node:crypto';

/** One more, as Ceph counts: 2^64 - 1 is followed by 0. */
export function plusOne(value: bigint): bigint {
  return BigInt.asUintN(64, value + 1n);
}

/** In constant time. */
export function equalU64(left: bigint, right: bigint): boolean {
  return timingSafeEqual(bytesOf(left), bytesOf(right));
}

function bytesOf(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
