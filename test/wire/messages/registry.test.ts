import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../src/errors.ts';
import { cephMessages } from '../../../src/wire/messages/ceph-messages.ts';
import { MMonCommandAck } from '../../../src/wire/messages/m-mon-command-ack.ts';
import { MPing } from '../../../src/wire/messages/m-ping.ts';
import { defineMessage, MessageRegistry } from '../../../src/wire/messages/registry.ts';
import { hex, msgrError } from '../../support/wire-checks.ts';

interface Note {
  readonly text: string;
  readonly count: number;
}

/** A user's own message: version 2 added `count`. */
const note = defineMessage<Note>({
  type: 40_000,
  name: 'note',
  headVersion: 2,
  compatVersion: 1,
  priority: 64,
  encode(body, encoder, context) {
    encoder.string(body.text).u32(body.count);
    context.middle = hex('aa');
  },
  decode: (decoder, context) => ({
    text: decoder.string('text'),
    count: context.version >= 2 ? decoder.u32('count') : 0,
  }),
});

test('a user defines a message', () => {
  const payload = note.encode({ text: 'hi', count: 7 });
  assert.is(payload.version, 2);
  assert.is(payload.compatVersion, 1);
  assert.is(Buffer.from(payload.front).toString('hex'), '02000000686907000000');
  assert.equal(payload.middle, hex('aa'));
  assert.is(payload.data.byteLength, 0);
  assert.equal(note.decode(payload), { text: 'hi', count: 7 });
  assert.is(note.priority, 64);
  assert.is(MPing.priority, undefined, 'left to the messenger');
});

test('an older version is read by its branch, a newer compatible one as far as it is known', () => {
  const old = { version: 1, compatVersion: 1, front: hex('02000000 6869') };
  assert.equal(note.decode(old), { text: 'hi', count: 0 });
  const newer = { version: 9, compatVersion: 2, front: hex('02000000 6869 07000000 ffff') };
  assert.equal(note.decode(newer), { text: 'hi', count: 7 });
});

test('a message that needs a newer reader is refused', () => {
  const error = msgrError(() => note.decode({ version: 9, compatVersion: 3, front: hex('') }));
  assert.is(error.field, 'note.compatVersion');
  assert.match(error.message, /version 3, this one reads 2/);
});

test('an error names the message and the field', () => {
  assert.is(
    msgrError(() => note.decode({ version: 2, compatVersion: 1, front: hex('ff') })).field,
    'note.text',
  );
});

test('data travels beside the front', () => {
  const output = hex('0102');
  const body = { paxosVersion: 0n, result: -2, status: 'no', command: ['{}'], output };
  const payload = MMonCommandAck.encode(body);
  assert.equal(payload.data, output);
  assert.equal(MMonCommandAck.decode(payload), body);
});

test('what is encoded stays as it is when the next message is encoded', () => {
  const first = note.encode({ text: 'first', count: 1 });
  const copy = Buffer.from(first.front);
  for (const length of [1, 4096, 5000, 1]) note.encode({ text: 'x'.repeat(length), count: 2 });
  assert.equal(first.front, copy);
  const large = note.encode({ text: 'y'.repeat(100_000), count: 3 });
  note.encode({ text: 'z'.repeat(100_000), count: 3 });
  assert.is(note.decode(large).text, 'y'.repeat(100_000));
});

test('an encode inside an encode, and one that throws, leave the others whole', () => {
  const outer = defineMessage<Note>({
    type: 40_001,
    name: 'outer',
    headVersion: 1,
    compatVersion: 1,
    encode(body, encoder) {
      encoder.u8(1).buffer(note.encode(body).front).u8(2);
      if (body.count === 0) throw new RangeError('on purpose');
    },
    decode: () => ({ text: '', count: 0 }),
  });
  const whole = '010a0000000200000068690700000002';
  assert.is(Buffer.from(outer.encode({ text: 'hi', count: 7 }).front).toString('hex'), whole);
  assert.throws(() => outer.encode({ text: 'hi', count: 0 }), /on purpose/);
  assert.is(Buffer.from(outer.encode({ text: 'hi', count: 7 }).front).toString('hex'), whole);
});

test('a definition that cannot go on the wire is a mistake of ours', () => {
  const wrong: [object, RegExp][] = [
    [{ type: 65_536 }, /type must be/],
    [{ type: -1 }, /type must be/],
    [{ headVersion: 1.5 }, /headVersion must be/],
    [{ priority: 70_000 }, /priority must be/],
    [{ headVersion: 1, compatVersion: 2 }, /above headVersion/],
  ];
  const base = { type: 1, name: 'x', headVersion: 2, compatVersion: 1, encode: () => {}, decode: () => null };
  for (const [change, reason] of wrong) {
    assert.throws(
      () => defineMessage({ ...base, ...change }),
      (error: unknown) => error instanceof TypeError && reason.test(error.message),
    );
  }
});

test('a registry finds types by number and refuses two of one number', () => {
  const registry = new MessageRegistry(cephMessages);
  assert.is(registry.get(2), MPing);
  assert.is(registry.get(40_000), undefined);
  assert.is(registry.nameOf(70), 'osd_ping');
  assert.is(registry.nameOf(4711), 'message 4711');
  registry.add(note).add(note);
  assert.is(registry.get(40_000), note);
  const other = defineMessage({
    type: 2,
    name: 'other',
    headVersion: 1,
    compatVersion: 1,
    encode: () => {},
    decode: () => null,
  });
  msgrError(() => registry.add(other), ErrorCode.InvalidArgument);
  assert.is([...registry].length, cephMessages.length + 1);
});

test("no two of Ceph's messages have one number or name", () => {
  assert.is(new Set(cephMessages.map((type) => type.type)).size, cephMessages.length);
  assert.is(new Set(cephMessages.map((type) => type.name)).size, cephMessages.length);
});

test.run();
