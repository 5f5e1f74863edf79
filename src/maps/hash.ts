/**
 * The hashes of placement: Robert Jenkins' 96-bit mix over 32-bit integers (CRUSH), and its byte-string
 * form (object names). Every operation is modulo 2^32; arguments may be signed or unsigned, the result is
 * unsigned. `& ` and `| 0` keep V8 on 32-bit integers: no value here may ever become a double.
 *
 * Source: facts 7.1. The mix is one function over three module variables, because JavaScript cannot return
 * three numbers without allocating; the inner loop of straw2 has its own unrolled form (crush/hash-items.ts).
 */
import { Buffer } from 'node:buffer';

/** crush_hash32 starts from this value. */
const hashSeed = 1315423911;
/** The two constants that fill up the mix where no argument is left. */
const hashX = 231232;
const hashY = 1232;
const goldenRatio = 0x9e3779b9 | 0;

let a = 0;
let b = 0;
let c = 0;

/** Mixes the three module variables in place. */
function mix(): void {
  let x = a;
  let y = b;
  let z = c;
  x = (x - y - z) ^ (z >>> 13);
  y = (y - z - x) ^ (x << 8);
  z = (z - x - y) ^ (y >>> 13);
  x = (x - y - z) ^ (z >>> 12);
  y = (y - z - x) ^ (x << 16);
  z = (z - x - y) ^ (y >>> 5);
  x = (x - y - z) ^ (z >>> 3);
  y = (y - z - x) ^ (x << 10);
  z = (z - x - y) ^ (y >>> 15);
  a = x;
  b = y;
  c = z;
}

/** crush_hash32_2: PG seeds, reweights and primary affinity. */
export function crushHash2(first: number, second: number): number {
  a = first | 0;
  b = second | 0;
  c = hashSeed ^ a ^ b;
  mix();
  const mixedA = a;
  const mixedB = b;
  a = hashX;
  b = mixedA;
  mix();
  const y = hashY;
  a = mixedB;
  b = y;
  mix();
  return c >>> 0;
}

/** crush_hash32_3: the draw of straw and straw2 buckets, the permutation of uniform ones. */
export function crushHash3(first: number, second: number, third: number): number {
  const seed = hashSeed ^ first ^ second ^ third;
  a = first | 0;
  b = second | 0;
  c = seed;
  mix();
  const firstMixed = a;
  const secondMixed = b;
  a = third | 0;
  b = hashX;
  mix();
  const thirdMixed = a;
  const x = b;
  a = hashY;
  b = firstMixed;
  mix();
  const y = a;
  a = secondMixed;
  b = x;
  mix();
  a = y;
  b = thirdMixed;
  mix();
  return c >>> 0;
}

/** crush_hash32_4: the draw of list and tree buckets. */
export function crushHash4(first: number, second: number, third: number, fourth: number): number {
  a = first | 0;
  b = second | 0;
  c = hashSeed ^ first ^ second ^ third ^ fourth;
  mix();
  const firstMixed = a;
  const secondMixed = b;
  a = third | 0;
  b = fourth | 0;
  mix();
  const thirdMixed = a;
  const fourthMixed = b;
  a = firstMixed;
  b = hashX;
  mix();
  const x = b;
  a = hashY;
  b = secondMixed;
  mix();
  const y = a;
  a = thirdMixed;
  b = x;
  mix();
  a = y;
  b = fourthMixed;
  mix();
  return c >>> 0;
}

/** How a pool hashes object names; the values are Ceph's `object_hash`. */
export const ObjectHash = { linux: 1, rjenkins: 2 } as const;

/**
 * ceph_str_hash: the hash of an object's name (or locator key, or namespace + 0x1f + name), the raw
 * placement seed of the object. An unknown algorithm gives 0xffffffff, as Ceph does.
 */
export function objectNameHash(algorithm: number, name: string | Uint8Array): number {
  const bytes = typeof name === 'string' ? Buffer.from(name, 'utf8') : name;
  if (algorithm === ObjectHash.rjenkins) return rjenkinsBytes(bytes);
  if (algorithm === ObjectHash.linux) return linuxBytes(bytes);
  return 0xffffffff;
}

function rjenkinsBytes(bytes: Uint8Array): number {
  const length = bytes.byteLength;
  const le32 = (at: number) =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  a = goldenRatio;
  b = goldenRatio;
  c = 0;
  let at = 0;
  for (; length - at >= 12; at += 12) {
    a = (a + le32(at)) | 0;
    b = (b + le32(at + 4)) | 0;
    c = (c + le32(at + 8)) | 0;
    mix();
  }
  // Byte 0 of the last third holds the total length, so its three bytes begin one byte higher.
  c = (c + length) | 0;
  for (let index = 0; at + index < length; index++) {
    const byte = bytes[at + index]!;
    if (index < 4) a = (a + (byte << (8 * index))) | 0;
    else if (index < 8) b = (b + (byte << (8 * (index - 4)))) | 0;
    else c = (c + (byte << (8 * (index - 7)))) | 0;
  }
  mix();
  return c >>> 0;
}

/** The dentry hash of old pools: per byte, hash = (hash + (byte << 4) + (byte >> 4)) * 11. */
function linuxBytes(bytes: Uint8Array): number {
  let hash = 0;
  for (const byte of bytes) hash = Math.imul(hash + (byte << 4) + (byte >> 4), 11);
  return hash >>> 0;
}
