/** Bytes that nobody meant anything by: each decoder gives a value or a malformed error, in bounded time. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { controlFrames } from '../../src/wire/frames/control-frames.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';

// Small numbers are frequent: they are counts, markers and versions that lead the decoders further in.
const byte = fc.oneof(fc.constantFrom(0, 0, 0, 1, 1, 2, 5, 16, 28), fc.integer({ min: 0, max: 255 }));
const bytes = fc.array(byte, { maxLength: 300 }).map((values) => Uint8Array.from(values));

/** Whether it decoded; throws what is not a malformed error. */
function decodes(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof MsgrError && error.code === ErrorCode.Malformed) return false;
    throw error;
  }
}

test('control frames', () => {
  let decoded = 0;
  fc.assert(
    fc.property(bytes, (payload) => {
      for (const frame of controlFrames.values()) {
        if (!decodes(() => frame.decode(payload))) continue;
        decoded++;
        // What was understood can be said again, and is then understood the same.
        const again = frame.encode(frame.decode(payload));
        assert.equal(frame.encode(frame.decode(again)), again, frame.name);
        assert.is(again.byteLength, frame.byteLength(frame.decode(payload)), frame.name);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(decoded > 500, `only ${decoded} decoded: the bytes are no test`);
});

test('messages of every version', () => {
  let decoded = 0;
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 9 }), (front, version) => {
      for (const type of cephMessages) {
        const message = { version, compatVersion: Math.min(version, type.headVersion), front };
        if (!decodes(() => type.decode(message))) continue;
        decoded++;
        const again = type.encode(type.decode(message));
        assert.equal(type.encode(type.decode(again)).front, again.front, type.name);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(decoded > 500, `only ${decoded} decoded: the bytes are no test`);
});

test.run();
