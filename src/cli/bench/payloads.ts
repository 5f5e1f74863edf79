/** What is sent: one payload over and over, which stays in the cache, or 16 MiB of different ones in turn. */
import { Buffer } from 'node:buffer';
import { dataByte } from './link.ts';

/** `hot`: the one; `rotating`: each as far from the last use as 16 MiB take it. */
export type PayloadKind = 'hot' | 'rotating';

export const rotatingBytes = 16 * 1024 * 1024;

/** Every one begins with `dataByte`; rotating ones differ in what follows. Views of one piece of memory. */
export function makePayloads(sizeBytes: number, kind: PayloadKind): Buffer[] {
  if (kind === 'hot') return [Buffer.alloc(sizeBytes, dataByte)];
  const count = Math.max(1, Math.floor(rotatingBytes / sizeBytes));
  const memory = Buffer.allocUnsafeSlow(count * sizeBytes);
  const payloads = new Array<Buffer>(count);
  for (let index = 0; index < count; index++) {
    const payload = memory.subarray(index * sizeBytes, (index + 1) * sizeBytes).fill(index & 0xff);
    payload[0] = dataByte;
    payloads[index] = payload;
  }
  return payloads;
}
