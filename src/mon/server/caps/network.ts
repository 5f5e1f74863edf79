/** Networks in capabilities: `10.1.0.0/16`, `fd00::/8`. */
import { AddrFamily, type EntityAddr } from '../../../wire/entity-addr.ts';
import { parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';

interface Network {
  readonly family: number;
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

function parseNetwork(text: string): Network | undefined {
  const match = /^\[?([^/[\]]+)\]?\/(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const prefixBits = Number(match[2]);
  const ipv4 = parseIpv4(match[1]!);
  const bytes = ipv4 ?? parseIpv6(match[1]!);
  if (bytes === undefined || prefixBits > bytes.length * 8) return undefined;
  return { family: ipv4 ? AddrFamily.Inet : AddrFamily.Inet6, bytes, prefixBits };
}

/** False also when `text` is no network. */
export function isInNetwork(address: EntityAddr, text: string): boolean {
  const network = parseNetwork(text);
  if (network === undefined || address.family !== network.family) return false;
  const bytes = network.family === AddrFamily.Inet ? parseIpv4(address.host) : parseIpv6(address.host);
  if (bytes === undefined) return false;
  return network.bytes.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, network.prefixBits - index * 8));
    const mask = (0xff00 >> bits) & 0xff;
    return (byte & mask) === (bytes[index]! & mask);
  });
}
