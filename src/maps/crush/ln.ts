/**
 * crush_ln(u) - 2^48 for all 65,536 values of u, the only ones that straw2 asks for.
 *
 * Ceph computes 2^44 * log2(u + 1) from two small tables of 49-bit integers. Those tables have
 * irregularities that became part of the algorithm (every stored object depends on them), so they are
 * rebuilt here from their exact values plus the list of deviations (facts 7.3). The results are integers
 * of at most 48 bits, which a double holds exactly; the table is built once, on first use (512 KiB).
 */

/** Added to the low table: its value minus floor(2^48 * log2(1 + k / 32768)), where it is not 0. */
const lowDeviationUsual = 0x147700000;
const lowDeviationNone = new Set([0, 1, 203, 216, 222, 233, 237, 238, 239, 243, 244, 245, 246]);
/** From here on the low table is exact. */
const lowDeviationEnd = 248;
const lowDeviations = new Map([
  [56, 5349423536],
  [127, 978272901],
  [134, 3588789669],
  [181, 4007963589],
  [184, 5423282367],
  [188, 2201924427],
  [193, 3829329171],
  [198, 2511158322],
  [199, 2670353280],
  [200, 3807665765],
  [207, 5045407031],
  [210, 4635559696],
  [212, 3670382108],
  [225, 3209098745],
  [227, 1514328394],
  [228, 2662093655],
  [229, 561838844],
  [231, 3537203772],
  [235, 4861921003],
  [236, 5281046906],
  [240, 2650193885],
  [241, 4203558265],
  [247, 362109528],
]);

/** floor(2^48 * log2(numerator / denominator)) for a ratio in [1, 2), exactly. */
function log2Fixed48(numerator: number, denominator: number): number {
  // Squaring a number in [1, 2) doubles its logarithm: each overflow past 2 is the next bit. 192 bits of
  // fraction lose fewer than 60 to rounding over 48 squarings.
  const fractionBits = 192n;
  const two = 2n << fractionBits;
  let value = (BigInt(numerator) << fractionBits) / BigInt(denominator);
  let result = 0n;
  for (let bit = 0; bit < 48; bit++) {
    value = (value * value) >> fractionBits;
    result <<= 1n;
    if (value >= two) {
      value >>= 1n;
      result |= 1n;
    }
  }
  return Number(result);
}

function lowDeviation(index: number): number {
  if (index >= lowDeviationEnd || lowDeviationNone.has(index)) return 0;
  return lowDeviations.get(index) ?? lowDeviationUsual;
}

function buildTable(): Float64Array {
  const reciprocals: number[] = [];
  const highLogs: number[] = [];
  for (let k = 0; k <= 128; k++) {
    const divisor = 128n + BigInt(k);
    reciprocals.push(Number(((1n << 55n) + divisor - 1n) / divisor));
    highLogs.push(k === 128 ? 0xffff00000000 : log2Fixed48(128 + k, 128));
  }
  const lowLogs = Array.from({ length: 256 }, (_, k) => log2Fixed48(32768 + k, 32768) + lowDeviation(k));

  const table = new Float64Array(0x10000);
  for (let u = 0; u < 0x10000; u++) {
    let x = u + 1;
    let exponent = 15;
    if ((x & 0x18000) === 0) {
      const shift = Math.clz32(x) - 16;
      x <<= shift;
      exponent -= shift;
    }
    const k = (x >> 8) - 128;
    // (x * reciprocal) >> 48 is a 66-bit product; halves of 24 bits keep it exact in doubles.
    const reciprocal = reciprocals[k]!;
    const high = Math.floor(reciprocal / 0x1000000);
    const low = reciprocal % 0x1000000;
    const product = Math.floor((x * high + Math.floor((x * low) / 0x1000000)) / 0x1000000);
    const fraction = Math.floor((highLogs[k]! + lowLogs[product & 0xff]!) / 16);
    table[u] = exponent * 2 ** 44 + fraction - 2 ** 48;
  }
  return table;
}

let table: Float64Array | undefined;

/** The table, indexed by u. Shared: callers only read it. */
export function crushLnTable(): Float64Array {
  table ??= buildTable();
  return table;
}
