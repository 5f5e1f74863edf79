/**
 * Socket addresses as the core writes them into records: six 32-bit words.
 *
 *      word 0     family (4, 6, 0 for none) in the low, port in the high 16 bits
 *      word 1..4  address bytes in network order; IPv4 in word 1 alone
 *      word 5     IPv6 scope id
 */
import { loadNative } from '../../native.ts';
import type { SocketAddress } from '../socket.ts';

export const addressWords = 6;

/** Undefined when the words hold no address. */
export function readAddressWords(words: Int32Array, at: number): SocketAddress | undefined {
  const family = words[at]! & 0xffff;
  const port = words[at]! >>> 16;
  const bytes = new Uint8Array(words.buffer, words.byteOffset + (at + 1) * 4, 16);
  if (family === 4) return { family, host: bytes.subarray(0, 4).join('.'), port };
  if (family === 6) return { family, host: ipv6Text(bytes) + zone(words[at + 5]!), port };
  return undefined;
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`, the first of equals. */
function ipv6Text(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push((bytes[index]! << 8) | bytes[index + 1]!);
  let best = 0;
  let bestLength = 1;
  for (let first = 0; first < 8; first++) {
    let length = 0;
    while (first + length < 8 && groups[first + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [first, length];
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (bestLength < 2) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

function zone(scope: number): string {
  if (scope === 0) return '';
  return `%${loadNative().interfaceName(scope) || scope}`;
}
