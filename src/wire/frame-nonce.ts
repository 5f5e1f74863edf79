/**
 * The nonces of secure mode in one direction: a fixed u32 and a u64 that counts, both little-endian
 * (msgr2.rst "secure mode"). Each AES-GCM operation takes one; the counter goes round its whole range and
 * ends before the value it began with, because a nonce used twice gives away the key stream
 * (CVE-2020-1759 was a counter that came back too early).
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';

export const nonceBytes = 12;
const counterOffset = 4;

/** Values of the counter. */
const nonceCount = 1n << 64n;

export class NonceCounter {
  readonly #next: Buffer;
  readonly #taken = Buffer.alloc(nonceBytes);
  #left: bigint;

  /**
   * @param first 12 bytes.
   * @param left how many nonces may be taken, the first one included; fewer than all only in tests.
   */
  constructor(first: Uint8Array, left = nonceCount) {
    if (first.length !== nonceBytes) {
      throw new TypeError(`a nonce has ${nonceBytes} bytes, not ${first.length}`);
    }
    this.#next = Buffer.from(first);
    this.#left = left;
  }

  /** True when at least `count` nonces are left. */
  has(count: number): boolean {
    return this.#left >= count;
  }

  /**
   * The next nonce, valid until the next call.
   *
   * @throws MsgrError `ERR_MSGR_NONCES_USED_UP`
   */
  take(): Uint8Array {
    if (this.#left === 0n) throw noncesUsedUp();
    this.#left--;
    this.#taken.set(this.#next);
    const counter = this.#next.readBigUInt64LE(counterOffset);
    this.#next.writeBigUInt64LE(BigInt.asUintN(64, counter + 1n), counterOffset);
    return this.#taken;
  }
}

export function noncesUsedUp(): MsgrError {
  return new MsgrError(
    ErrorCode.NoncesUsedUp,
    'every nonce of this stream was used: the connection ends, the next one has new keys',
  );
}
