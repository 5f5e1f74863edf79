/** Random numbers that were recorded, given out again in the order in which they were made. */
import type { RandomBytes } from '../../../src/auth/cephx/random.ts';

export class RecordedRandomness {
  #next: Buffer[] = [];

  /** The next that will be asked for; a bigint stands for 8 bytes. */
  expect(...values: readonly (bigint | Uint8Array)[]): void {
    this.#next = values.map((value) => {
      if (typeof value !== 'bigint') return Buffer.from(value);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value);
      return bytes;
    });
  }

  readonly bytes: RandomBytes = (count) => {
    const next = this.#next.shift();
    if (next?.byteLength !== count) {
      throw new Error(`${count} random bytes are asked for, ${next?.byteLength ?? 'none'} were recorded`);
    }
    return next;
  };
}
