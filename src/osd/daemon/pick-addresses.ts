/**
 * Which addresses an OSD binds: `public_addr` and `cluster_addr` as they are, else the first address of this
 * host that lies in `public_network` or `cluster_network` (lists of CIDR networks), in the order of the
 * networks. Loopback interfaces are passed over, as in Ceph: an address there must be given by hand.
 *
 *      public    public_addr ─► public_network ─► undefined: the caller asks the routing table
 *      cluster   cluster_addr ─► cluster_network ─► public_network ─► what public became, port 0
 *
 * Facts: src/common/pick_address.cc.
 */
import { isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { EntityAddr } from '../../wire/entity-addr.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';

export interface AddressOptions {
  readonly publicAddr?: string | undefined;
  readonly clusterAddr?: string | undefined;
  readonly publicNetwork?: string | undefined;
  readonly clusterNetwork?: string | undefined;
  /** Families that may be bound. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export interface PickedAddresses {
  /** Undefined when nothing says where: then whatever address reaches the monitors. */
  readonly public: EntityAddr | undefined;
  /** Undefined: the public address. */
  readonly cluster: EntityAddr | undefined;
}

export type HostInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for a text that is no address or network, or when none fits. */
export function pickAddresses(
  options: AddressOptions,
  interfaces: HostInterfaces = networkInterfaces(),
): PickedAddresses {
  const publicNetwork = textOf(options.publicNetwork);
  const clusterNetwork = textOf(options.clusterNetwork) ?? publicNetwork;
  const pick = (addrName: string, addr: string | undefined, networkName: string, networks?: string) => {
    const given = textOf(addr);
    if (given !== undefined) return parseBindAddr(addrName, given);
    return networks === undefined ? undefined : addressIn(networkName, networks, options, interfaces);
  };
  return {
    public: pick('public_addr', options.publicAddr, 'public_network', publicNetwork),
    cluster: pick(
      'cluster_addr',
      options.clusterAddr,
      textOf(options.clusterNetwork) === undefined ? 'public_network' : 'cluster_network',
      clusterNetwork,
    ),
  };
}

interface Network {
  readonly text: string;
  readonly prefix: Uint8Array;
  readonly bits: number;
}

function addressIn(
  name: string,
  text: string,
  { ipv4, ipv6 }: AddressOptions,
  interfaces: HostInterfaces,
): EntityAddr {
  for (const network of parseNetworks(name, text)) {
    if (network.prefix.length === 4 ? !ipv4 : !ipv6) continue;
    for (const [device, addresses = []] of Object.entries(interfaces)) {
      if (device === 'lo' || device.startsWith('lo:')) continue;
      const found = addresses.find(({ address }) => isWithin(network, address));
      if (found !== undefined) return new EntityAddr({ host: found.address, port: 0 });
    }
  }
  const there = Object.entries(interfaces)
    .filter(([device]) => device !== 'lo')
    .flatMap(([device, addresses = []]) => addresses.map(({ address }) => `${device} ${address}`));
  const families = [...(ipv4 ? ['IPv4'] : []), ...(ipv6 ? ['IPv6'] : [])].join(' or ');
  const reason =
    `${name} ${text}: no ${families || 'allowed'} address of this host lies in it; ` +
    `it has ${there.join(', ') || 'none beside loopback'}`;
  throw new MsgrError(ErrorCode.InvalidArgument, reason);
}

function parseNetworks(name: string, text: string): Network[] {
  const parts = text.split(/[,;\s]+/).filter((part) => part !== '');
  return parts.map((part) => {
    const slash = part.lastIndexOf('/');
    const prefix = slash < 0 ? undefined : ipBytes(part.slice(0, slash));
    const bits = /^\d{1,3}$/.test(part.slice(slash + 1)) ? Number(part.slice(slash + 1)) : -1;
    if (prefix === undefined || bits < 0 || bits > prefix.length * 8) {
      throw new MsgrError(
        ErrorCode.InvalidArgument,
        `${name}: ${JSON.stringify(part)} is not a network such as 10.1.0.0/16`,
      );
    }
    return { text: part, prefix, bits };
  });
}

function isWithin({ bits, prefix }: Network, address: string): boolean {
  const bytes = ipBytes(address);
  if (bytes?.length !== prefix.length) return false;
  return bytes.every((byte, index) => {
    const significant = Math.min(8, Math.max(0, bits - 8 * index));
    const mask = 0xff & ~(0xff >> significant);
    return (byte & mask) === (prefix[index]! & mask);
  });
}

/** Link-local addresses carry a zone (`%eth0`), which no network has. */
function ipBytes(text: string): Uint8Array | undefined {
  return isIPv4(text) ? parseIpv4(text) : parseIpv6(text.replace(/%.*$/, ''));
}

/** `10.0.0.1`, `10.0.0.1:6800`, `v2:10.0.0.1:0/0` or a vector of them: its v2 address, without the nonce. */
function parseBindAddr(name: string, text: string): EntityAddr {
  try {
    const addrs = EntityAddrVec.parse(text);
    const addr = addrs.v2() ?? addrs.front;
    if (addr === undefined || addr.host === '') throw new Error('no IP address');
    return new EntityAddr({ host: addr.host, port: addr.port });
  } catch (cause) {
    const reason = `${name} ${JSON.stringify(text)}: ${(cause as Error).message}`;
    throw new MsgrError(ErrorCode.InvalidArgument, reason, { cause });
  }
}

function textOf(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}
