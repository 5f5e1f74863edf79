/**
 * CRC-32C as Ceph uses it: Castagnoli's polynomial (reflected 0x82f63b78), the caller's initial value and
 * no final inversion. The preamble starts from 0, segments and maps from 0xffffffff; taking one for the
 * other is the usual mistake.
 *
 * Slicing by eight: eight tables advance the checksum by eight bytes per step, where each table is the one
 * before it moved on by one zero byte. The native core computes the same with the processor's instruction.
 */

/** The initial value of segment checksums, and the checksum of a segment that is present but empty. */
export const segmentCrcSeed = 0xffffffff;

const polynomial = 0x82f63b78;
const tableCount = 8;

const tables = makeTables();
const [table0, table1, table2, table3, table4, table5, table6, table7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

function makeTables(): Int32Array[] {
  const made = Array.from({ length: tableCount }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    made[0]![byte] = crc;
  }
  for (let slice = 1; slice < tableCount; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = made[slice - 1]![byte]!;
      made[slice]![byte] = (before >>> 8) ^ made[0]![before & 0xff]!;
    }
  }
  return made;
}

/** Bytes from which it pays to read words, for which a view must be made. */
const wordwiseBytesMin = 512;

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * The checksum of `bytes[start .. end - 1]`, continued from `seed`; u32 in and out. The answer for one
 * piece is the seed for the next, so a payload in pieces needs no copy.
 */
export function crc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed | 0;
  let at = start;
  if (end - start >= wordwiseBytesMin && isLittleEndian) {
    for (; ((bytes.byteOffset + at) & 3) !== 0; at++) crc = (crc >>> 8) ^ table0![(crc ^ bytes[at]!) & 0xff]!;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, ((end - at) >>> 3) * 2);
    crc = crcOfWords(crc, words);
    at += words.byteLength;
  }
  for (const wholeEnd = end - 7; at < wholeEnd; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      table7![low & 0xff]! ^
      table6![(low >>> 8) & 0xff]! ^
      table5![(low >>> 16) & 0xff]! ^
      table4![low >>> 24]! ^
      table3![bytes[at + 4]!]! ^
      table2![bytes[at + 5]!]! ^
      table1![bytes[at + 6]!]! ^
      table0![bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table0![(crc ^ bytes[at]!) & 0xff]!;
  return crc >>> 0;
}

/** The same over an even number of little-endian words. */
function crcOfWords(seed: number, words: Int32Array): number {
  let crc = seed;
  for (let index = 0; index < words.length; index += 2) {
    const low = crc ^ words[index]!;
    const high = words[index + 1]!;
    crc =
      table7![low & 0xff]! ^
      table6![(low >>> 8) & 0xff]! ^
      table5![(low >>> 16) & 0xff]! ^
      table4![low >>> 24]! ^
      table3![high & 0xff]! ^
      table2![(high >>> 8) & 0xff]! ^
      table1![(high >>> 16) & 0xff]! ^
      table0![high >>> 24]!;
  }
  return crc;
}
