/** Networks in capabilities: `10.1.0.0/16`, `fd00::/8`. */
import { parseIpv4, parseIpv6 } from '../../../wire/ip-address.ts';

interface Network {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

function parseNetwork(text: string): Network | undefined {
  const match = /^\[?([^/[\]]+)\]?\/(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const prefixBits = Number(match[2]);
  const bytes = parseIpv4(match[1]!) ?? parseIpv6(match[1]!);
  if (bytes === undefined || prefixBits > bytes.length * 8) return undefined;
  return { bytes, prefixBits };
}

/** False also when `network` is none, or `host` no IP address. */
export function isInNetwork(host: string, network: string): boolean {
  const parsed = parseNetwork(network);
  const bytes = parseIpv4(host) ?? parseIpv6(host);
  if (parsed === undefined || bytes === undefined || bytes.length !== parsed.bytes.length) return false;
  return parsed.bytes.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, parsed.prefixBits - index * 8));
    const mask = (0xff00 >> bits) & 0xff;
    return (byte & mask) === (bytes[index]! & mask);
  });
}
