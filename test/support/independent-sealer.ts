/**
 * Frames in secure mode by the book (msgr2.rst), written apart from src/wire/frame-secure.ts on purpose: it is
 * what that is compared with. It also seals what no honest sender would, for a peer that has the keys.
 */
import { createCipheriv } from 'node:crypto';
import { crc32c } from '../../src/wire/crc32c.ts';

export interface Dishonesty {
  /** Changes the preamble, whose checksum is made afterwards. */
  readonly preamble?: (preamble: Buffer) => void;
  /** Spoils the preamble's checksum. */
  readonly badCrc?: boolean;
  readonly lateStatus?: number;
}

const pad = (bytes: Uint8Array): Buffer => Buffer.concat([bytes], Math.ceil(bytes.length / 16) * 16);

export class IndependentSealer {
  readonly #key: Uint8Array;
  readonly #nonce: Buffer;

  constructor(key: Uint8Array, nonce: Uint8Array) {
    this.#key = key;
    this.#nonce = Buffer.from(nonce);
  }

  /** The next frame of the stream. */
  frame(
    tag: number,
    segments: readonly Uint8Array[],
    { preamble, badCrc, lateStatus }: Dishonesty = {},
  ): Buffer {
    let count = segments.length;
    while (count > 1 && segments[count - 1]!.length === 0) count--;
    const head = Buffer.alloc(32);
    head[0] = tag;
    head[1] = count;
    for (let index = 0; index < count; index++) {
      head.writeUInt32LE(segments[index]!.length, 2 + 6 * index);
      head.writeUInt16LE(index === 3 ? 4096 : 8, 6 + 6 * index);
    }
    preamble?.(head);
    head.writeUInt32LE((crc32c(0, head.subarray(0, 28)) ^ (badCrc ? 1 : 0)) >>> 0, 28);
    const first = pad(segments[0]!);
    const pieces = [this.#seal(Buffer.concat([head, first.subarray(0, 48)], 80))];
    if (first.length > 48) pieces.push(this.#seal(first.subarray(48)));
    if (count > 1) {
      const epilogue = Buffer.alloc(16);
      epilogue[0] = lateStatus ?? 0x0e;
      pieces.push(this.#seal(Buffer.concat([...segments.slice(1, count).map(pad), epilogue])));
    }
    return Buffer.concat(pieces);
  }

  #seal(plain: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonce);
    const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    for (let at = 4; at < 12; at++) {
      this.#nonce[at] = (this.#nonce[at]! + 1) & 0xff;
      if (this.#nonce[at] !== 0) break;
    }
    return sealed;
  }
}
