/** The answer to `dump_osd_network [threshold]` of the admin socket, as Ceph gives it. */
import { type NetworkName, networkNames } from './network-protocol.ts';
import type { PingTimes } from './ping-times.ts';

export interface DumpedPeer {
  readonly osd: number;
  /** Undefined before its first minute there is over. */
  times(network: NetworkName): PingTimes | undefined;
  /** The last round trip on each network, in ms. */
  lastMs(network: NetworkName): number;
}

export interface OsdNetworkDump {
  readonly threshold: number;
  readonly entries: readonly OsdNetworkEntry[];
}

interface Spans {
  readonly '1min': number;
  readonly '5min': number;
  readonly '15min': number;
}

export interface OsdNetworkEntry {
  readonly 'last update': string;
  readonly stale: boolean;
  readonly 'from osd': number;
  readonly 'to osd': number;
  readonly interface: NetworkName;
  readonly average: Spans;
  readonly min: Spans;
  readonly max: Spans;
  readonly last: number;
}

/** Entries with an average at or above `thresholdMs`, the slowest first. `wallMs` turns monotonic time to wall clock. */
export function dumpOsdNetwork(
  whoami: number,
  peers: Iterable<DumpedPeer>,
  thresholdMs: number,
  nowMs: number,
  staleMs: number,
  wallMs: (monotonicMs: number) => number,
): OsdNetworkDump {
  const found: { worst: number; entry: OsdNetworkEntry }[] = [];
  for (const peer of peers) {
    for (const network of networkNames) {
      const times = peer.times(network);
      if (times === undefined) continue;
      const worst = Math.max(...times.average);
      if (worst < thresholdMs * 1000) continue;
      const entry: OsdNetworkEntry = {
        'last update': ctime(wallMs(times.updatedMs)),
        stale: nowMs - times.updatedMs > staleMs,
        'from osd': whoami,
        'to osd': peer.osd,
        interface: network,
        average: spans(times.average),
        min: spans(times.min),
        max: spans(times.max),
        last: milliseconds(peer.lastMs(network) * 1000),
      };
      found.push({ worst, entry });
    }
  }
  found.sort((left, right) => right.worst - left.worst);
  return { threshold: thresholdMs, entries: found.map(({ entry }) => entry) };
}

function spans([one, five, fifteen]: readonly [number, number, number]): Spans {
  return { '1min': milliseconds(one), '5min': milliseconds(five), '15min': milliseconds(fifteen) };
}

/** From microseconds, with Ceph's three digits. */
function milliseconds(microseconds: number): number {
  return Math.round(microseconds) / 1000;
}

/** `Thu Sep  5 13:35:42 2019`, in local time. */
function ctime(wallMs: number): string {
  const date = new Date(wallMs);
  const [weekday, month, day, year] = date.toDateString().split(' ');
  const clock = date.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}
