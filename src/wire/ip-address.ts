/**
 * IPv4 and IPv6 addresses between text and the bytes of a sockaddr.
 *
 * Text is made the way inet_ntop makes it, so that two spellings of one address give one string and
 * logs can be compared with Ceph's own. Parsing answers `undefined` for what is not an address; the
 * caller knows what to say about it. Zone ids (`%eth0`) are refused: they mean nothing to a peer.
 */
import { Buffer } from 'node:buffer';

/** The four bytes of a dotted IPv4 address; leading zeros are refused, as inet_pton does. */
export function parseIpv4(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = Buffer.alloc(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const value = Number(part);
    if (value > 255) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

/** The sixteen bytes of an IPv6 address without brackets; a dotted IPv4 tail is allowed. */
export function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 8 - head.length - tail.length;
  // A double colon stands for at least one group; without one there must be exactly eight.
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const bytes = Buffer.alloc(16);
  for (const [index, group] of head.entries()) bytes.writeUInt16BE(group, index * 2);
  for (const [index, group] of tail.entries()) bytes.writeUInt16BE(group, (head.length + zeros + index) * 2);
  return bytes;
}

/** 16-bit groups of one side of a double colon; only the last side may end in a dotted IPv4 address. */
function parseGroups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (mayEndDotted && index === parts.length - 1 && part.includes('.')) {
      const dotted = parseIpv4(part);
      if (dotted === undefined) return undefined;
      groups.push(dotted.readUInt16BE(0), dotted.readUInt16BE(2));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

export function formatIpv4(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** The shortest form: the first longest run of two or more zero groups becomes a double colon. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((bytes[at]! << 8) | bytes[at + 1]!);
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > runLength) {
      runStart = start;
      runLength = length;
    }
  }
  const mapped = runStart === 0 && (runLength === 6 || (runLength === 5 && groups[5] === 0xffff));
  if (mapped) return `::${runLength === 5 ? 'ffff:' : ''}${formatIpv4(bytes.subarray(12))}`;
  const hex = groups.map((group) => group.toString(16));
  if (runStart < 0) return hex.join(':');
  return `${hex.slice(0, runStart).join(':')}::${hex.slice(runStart + runLength).join(':')}`;
}
