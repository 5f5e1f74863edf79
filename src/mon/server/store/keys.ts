/** Order of the store's keys within a prefix: numbers by value, then names by their bytes. */

/** A key that is a version: decimal, without leading zeros, exact as a JavaScript number. */
export function versionOfKey(key: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(key)) return undefined;
  const version = Number(key);
  return Number.isSafeInteger(version) ? version : undefined;
}

/** Below 0 when `a` comes first. */
export function compareKeys(a: string, b: string): number {
  const first = versionOfKey(a);
  const second = versionOfKey(b);
  if (first !== undefined && second !== undefined) return first - second;
  if (first !== undefined) return -1;
  if (second !== undefined) return 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
