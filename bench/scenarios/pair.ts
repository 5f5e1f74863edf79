/** One peer's turn in a round: everything that the plan asks of a pair, on one pair of fresh processes. */
import { formatSize } from '../../src/cli/format.ts';
import type { CoreDistance } from '../core-distance.ts';
import { pingCases, pingPayloadBytes } from '../osd-pings.ts';
import { PairScenario, type Peer, type PeerSession } from '../peer.ts';
import type { Plan } from '../plan.ts';
import type { MutablePeerResult } from '../results.ts';

/** Told what is being measured, and how many messages there are so far. */
export type Watcher = (what: string) => (messages: number) => void;

export async function measurePeer(
  peer: Peer,
  plan: Plan,
  result: MutablePeerResult,
  watch: Watcher,
  cores: CoreDistance,
): Promise<void> {
  const scenarios = peer.scenarios.filter((scenario) => plan.scenarios.includes(scenario));
  if (scenarios.length === 0) return;
  let session: PeerSession | undefined;
  try {
    session = await peer.start();
    const steady = steadied(session, cores);
    for (const scenario of scenarios) await measure[scenario](peer, steady, plan, result, watch);
  } finally {
    await session?.close();
  }
}

/** The same session, whose figures are of times when the machine's cores are near each other. */
function steadied(session: PeerSession, cores: CoreDistance): PeerSession {
  return {
    throughput: (task, onProgress) => cores.steady(() => session.throughput!(task, onProgress)),
    roundTrips: (task, onProgress) => cores.steady(() => session.roundTrips!(task, onProgress)),
    collections: (task) => cores.steady(() => session.collections!(task)),
    connect: (count) => session.connect!(count),
    close: () => session.close(),
  };
}

type Measure = (
  peer: Peer,
  session: PeerSession,
  plan: Plan,
  result: MutablePeerResult,
  watch: Watcher,
) => Promise<void>;

const measure: Record<PairScenario, Measure> = {
  async [PairScenario.Stream](_peer, session, { sizesBytes, seconds }, { stream }, watch) {
    for (const sizeBytes of sizesBytes) {
      stream.push(await session.throughput!({ sizeBytes, seconds }, watch(formatSize(sizeBytes))));
    }
  },

  async [PairScenario.Rotating](_peer, session, { sizesBytes, seconds }, { rotating }, watch) {
    for (const sizeBytes of sizesBytes) {
      const what = `${formatSize(sizeBytes)}, rotating`;
      rotating.push(await session.throughput!({ sizeBytes, seconds, payloads: 'rotating' }, watch(what)));
    }
  },

  async [PairScenario.Requests](peer, session, { pingBytes, depths, seconds }, { requests }, watch) {
    for (const depth of depths) {
      if (depth > (peer.depthMax ?? Number.POSITIVE_INFINITY)) continue;
      const task = { sizeBytes: pingBytes, seconds, depth };
      requests.push(await session.roundTrips!(task, watch(`${depth} requests under way`)));
    }
  },

  async [PairScenario.Gc](_peer, session, { gcSizesBytes, seconds }, { gc }, watch) {
    for (const sizeBytes of gcSizesBytes) {
      watch('collections')(0);
      gc.push(await session.collections!({ sizeBytes, seconds }));
    }
  },

  async [PairScenario.FanIn](_peer, session, { fanInBytes, fanInConnections, seconds }, { fanIn }, watch) {
    for (const active of fanInConnections) {
      // None is closed: the busy ones are the first so many.
      await session.connect!(active);
      const task = { sizeBytes: fanInBytes, seconds, active };
      fanIn.push(await session.throughput!(task, watch(`${active} connections`)));
    }
  },

  async [PairScenario.Loopback](_peer, session, { sizesBytes, seconds }, { loopback }, watch) {
    for (const sizeBytes of sizesBytes) {
      loopback.push(await session.throughput!({ sizeBytes, seconds }, watch(formatSize(sizeBytes))));
    }
  },

  async [PairScenario.Heartbeats](_peer, session, { seconds }, { heartbeats }, watch) {
    for (const each of pingCases) {
      const task = { sizeBytes: pingPayloadBytes(each), seconds, depth: each.window };
      heartbeats.push(await session.roundTrips!(task, watch(`${each.window} heartbeats under way`)));
    }
  },
};
