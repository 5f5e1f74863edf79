/**
 * The other end of a socket in secure mode, by the book (msgr2.rst) and with node:crypto alone: it shares no
 * code with what it is compared with.
 */
import { createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { StreamSecrets } from '../../../../src/protocol/stream-secrets.ts';
import { crc32c } from '../../../../src/wire/crc32c.ts';
import { type Dishonesty, IndependentSealer } from '../../../support/independent-sealer.ts';
import { withTimeout } from '../../../support/timeout.ts';

export interface PeerFrame {
  readonly tag: number;
  readonly segments: readonly Buffer[];
  /** Late status, when there is more than one segment. */
  readonly lateStatus?: number;
  /** Everything that pads segments and the late status, which has to be zero. */
  readonly padding: Buffer;
}

/** A message's header segment with this seq, the rest of it zero but for type 70. */
export function headerOf(seq: number, ackSeq = 0): Buffer {
  const header = Buffer.alloc(41);
  header.writeBigUInt64LE(BigInt(seq), 0);
  header.writeUInt16LE(70, 16);
  header.writeBigUInt64LE(BigInt(ackSeq), 28);
  return header;
}

export class SecurePeer {
  readonly socket: Socket;
  readonly #key: Uint8Array;
  readonly #receiveNonce: Buffer;
  readonly #sealer: IndependentSealer;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, { key, receiveNonce, sendNonce }: StreamSecrets) {
    this.socket = socket;
    this.#key = key;
    this.#receiveNonce = Buffer.from(receiveNonce);
    this.#sealer = new IndependentSealer(key, sendNonce);
  }

  /** The next frame's bytes on the wire; see there for what no honest peer seals. */
  seal(tag: number, segments: readonly Uint8Array[], dishonesty?: Dishonesty): Buffer {
    return this.#sealer.frame(tag, segments, dishonesty);
  }

  send(tag: number, segments: readonly Uint8Array[]): void {
    this.socket.write(this.seal(tag, segments));
  }

  /** Opens the next frame; rejects when its tags do not verify or it does not come. */
  async next(): Promise<PeerFrame> {
    const first = await this.#open(80);
    if (first.readUInt32LE(28) !== crc32c(0, first, 0, 28) >>> 0) throw new Error('preamble CRC');
    const count = first[1]!;
    const lengths = [0, 1, 2, 3].slice(0, count).map((index) => first.readUInt32LE(2 + 6 * index));
    const padded = lengths.map((length) => Math.ceil(length / 16) * 16);
    const inline = first.subarray(32);
    const rest = padded[0]! > 48 ? await this.#open(padded[0]! - 48) : Buffer.alloc(0);
    const head = Buffer.concat([inline, rest]);
    const segments: Buffer[] = [head.subarray(0, lengths[0]!)];
    const padding: Buffer[] = [head.subarray(lengths[0]!)];
    if (count === 1) return { tag: first[0]!, segments, padding: Buffer.concat(padding) };
    const body = await this.#open(padded.slice(1).reduce((sum, length) => sum + length, 16));
    let at = 0;
    for (let index = 1; index < count; index++) {
      segments.push(body.subarray(at, at + lengths[index]!));
      padding.push(body.subarray(at + lengths[index]!, at + padded[index]!));
      at += padded[index]!;
    }
    padding.push(body.subarray(at + 1));
    return { tag: first[0]!, segments, lateStatus: body[at]!, padding: Buffer.concat(padding) };
  }

  /** Raw bytes, before the stream is in secure mode or instead of a frame. */
  async bytes(length: number): Promise<Buffer> {
    while (this.#received.length < length) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk === null) await withTimeout(once(this.socket, 'readable'), 5000, `${length} bytes`);
      else this.#received = Buffer.concat([this.#received, chunk]);
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  async #open(length: number): Promise<Buffer> {
    const sealed = await this.bytes(length + 16);
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#receiveNonce);
    const counter = this.#receiveNonce.readBigUInt64LE(4);
    this.#receiveNonce.writeBigUInt64LE(BigInt.asUintN(64, counter + 1n), 4);
    decipher.setAuthTag(sealed.subarray(length));
    return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
  }
}
