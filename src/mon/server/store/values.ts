/** Numbers in the store: u64, little-endian, as Ceph's MonitorDBStore writes versions. */
import type { MonStore } from './mon-store.ts';

export function encodeVersion(version: number | bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(version));
  return bytes;
}

/** 0 for what is not there. */
export function readVersion(store: MonStore, prefix: string, key: string): number {
  const bytes = store.get(prefix, key);
  return bytes === undefined || bytes.byteLength < 8 ? 0 : Number(Buffer.from(bytes).readBigUInt64LE());
}
