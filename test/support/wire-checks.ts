/** What every decoder of hostile bytes must withstand, and what every codec of the wire must hold to. */
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import type { ControlFrame } from '../../src/wire/frames/control-frame.ts';

/** Golden bytes are written with a comment per field; spaces and comments are left out here. */
export function hex(...parts: string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(/\s/g, ''), 'hex');
}

/** Runs `body` and gives the MsgrError that it must throw; any other outcome fails the test. */
export function msgrError(body: () => unknown, code: ErrorCode = ErrorCode.Malformed): MsgrError {
  let value: unknown;
  try {
    value = body();
  } catch (error) {
    if (!(error instanceof MsgrError)) throw error;
    assert.is(error.code, code, error.message);
    return error;
  }
  throw new Error(`expected ${code}, got ${String(value)}`);
}

/**
 * Every beginning of `bytes` that is shorter must be refused as malformed, with a field and an offset
 * inside it. `complete` lists lengths that are whole messages of older senders.
 */
export function checkTruncation(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  complete: readonly number[] = [],
): void {
  for (let length = 0; length < bytes.byteLength; length++) {
    // A copy of its own, so that a read beyond the end cannot find the rest in the same memory.
    const cut = Uint8Array.from(bytes.subarray(0, length));
    if (complete.includes(length)) {
      decode(cut);
      continue;
    }
    const error = msgrError(() => decode(cut));
    assert.ok(error.field, `no field at ${length}: ${error.message}`);
    assert.ok(error.offset! >= 0 && error.offset! <= length, `offset ${error.offset} of ${length} bytes`);
  }
}

/** Each byte in turn takes its boundary values: the outcome is a value or a malformed error, never another. */
export function checkMutation(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  const changed = Uint8Array.from(bytes);
  for (let at = 0; at < bytes.byteLength; at++) {
    for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      changed[at] = value;
      try {
        decode(changed);
      } catch (error) {
        if (!(error instanceof MsgrError) || error.code !== ErrorCode.Malformed) throw error;
      }
    }
    changed[at] = bytes[at]!;
  }
}

/** The whole list for one control frame: `golden` is what a real daemon sent for `value`. */
export function checkControlFrame<T>(frame: ControlFrame<T>, value: T, golden: Buffer): void {
  assert.is(frame.encode(value).toString('hex'), golden.toString('hex'), 'golden bytes');
  assert.is(frame.byteLength(value), golden.byteLength, 'byteLength');
  const decoded = frame.decode(golden);
  assert.equal(decoded, value, 'decoded value');
  assert.is(frame.encode(decoded).toString('hex'), golden.toString('hex'), 'decoded and encoded again');
  // A newer peer may append fields.
  const longer = Buffer.concat([golden, Buffer.from([1, 2, 3])]);
  assert.equal(frame.decode(longer), value, 'with bytes after the last field');
  checkTruncation(golden, (bytes) => frame.decode(bytes));
  checkMutation(golden, (bytes) => frame.decode(bytes));
}
