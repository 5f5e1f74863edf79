/** What must agree on both sides of the border: the tables of the core against those of TypeScript. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadNative } from '../../../src/native.ts';
import { Field } from '../../../src/transport/message-batch.ts';
import { Control } from '../../../src/transport/native/control-words.ts';
import { CounterWord, RecordKind } from '../../../src/transport/native/native-channel.ts';
import { CloseReason, FrameError, SocketStep } from '../../../src/transport/native/native-errors.ts';
import { SendField } from '../../../src/transport/native/send-table.ts';
import { crc32c } from '../../../src/wire/crc32c.ts';

const native = loadNative();

test('records, their kinds and reasons', () => {
  assert.equal(native.recordFields, { ...Field });
  assert.equal(native.recordKinds, { ...RecordKind });
  assert.equal(native.closeReasons, { ...CloseReason });
});

test('counters; the last two words are the I/O layer’s', () => {
  const { acceptedBytes, acceptedCount, ...core } = CounterWord;
  assert.equal(native.counterNames, core);
  const last = Math.max(...Object.values(core));
  assert.equal([acceptedBytes, acceptedCount], [last + 1, last + 2]);
});

test('send table and control words', () => {
  assert.equal(native.sendFields, { ...SendField });
  assert.equal(native.controlWords, { ...Control });
});

test('steps of a socket', () => {
  assert.equal(native.socketSteps, { ...SocketStep });
});

test('every frame error has a text, and those told apart have their numbers', () => {
  for (const [name, number] of Object.entries(FrameError)) {
    assert.is(native.frameErrorNumbers[name], number, name);
  }
  assert.ok(native.frameErrors.length > 10);
  for (const text of native.frameErrors) assert.ok(text.length > 3);
});

test('crc32c of the core is that of TypeScript', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7) & 0xff);
  for (const length of [0, 1, 7, 8, 28, 41, 63, 64, 65, 255, 256, 1024, 5000]) {
    for (const seed of [0, 0xffffffff, 0x12345678]) {
      const part = bytes.subarray(0, length);
      assert.is(native.crc32c(seed, part), crc32c(seed, part) >>> 0);
    }
  }
  assert.is(native.crc32c(0xffffffff, Buffer.from('123456789')), 0x1cf96d7c);
});

test.run();
