/**
 * What msgr2 has to reach ("Speed to reach"): one goal for each ratio, held against the medians of a run. What was
 * not measured is not reached.
 */
import { lendBytesMin } from '../src/limits.ts';
import {
  cephAnswerer,
  cpuPerPing,
  daemonAnswerer,
  type PingCase,
  pingCases,
  pingPayloadBytes,
} from './osd-pings.ts';
import type { PeerResult, Results } from './results.ts';
import { cpuNsPerMessage } from './scenarios/connections.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { cpuOf, pingOf, rateOf } from './table.ts';

export interface Goal {
  readonly name: string;
  /** Of medians; null when one of the two was not measured. */
  readonly ratio: number | null;
  readonly must: number;
  /** Whether `must` is the least or the most that will do. */
  readonly bound: 'at least' | 'at most';
  readonly ok: boolean;
  /**
   * The same ratio for a C++ program that does that part of the work and nothing else, in the same run: its best
   * round over the median of what the goal is held against, so that a slow minute of the machine does not
   * make a bound. The sender makes an object for each message besides, and, where the handler may keep its messages,
   * the receiver does.
   * Null where no program stands for it. Short of `must` it forbids the goal.
   */
  readonly limit: number | null;
}

/** No messenger of these frames on this machine can reach it. */
export function isForbidden({ must, bound, limit }: Goal): boolean {
  return bound === 'at least' && limit !== null && limit < must;
}

const kib = 1024;
const goalSizes = [64, kib, 4 * kib, 64 * kib] as const;
const sizeWords: Readonly<Record<number, string>> = {
  64: '64 B',
  [kib]: '1 KiB',
  [4 * kib]: '4 KiB',
  [64 * kib]: '64 KiB',
};

/** Messages per second of one peer over those of another, by size. */
const throughputGoals = [
  { of: 'async', to: 'libzmq', must: [2.2, 4, 4, 2.5] },
  { of: 'async borrowing', to: 'libzmq', must: [3, 6, 6, 3.5] },
  { of: 'async', to: 'node:net', must: [1.4, 2.5, 2.5, 3] },
  { of: 'async borrowing', to: 'node:net', must: [2, 4, 3.5, 4] },
  { of: 'async borrowing', to: 'C++ stream', must: [0.45, 0.9, 1, 1.1] },
] as const;

/** What the limits are taken from. */
const framesAlone = 'C++ stream';
const framesPolling = 'C++ stream polling';
const framesShared = 'C++ stream shared';
const bytesAlone = 'TCP stream';
const answersAlone = 'C++ answers';
const objectsAlone = 'objects alone';
/** Whose handler may keep its messages. */
const keeping = 'async';

/** Median round trips with one under way. */
const pingGoals = [
  { of: 'async', to: 'TCP spinning', must: 1.3 },
  { of: 'async no polling', to: 'TCP blocking', must: 1.05 },
] as const;

/** CPU time of a real ceph-osd for a ping over ours. */
const osdPingMusts: readonly { readonly each: PingCase; readonly must: number }[] = pingCases.map((each) => ({
  each,
  must: each.window === 1 ? 3 : 7,
}));

export function goalsOf(results: Pick<Results, 'peers' | 'connections' | 'osdPings'>): Goal[] {
  return [
    ...throughputGoals.flatMap(({ of, to, must }) =>
      goalSizes.map((size, index) =>
        atLeast(
          `${of} / ${to}, one way, ${sizeWords[size]}`,
          rateRatio(results.peers, of, to, size),
          must[index]!,
          throughputLimit(results.peers, of, to, size),
        ),
      ),
    ),
    ...pingGoals.map(({ of, to, must }) =>
      atMost(`${of} / ${to}, round trip p50, 64 B`, pingRatio(results.peers, of, to), must),
    ),
    ...osdPingMusts.map(({ each, must }) =>
      atLeast(
        `ceph-osd / msgr2, CPU per ping, ${each.minMessageSize === 0 ? 'unpadded' : `${each.minMessageSize} B`}, ${each.window} under way`,
        quotient(
          cpuPerPing(results.osdPings, each, cephAnswerer),
          cpuPerPing(results.osdPings, each, daemonAnswerer),
        ),
        must,
        quotient(cpuPerPing(results.osdPings, each, cephAnswerer), leastCpuPerAnswer(results.peers, each)),
      ),
    ),
    ...connectionGoals(results.connections),
    atLeast(
      'async secure / AEAD alone, one way, 4 KiB',
      rateRatio(results.peers, 'async secure', 'AEAD alone', 4 * kib),
      0.7,
    ),
  ];
}

