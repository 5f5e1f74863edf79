import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hashItems, hashItemsLength } from '../../src/maps/crush/hash-items.ts';
import { crushHash2, crushHash3, crushHash4, ObjectHash, objectNameHash } from '../../src/maps/hash.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });

test('crush_hash32: values that Ceph gives', () => {
  assert.is(crushHash2(1, 2), 0xb78dee9c);
  assert.is(crushHash3(1, 2, 3), 0x735ad42b);
});

test('a number and its signed form hash to the same', () => {
  fc.assert(
    fc.property(u32, u32, u32, u32, (a, b, c, d) => {
      assert.is(crushHash2(a, b), crushHash2(a | 0, b | 0));
      assert.is(crushHash3(a, b, c), crushHash3(a | 0, b | 0, c | 0));
      assert.is(crushHash4(a, b, c, d), crushHash4(a | 0, b | 0, c | 0, d | 0));
    }),
  );
});

test('the unrolled hash of a whole bucket is the plain one, for odd and even sizes', () => {
  fc.assert(
    fc.property(i32, i32, fc.array(i32, { minLength: 1, maxLength: 9 }), (x, r, items) => {
      const ids = new Int32Array(hashItemsLength(items.length));
      ids.set(items);
      const hashes = new Uint16Array(ids.length);
      hashItems(x, ids, r, items.length, hashes);
      for (const [index, item] of items.entries()) assert.is(hashes[index], crushHash3(x, item, r) & 0xffff);
    }),
  );
});

test('object names: rjenkins at every length of a block, and linux', () => {
  // From osdmaptool and rados; 11 bytes fill the last block but for the byte of the length.
  const rjenkins: [name: string, hash: number][] = [
    ['foo', 0x7fc1f406],
    ['a', 0x29eec818],
    ['abcdefghijkl', 0x0b1b3ea5],
    ['abcdefghijklm', 0x3122b031],
    ['rbd_data.1234.0000000000000001', 0x12d04153],
    ['obj1', 0x6cf8deff],
    ['obj2', 0x3f1ee208],
    ['obj3', 0x61f68bb1],
  ];
  for (const [name, hash] of rjenkins) assert.is(objectNameHash(ObjectHash.rjenkins, name), hash, name);
  // ((0 + (0x61 << 4) + (0x61 >> 4)) * 11, then the same with 0x62.
  assert.is(objectNameHash(ObjectHash.linux, 'ab'), ((0x616 * 11 + 0x620 + 6) * 11) >>> 0);
  assert.is(objectNameHash(7, 'anything'), 0xffffffff);
});

test.run();
