/**
 * `mon_host`: where monitors may be found before there is a map of them. What Ceph accepts is read:
 *
 *     [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0],[v2:10.0.0.2:3300/0,v1:10.0.0.2:6789/0]
 *     10.0.0.1, 10.0.0.2:3300; mon3.example [::1]:3300
 *
 * Parts are separated by commas, semicolons or spaces. An address without a port is meant at 3300; without
 * a protocol it is one of msgr2, unless its port is 6789, msgr1's. Addresses of msgr1 are passed over.
 */
import { lookup as dnsLookup } from 'node:dns/promises';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { AddrType, EntityAddr } from '../../wire/entity-addr.ts';
import { parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';

/** IANA's number for Ceph monitors that speak msgr2. */
export const monPort = 3300;
/** Where monitors speak msgr1. */
const legacyMonPort = 6789;
const hostNamePattern = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;

/** One place to look at: an address, or a name that DNS knows. */
export type MonHost =
  | { readonly addr: EntityAddr }
  | { readonly hostName: string; readonly port: number; readonly nonce: number };

/** All addresses of a name, as `dns.promises.lookup(name, { all: true })` gives them. */
export type LookupHost = (hostName: string) => Promise<readonly { readonly address: string }[]>;

export const systemLookup: LookupHost = (hostName) => dnsLookup(hostName, { all: true });

function refuse(text: string, reason: string): never {
  throw new MsgrError(ErrorCode.InvalidArgument, `mon_host ${JSON.stringify(text)}: ${reason}`);
}

/**
 * The places of a `mon_host` at which msgr2 may be spoken, in their order.
 *
 * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that says which part is wrong, or that none is left.
 */
export function parseMonHost(text: string): MonHost[] {
  const hosts: MonHost[] = [];
  let legacyCount = 0;
  for (const part of splitOutsideBrackets(text)) {
    for (const address of isVector(part) ? part.slice(1, -1).split(',') : [part]) {
      const host = parseAddress(address.trim(), text);
      if (host === 'msgr1') legacyCount++;
      else hosts.push(host);
    }
  }
  if (hosts.length === 0) {
    refuse(
      text,
      legacyCount > 0
        ? `it names only addresses of msgr1 (v1, port ${legacyMonPort}); msgr2 is spoken at v2 addresses, port ${monPort}`
        : 'it names no monitor',
    );
  }
  return hosts;
}

/**
 * The addresses of all places; names are looked up anew. What DNS does not know is told in `failures`.
 */
export async function resolveMonHosts(
  hosts: readonly MonHost[],
  lookup: LookupHost,
): Promise<{ addrs: EntityAddr[]; failures: MsgrError[] }> {
  const failures: MsgrError[] = [];
  const found = await Promise.all(
    hosts.map(async (host): Promise<EntityAddr[]> => {
      if ('addr' in host) return [host.addr];
      const { hostName, port, nonce } = host;
      try {
        const answers = await lookup(hostName);
        return answers.map(({ address }) => new EntityAddr({ host: address, port, nonce }));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        failures.push(
          new MsgrError(ErrorCode.Socket, `monitor host ${hostName} is not found: ${reason}`, { cause }),
        );
        return [];
      }
    }),
  );
  const unique = new Map(found.flat().map((addr) => [addr.key, addr]));
  return { addrs: [...unique.values()], failures };
}

/** `[v2:…,v1:…]`, and not `[::1]:3300`. */
function isVector(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']') && parseIpv6(part.slice(1, -1)) === undefined;
}

function splitOutsideBrackets(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (const character of text) {
    if (character === '[') depth++;
    if (character === ']' && --depth < 0) refuse(text, "a ']' without its '['");
    if (depth === 0 && /[,;\s]/.test(character)) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  if (depth > 0) refuse(text, "a '[' is not closed");
  parts.push(part);
  return parts.filter((each) => each !== '');
}

function parseAddress(address: string, text: string): MonHost | 'msgr1' {
  const match = /^(?:(v1|v2|any):)?(.*?)(?:\/(\d+))?$/.exec(address);
  const [, prefix, endpoint = '', nonceText = '0'] = match ?? [];
  const { host, portText } = splitPort(endpoint);
  const port = portText === undefined ? monPort : Number(portText);
  const nonce = Number(nonceText);
  if (portText !== undefined && (!/^\d{1,5}$/.test(portText) || port < 1 || port > 0xffff)) {
    refuse(text, `the port in ${JSON.stringify(address)} must be 1 to 65535`);
  }
  if (nonce > 0xffffffff) refuse(text, `the nonce in ${JSON.stringify(address)} must be 0 to 4294967295`);
  const isIp = parseIpv4(host) !== undefined || parseIpv6(host) !== undefined;
  if (!isIp && (!hostNamePattern.test(host) || /^[\d.]+$/.test(host))) {
    refuse(text, `${JSON.stringify(address)} is neither an address nor a host name`);
  }
  if (prefix === 'v1' || (prefix === undefined && port === legacyMonPort)) return 'msgr1';
  if (!isIp) return { hostName: host, port, nonce };
  return { addr: new EntityAddr({ type: AddrType.Msgr2, host, port, nonce }) };
}

/** `1.2.3.4:3300`, `[::1]:3300`, `[::1]`, `::1`, `name`, `name:3300`. */
function splitPort(endpoint: string): { host: string; portText: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(endpoint);
  if (bracketed !== null) return { host: bracketed[1]!, portText: bracketed[2] };
  const colon = endpoint.lastIndexOf(':');
  if (colon < 0 || parseIpv6(endpoint) !== undefined) return { host: endpoint, portText: undefined };
  return { host: endpoint.slice(0, colon), portText: endpoint.slice(colon + 1) };
}
