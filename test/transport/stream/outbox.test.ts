/** The outbox compared with a list that does the same by the book, through any sequence of calls. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { lendBytesMin } from '../../../src/limits.ts';
import { Outbox } from '../../../src/transport/stream/outbox.ts';
import { SendSlabPool } from '../../../src/transport/stream/send-slab.ts';
import type { FrameMode } from '../../../src/wire/frame.ts';
import { crcMode } from '../../../src/wire/frame-crc.ts';
import { NonceCounter } from '../../../src/wire/frame-nonce.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import { SecureMode } from '../../../src/wire/frame-secure.ts';
import { outgoing, patternBytes } from '../recorder.ts';

const test = suite('outbox');

const unlimited = Number.POSITIVE_INFINITY;

/** Sequence numbers of the frames in `pieces`, whose content is that of their number. */
function seqsOf(pieces: readonly Uint8Array[], mode: FrameMode = crcMode): number[] {
  const reader = new FrameReader();
  reader.mode = mode;
  reader.push(Buffer.concat(pieces));
  const seqs: number[] = [];
  while (reader.next()) {
    const seq = Number(reader.frame.payload().readBigUInt64LE());
    assert.equal(Buffer.compare(reader.frame.segment(1), contentOf(seq)), 0, `content of ${seq}`);
    seqs.push(seq);
  }
  assert.equal(reader.bufferedBytes, 0);
  return seqs;
}

/** Mostly small, now and then lent. */
function contentOf(seq: number): Uint8Array {
  return patternBytes(seq % 11 === 0 ? lendBytesMin + seq : (seq * 37) % 3000, seq);
}

const nonce = Buffer.alloc(12, 7);

/** One end of a stream in secure mode; the other end has the same. */
const secure = (left?: bigint): FrameMode =>
  new SecureMode(Buffer.alloc(16, 1), new NonceCounter(nonce), new NonceCounter(nonce, left));
const crc = (): FrameMode => crcMode;

/** What an outbox is, without memory: numbers. */
class Model {
  entries: number[] = [];
  taken = 0;
  held = 0;
  sent = 0;
  peer = 0;
  next = 1;

  drop(): void {
    const free = this.held > 0 ? this.taken - this.held : this.entries.length;
    let dropped = 0;
    while (dropped < free && this.entries[dropped]! <= Math.min(this.peer, this.sent)) dropped++;
    this.entries.splice(0, dropped);
    this.taken = Math.max(0, this.taken - dropped);
  }
}

type Call = readonly ['append' | 'gather' | 'written' | 'acknowledge' | 'rewind' | 'clear', number];

const calls = fc.array(
  fc.oneof(
    { weight: 150, arbitrary: fc.tuple(fc.constant('append' as const), fc.integer({ min: 1, max: 30 })) },
    { weight: 20, arbitrary: fc.tuple(fc.constant('gather' as const), fc.integer({ min: 1, max: 200_000 })) },
    { weight: 20, arbitrary: fc.tuple(fc.constant('written' as const), fc.constant(0)) },
    {
      weight: 15,
      arbitrary: fc.tuple(fc.constant('acknowledge' as const), fc.integer({ min: -40, max: 5 })),
    },
    { weight: 5, arbitrary: fc.tuple(fc.constant('rewind' as const), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.constant(0)) },
  ),
  // Long ones: what goes wrong needs a history.
  { maxLength: 80, size: 'max' },
) as fc.Arbitrary<Call[]>;

function runCalls(list: readonly Call[], lossless: boolean, newMode: () => FrameMode): void {
  const outbox = new Outbox(new SendSlabPool());
  let sending = newMode();
  let receiving = newMode();
  const model = new Model();
  for (const [name, argument] of list) {
    if (name === 'append') {
      for (let count = 0; count < argument; count++) {
        outbox.append(outgoing({ front: contentOf(model.next) }), 0, 0);
        model.entries.push(model.next++);
      }
    } else if (name === 'gather') {
      if (model.held > 0) continue;
      const pieces: Uint8Array[] = [];
      const byteLength = outbox.gather(pieces, argument, unlimited, sending);
      assert.equal(
        byteLength,
        pieces.reduce((sum, piece) => sum + piece.length, 0),
      );
      const seqs = seqsOf(pieces, receiving);
      assert.deepEqual(seqs, model.entries.slice(model.taken, model.taken + seqs.length));
      assert.ok(seqs.length > 0 || model.taken === model.entries.length);
      model.taken += seqs.length;
      model.held = seqs.length;
    } else if (name === 'written') {
      outbox.written(lossless);
      model.sent = Math.max(model.sent, model.entries[model.taken - 1] ?? 0);
      model.held = 0;
      if (lossless) model.drop();
      else {
        model.entries.splice(0, model.taken);
        model.taken = 0;
      }
    } else if (name === 'acknowledge') {
      if (!lossless) continue;
      const seq = Math.max(0, model.next + argument);
      outbox.acknowledge(seq);
      model.peer = Math.max(
        model.peer,
        Math.min(seq, Math.max(model.sent, model.entries[model.taken - 1] ?? 0)),
      );
      model.drop();
    } else if (name === 'rewind') {
      outbox.rewind();
      sending = newMode();
      receiving = newMode();
      model.sent = Math.max(model.sent, model.entries[model.taken - 1] ?? 0);
      model.taken = 0;
      model.held = 0;
    } else {
      outbox.clear();
      Object.assign(model, new Model());
    }
    assert.equal(outbox.count, model.entries.length, name);
    assert.equal(outbox.waitingCount, model.entries.length - model.taken, name);
  }
  // Whatever happened: what is left comes out whole and in order.
  outbox.rewind();
  const pieces: Uint8Array[] = [];
  assert.equal(outbox.waitingBytes, outbox.bytes);
  assert.equal(outbox.gather(pieces, unlimited, unlimited, crcMode), outbox.bytes);
  assert.deepEqual(seqsOf(pieces), model.entries);
  assert.equal(outbox.waitingBytes, 0);
}

