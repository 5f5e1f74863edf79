/** The nonces of one direction: what they look like, and that they end. */
import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { NonceCounter } from '../../src/wire/frame-nonce.ts';

const test = suite('frame nonce');

const taken = (counter: NonceCounter): string => Buffer.from(counter.take()).toString('hex');

test('four bytes stay, eight count from the lowest up, and carry', () => {
  const counter = new NonceCounter(Buffer.from('aabbccddfeffffff00000000', 'hex'));
  assert.equal(taken(counter), 'aabbccddfeffffff00000000');
  assert.equal(taken(counter), 'aabbccddffffffff00000000');
  assert.equal(taken(counter), 'aabbccdd0000000001000000');
  assert.equal(taken(counter), 'aabbccdd0100000001000000');
});

test('a counter that begins high goes round, and the fixed part is not touched', () => {
  const counter = new NonceCounter(Buffer.from('fffffffffeffffffffffffff', 'hex'));
  const nonces = Array.from({ length: 4 }, () => taken(counter));
  assert.deepEqual(nonces, [
    'fffffffffeffffffffffffff',
    'ffffffffffffffffffffffff',
    'ffffffff0000000000000000',
    'ffffffff0100000000000000',
  ]);
});

test('it ends before its first nonce would come again', () => {
  const counter = new NonceCounter(Buffer.alloc(12), 3n);
  assert.ok(counter.has(3) && !counter.has(4));
  assert.equal(new Set([taken(counter), taken(counter), taken(counter)]).size, 3);
  assert.ok(counter.has(0) && !counter.has(1));
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.throws(() => counter.take(), { code: 'ERR_MSGR_NONCES_USED_UP' });
  }
});

test('all 2^64 are there at first, and not one more', () => {
  const counter = new NonceCounter(Buffer.alloc(12));
  assert.ok(counter.has(2 ** 64));
  counter.take();
  assert.ok(!counter.has(2 ** 64));
});

test('what it was given is not changed, and may be', () => {
  const first = Buffer.alloc(12, 1);
  const counter = new NonceCounter(first);
  counter.take();
  assert.deepEqual(first, Buffer.alloc(12, 1));
  first.fill(0xee);
  assert.equal(taken(counter), '010101010201010101010101');
});

test('a nonce has twelve bytes', () => {
  for (const length of [0, 11, 13, 16])
    assert.throws(() => new NonceCounter(new Uint8Array(length)), TypeError);
});

test.run();
