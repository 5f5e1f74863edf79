/**
 * A peer is anything whose messages are measured beside msgr2's. Each lives in one file of bench/peers/,
 * which exports `peers`; that file is all there is to add. A file that cannot be loaded (its package is not
 * installed) is passed over, and the run says so.
 */
import { readdirSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { ProcessPair, type ProgressListener } from '../src/cli/bench/process-pair.ts';
import type {
  GcSample,
  RequestTask,
  RoundTripSample,
  StreamTask,
  ThroughputSample,
} from '../src/cli/bench/samples.ts';

/** What a pair of ends can be asked; the other scenarios (bench/scenarios/) are not of pairs. */
export const PairScenario = {
  /** One way, one payload over and over. */
  Stream: 'stream',
  /** One way, 16 MiB of different payloads in turn. */
  Rotating: 'rotating',
  /** Request and reply, at several depths. */
  Requests: 'requests',
  /** What the garbage collectors have to do. */
  Gc: 'gc',
  /** One way, from many connections. */
  FanIn: 'fan-in',
  /** A messenger's connection to itself. */
  Loopback: 'loopback',
  /** Request and reply as large and as many as the pings of osd-pings.ts. */
  Heartbeats: 'heartbeats',
} as const;
export type PairScenario = (typeof PairScenario)[keyof typeof PairScenario];

export interface Peer {
  /** Short and stable: `--peers`, JSON and the ratios use it. */
  readonly name: string;
  /** What it is, for the table. */
  readonly title: string;
  /** Rank in the tables, lowest first. */
  readonly order: number;
  readonly scenarios: readonly PairScenario[];
  /** What it does and does not do beside moving bytes: whoever reads a ratio has to know. */
  readonly does: string;
  /** Pings under way at once that it can be asked for; any when absent. */
  readonly depthMax?: number;
  /** Why it cannot run here; undefined when it can. */
  missing?(): string | undefined;
  /** Starts a server and a client process and connects them; fresh ones for each round. */
  start(): Promise<PeerSession>;
}

/**
 * A running pair. Each measurement takes about as long as its task says and a short warm-up before; a message
 * counts when the receiving side's user code has had it, and the peer checks that none is lost. What a peer's
 * scenarios do not need may be absent.
 */
export interface PeerSession {
  throughput?(task: StreamTask, onProgress?: ProgressListener): Promise<ThroughputSample>;
  roundTrips?(task: RequestTask, onProgress?: ProgressListener): Promise<RoundTripSample>;
  collections?(task: StreamTask): Promise<GcSample>;
  /** Opens connections until there are `count`. */
  connect?(count: number): Promise<void>;
  close(): Promise<void>;
}

export type PeerDescription = Omit<Peer, 'start'>;

/**
 * A peer written in JavaScript: the module `moduleUrl` exports `makeEnds(options)`, a `LinkEnds` of
 * src/cli/bench/link.ts, and is driven by the same loops as msgr2.
 */
export function linkPeer(description: PeerDescription, moduleUrl: string, options: unknown = {}): Peer {
  return { ...description, start: () => ProcessPair.start(moduleUrl, options) };
}

export interface FoundPeers {
  readonly peers: readonly Peer[];
  /** Name and reason of each that cannot run here. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

/** All peers of bench/peers/ that can run here, in order. */
export async function findPeers(): Promise<FoundPeers> {
  const folder = new URL('./peers/', import.meta.url);
  const extension = extname(import.meta.url);
  const peers: Peer[] = [];
  const missing: { name: string; reason: string }[] = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(extension))
    .sort()) {
    let found: readonly Peer[];
    try {
      found = ((await import(new URL(file, folder).href)) as { peers: readonly Peer[] }).peers;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      missing.push({ name: basename(file, extension), reason: (error as Error).message });
      continue;
    }
    for (const peer of found) {
      const reason = peer.missing?.();
      if (reason === undefined) peers.push(peer);
      else missing.push({ name: peer.name, reason });
    }
  }
  return { peers: peers.sort((left, right) => left.order - right.order), missing };
}
