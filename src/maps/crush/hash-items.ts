/**
 * The inner loop of placement: the low 16 bits of crush_hash32_3(x, id, r) for every item of a bucket.
 *
 * Nearly all of a placement's time is here, so the five mixes are written out, and two items are hashed
 * side by side: one hash is a chain of dependent operations, two of them fill the processor's idle slots.
 * The same hash in readable form is `crushHash3`; a test compares the two.
 */

/** `count` rounded up to what {@link hashItems} works through: ids and out must be that long. */
export function hashItemsLength(count: number): number {
  return count + (count & 1);
}

/**
 * Fills `out[i]` for every `i < count`, and one element more when `count` is odd.
 * `ids` and `out` hold at least `hashItemsLength(count)` elements.
 */
export function hashItems(x: number, ids: Int32Array, r: number, count: number, out: Uint16Array): void {
  const start = 1315423911 ^ x ^ r;
  for (let index = 0; index < count; index += 2) {
    const id0 = ids[index]!;
    const id1 = ids[index + 1]!;
    let a0 = x;
    let a1 = x;
    let b0 = id0;
    let b1 = id1;
    let h0 = start ^ id0;
    let h1 = start ^ id1;
    // mix(a, b, h)
    a0 = (a0 - b0 - h0) ^ (h0 >>> 13);
    a1 = (a1 - b1 - h1) ^ (h1 >>> 13);
    b0 = (b0 - h0 - a0) ^ (a0 << 8);
    b1 = (b1 - h1 - a1) ^ (a1 << 8);
    h0 = (h0 - a0 - b0) ^ (b0 >>> 13);
    h1 = (h1 - a1 - b1) ^ (b1 >>> 13);
    a0 = (a0 - b0 - h0) ^ (h0 >>> 12);
    a1 = (a1 - b1 - h1) ^ (h1 >>> 12);
    b0 = (b0 - h0 - a0) ^ (a0 << 16);
    b1 = (b1 - h1 - a1) ^ (a1 << 16);
    h0 = (h0 - a0 - b0) ^ (b0 >>> 5);
    h1 = (h1 - a1 - b1) ^ (b1 >>> 5);
    a0 = (a0 - b0 - h0) ^ (h0 >>> 3);
    a1 = (a1 - b1 - h1) ^ (h1 >>> 3);
    b0 = (b0 - h0 - a0) ^ (a0 << 10);
    b1 = (b1 - h1 - a1) ^ (a1 << 10);
    h0 = (h0 - a0 - b0) ^ (b0 >>> 15);
    h1 = (h1 - a1 - b1) ^ (b1 >>> 15);
    // mix(c, 231232, h)
    let c0 = r;
    let c1 = r;
    let x0 = 231232;
    let x1 = 231232;
    c0 = (c0 - x0 - h0) ^ (h0 >>> 13);
    c1 = (c1 - x1 - h1) ^ (h1 >>> 13);
    x0 = (x0 - h0 - c0) ^ (c0 << 8);
    x1 = (x1 - h1 - c1) ^ (c1 << 8);
    h0 = (h0 - c0 - x0) ^ (x0 >>> 13);
    h1 = (h1 - c1 - x1) ^ (x1 >>> 13);
    c0 = (c0 - x0 - h0) ^ (h0 >>> 12);
    c1 = (c1 - x1 - h1) ^ (h1 >>> 12);
    x0 = (x0 - h0 - c0) ^ (c0 << 16);
    x1 = (x1 - h1 - c1) ^ (c1 << 16);
    h0 = (h0 - c0 - x0) ^ (x0 >>> 5);
    h1 = (h1 - c1 - x1) ^ (x1 >>> 5);
    c0 = (c0 - x0 - h0) ^ (h0 >>> 3);
    c1 = (c1 - x1 - h1) ^ (h1 >>> 3);
    x0 = (x0 - h0 - c0) ^ (c0 << 10);
    x1 = (x1 - h1 - c1) ^ (c1 << 10);
    h0 = (h0 - c0 - x0) ^ (x0 >>> 15);
    h1 = (h1 - c1 - x1) ^ (x1 >>> 15);
    // mix(1232, a, h)
    let y0 = 1232;
    let y1 = 1232;
    y0 = (y0 - a0 - h0) ^ (h0 >>> 13);
    y1 = (y1 - a1 - h1) ^ (h1 >>> 13);
    a0 = (a0 - h0 - y0) ^ (y0 << 8);
    a1 = (a1 - h1 - y1) ^ (y1 << 8);
    h0 = (h0 - y0 - a0) ^ (a0 >>> 13);
    h1 = (h1 - y1 - a1) ^ (a1 >>> 13);
    y0 = (y0 - a0 - h0) ^ (h0 >>> 12);
    y1 = (y1 - a1 - h1) ^ (h1 >>> 12);
    a0 = (a0 - h0 - y0) ^ (y0 << 16);
    a1 = (a1 - h1 - y1) ^ (y1 << 16);
    h0 = (h0 - y0 - a0) ^ (a0 >>> 5);
    h1 = (h1 - y1 - a1) ^ (a1 >>> 5);
    y0 = (y0 - a0 - h0) ^ (h0 >>> 3);
    y1 = (y1 - a1 - h1) ^ (h1 >>> 3);
    a0 = (a0 - h0 - y0) ^ (y0 << 10);
    a1 = (a1 - h1 - y1) ^ (y1 << 10);
    h0 = (h0 - y0 - a0) ^ (a0 >>> 15);
    h1 = (h1 - y1 - a1) ^ (a1 >>> 15);
    // mix(b, x, h)
    b0 = (b0 - x0 - h0) ^ (h0 >>> 13);
    b1 = (b1 - x1 - h1) ^ (h1 >>> 13);
    x0 = (x0 - h0 - b0) ^ (b0 << 8);
    x1 = (x1 - h1 - b1) ^ (b1 << 8);
    h0 = (h0 - b0 - x0) ^ (x0 >>> 13);
    h1 = (h1 - b1 - x1) ^ (x1 >>> 13);
    b0 = (b0 - x0 - h0) ^ (h0 >>> 12);
    b1 = (b1 - x1 - h1) ^ (h1 >>> 12);
    x0 = (x0 - h0 - b0) ^ (b0 << 16);
    x1 = (x1 - h1 - b1) ^ (b1 << 16);
    h0 = (h0 - b0 - x0) ^ (x0 >>> 5);
    h1 = (h1 - b1 - x1) ^ (x1 >>> 5);
    b0 = (b0 - x0 - h0) ^ (h0 >>> 3);
    b1 = (b1 - x1 - h1) ^ (h1 >>> 3);
    x0 = (x0 - h0 - b0) ^ (b0 << 10);
    x1 = (x1 - h1 - b1) ^ (b1 << 10);
    h0 = (h0 - b0 - x0) ^ (x0 >>> 15);
    h1 = (h1 - b1 - x1) ^ (x1 >>> 15);
    // mix(y, c, h)
    y0 = (y0 - c0 - h0) ^ (h0 >>> 13);
    y1 = (y1 - c1 - h1) ^ (h1 >>> 13);
    c0 = (c0 - h0 - y0) ^ (y0 << 8);
    c1 = (c1 - h1 - y1) ^ (y1 << 8);
    h0 = (h0 - y0 - c0) ^ (c0 >>> 13);
    h1 = (h1 - y1 - c1) ^ (c1 >>> 13);
    y0 = (y0 - c0 - h0) ^ (h0 >>> 12);
    y1 = (y1 - c1 - h1) ^ (h1 >>> 12);
    c0 = (c0 - h0 - y0) ^ (y0 << 16);
    c1 = (c1 - h1 - y1) ^ (y1 << 16);
    h0 = (h0 - y0 - c0) ^ (c0 >>> 5);
    h1 = (h1 - y1 - c1) ^ (c1 >>> 5);
    y0 = (y0 - c0 - h0) ^ (h0 >>> 3);
    y1 = (y1 - c1 - h1) ^ (h1 >>> 3);
    c0 = (c0 - h0 - y0) ^ (y0 << 10);
    c1 = (c1 - h1 - y1) ^ (y1 << 10);
    h0 = (h0 - y0 - c0) ^ (c0 >>> 15);
    h1 = (h1 - y1 - c1) ^ (c1 >>> 15);
    out[index] = h0;
    out[index + 1] = h1;
  }
}