function connectionGoals(samples: Results['connections']): Goal[] {
  const median = (values: number[]): number | undefined =>
    values.length === 0 ? undefined : spreadOf(values).median;
  // A quick run opens fewer, and says so.
  const open = (samples[0]?.open ?? 10_000).toLocaleString('en-US');
  return [
    atMost(
      `${open} connections, 1 % active / 10: CPU per message`,
      median(
        samples.map(({ few, many }) => cpuNsPerMessage(many, 'server') / cpuNsPerMessage(few, 'server')),
      ),
      1.5,
    ),
    atMost(
      'memory per idle connection / 16 KiB',
      median(samples.map(({ bytesPerConnection }) => bytesPerConnection.server / (16 * kib))),
      1,
    ),
  ];
}

function rateRatio(
  peers: readonly PeerResult[],
  of: string,
  to: string,
  sizeBytes: number,
): number | undefined {
  return quotient(rateAt(peers, of, sizeBytes)?.median, rateAt(peers, to, sizeBytes)?.median);
}

function rateAt(peers: readonly PeerResult[], name: string, sizeBytes: number): Spread | undefined {
  const peer = peers.find((candidate) => candidate.name === name);
  return peer && rateOf(peer, sizeBytes);
}

/**
 * How fast it can be at most, over the median of `to`: the frames made, moved and read by C++ that does nothing else,
 * for a sender that makes what is sent, by a receiver that makes what a handler gets when it may keep it.
 */
function throughputLimit(
  peers: readonly PeerResult[],
  of: string,
  to: string,
  sizeBytes: number,
): number | undefined {
  const frames = framePeers(peers, to, sizeBytes);
  const rates = frames.flatMap((peer) => rateOf(peer, sizeBytes)?.max ?? []);
  if (rates.length === 0) return undefined;
  let limit = Math.max(...rates);
  const objects = peers.find(({ name }) => name === objectsAlone);
  if (objects !== undefined) {
    for (const end of of === keeping ? (['client', 'server'] as const) : (['client'] as const)) {
      const endNs = leastCpuNs(frames, sizeBytes, end) + leastCpuNs([objects], sizeBytes, end);
      limit = Math.min(limit, 1e9 / endNs);
    }
  }
  return quotient(limit, rateAt(peers, to, sizeBytes)?.median);
}

/**
 * Those that do nothing but move the frames. From where payloads are lent, and beside that C++ itself, only the
 * moving counts.
 */
function framePeers(peers: readonly PeerResult[], to: string, sizeBytes: number): PeerResult[] {
  const names: readonly string[] =
    to === framesAlone || sizeBytes >= lendBytesMin
      ? [bytesAlone, framesShared]
      : [framesAlone, framesPolling, framesShared];
  return peers.filter(({ name }) => names.includes(name));
}

/** CPU time in nanoseconds of one end for a message, in its best round. */
function leastCpuNs(peers: readonly PeerResult[], sizeBytes: number, end: 'server' | 'client'): number {
  return Math.min(...peers.map((peer) => cpuOf(peer, sizeBytes, end)?.min ?? Number.POSITIVE_INFINITY));
}

/** CPU time in nanoseconds of a C++ server for one answer as large, in its best round. */
function leastCpuPerAnswer(peers: readonly PeerResult[], each: PingCase): number | undefined {
  const peer = peers.find(({ name }) => name === answersAlone);
  const costs = (peer?.heartbeats ?? [])
    .filter(({ depth, sizeBytes }) => depth === each.window && sizeBytes === pingPayloadBytes(each))
    .map(({ server, roundTrips }) => ((server.userUs + server.systemUs) * 1000) / roundTrips);
  return costs.length === 0 ? undefined : Math.min(...costs);
}

function pingRatio(peers: readonly PeerResult[], of: string, to: string): number | undefined {
  const p50 = (name: string) => {
    const peer = peers.find((candidate) => candidate.name === name);
    return peer && pingOf(peer, 'p50')?.median;
  };
  return quotient(p50(of), p50(to));
}

function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

function atLeast(name: string, ratio: number | undefined, must: number, limit?: number): Goal {
  const ok = ratio !== undefined && ratio >= must;
  return { name, ratio: ratio ?? null, must, bound: 'at least', ok, limit: limit ?? null };
}

function atMost(name: string, ratio: number | undefined, must: number): Goal {
  const ok = ratio !== undefined && ratio <= must;
  return { name, ratio: ratio ?? null, must, bound: 'at most', ok, limit: null };
}