test('lossless: any calls', () => {
  fc.assert(
    fc.property(calls, (list) => runCalls(list, true, crc)),
    { numRuns: 100 },
  );
});

test('lossy: any calls', () => {
  fc.assert(
    fc.property(calls, (list) => runCalls(list, false, crc)),
    { numRuns: 50 },
  );
});

test('lossless, in secure mode: any calls', () => {
  fc.assert(
    fc.property(calls, (list) => runCalls(list, true, secure)),
    { numRuns: 50 },
  );
});

test('neighbouring frames in one slab are one piece', () => {
  const outbox = new Outbox(new SendSlabPool());
  for (let message = 0; message < 100; message++) outbox.append(outgoing(), 0, 0);
  const pieces: Uint8Array[] = [];
  outbox.gather(pieces, unlimited, unlimited, crcMode);
  assert.equal(pieces.length, 1);
});

test('in secure mode frames are sealed as they leave, and for each stream anew', () => {
  const outbox = new Outbox(new SendSlabPool());
  const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
  for (const seq of numbers) outbox.append(outgoing({ front: contentOf(seq) }), 0, 0);
  for (let stream = 0; stream < 3; stream++) {
    const pieces: Uint8Array[] = [];
    const byteLength = outbox.gather(pieces, unlimited, unlimited, secure());
    const sealed = Buffer.concat(pieces);
    assert.equal(sealed.length, byteLength);
    assert.ok(byteLength > outbox.bytes);
    assert.deepEqual(seqsOf([sealed], secure()), numbers);
    assert.equal(outbox.waitingBytes, 0);
    outbox.rewind();
    assert.equal(outbox.waitingBytes, outbox.bytes);
  }
  assert.equal(outbox.replayedCount, 24);
});

test('without nonces nothing leaves, and what has left is counted', () => {
  const outbox = new Outbox(new SendSlabPool());
  for (let seq = 1; seq <= 12; seq++) outbox.append(outgoing({ front: contentOf(seq) }), 0, 0);
  const pieces: Uint8Array[] = [];
  const mode = secure(11n);
  outbox.gather(pieces, unlimited, unlimited, mode);
  // Two nonces each; the eleventh is not enough for another.
  assert.equal(outbox.waitingCount, 12 - 5);
  assert.ok(mode.isUsedUp);
  assert.equal(outbox.gather(pieces, unlimited, unlimited, mode), 0);
  outbox.rewind();
  assert.equal(outbox.waitingBytes, outbox.bytes);
});

test('a steady stream uses the same few slabs again, and an idle outbox none', () => {
  const pool = new SendSlabPool();
  const outbox = new Outbox(pool);
  const memory = new Set<ArrayBufferLike>();
  const front = new Uint8Array(1000);
  for (let turn = 1; turn <= 500; turn++) {
    for (let message = 0; message < 50; message++) outbox.append(outgoing({ front }), 0, 0);
    const pieces: Uint8Array[] = [];
    outbox.gather(pieces, unlimited, unlimited, crcMode);
    for (const piece of pieces) memory.add(piece.buffer);
    outbox.written(true);
    // The peer is two turns behind.
    outbox.acknowledge(50 * (turn - 2));
  }
  assert.ok(memory.size < 8, `${memory.size} slabs`);
  outbox.acknowledge(50 * 500);
  assert.equal(outbox.count, 0);
  const reused = pool.take(1);
  assert.ok(memory.has(reused.bytes.buffer));
});

test.run();
