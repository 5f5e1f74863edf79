/**
 * How one peer is reached over one network, in a word: what Ceph's rule does not say, because for Ceph a
 * peer is healthy or not. It never decides what is reported to the monitor.
 *
 *      up         pings are answered, in time
 *      degraded   answered, but late or not always
 *      oneWay     one direction lives: the peer's pings arrive while ours go unanswered, or the reverse
 *      down       nothing arrives
 */
import { type HeartbeatOptions, slowPingMs } from './heartbeat-options.ts';
import type { NetworkName } from './network-protocol.ts';

export const LinkState = {
  unknown: 'unknown',
  up: 'up',
  degraded: 'degraded',
  oneWay: 'oneWay',
  down: 'down',
} as const;
export type LinkState = (typeof LinkState)[keyof typeof LinkState];

/** One NIC that stands out: the peers that it separates answer on the other network. */
export interface NetworkFault {
  readonly network: NetworkName;
  /** Whose: this OSD's own NIC, or that of a peer. */
  readonly owner: number;
  readonly isOwn: boolean;
  readonly state: LinkState;
  /** The OSDs it separates from this one, in order. */
  readonly separated: readonly number[];
  readonly sinceMs: number;
  readonly reason: string;
}

/** What both networks know of a peer, on one of them. Times in ms, 0 for never. */
export interface LinkFacts {
  readonly firstTx: number;
  readonly lastRx: number;
  /** 0 when every ping was answered. */
  readonly oldestTx: number;
  readonly lastPingIn: number;
  readonly lastRttMs: number;
  readonly missed: number;
  readonly isConnected: boolean;
}

export interface Verdict {
  readonly state: LinkState;
  readonly reason: string;
}

/** Share of missed answers from which on a link is degraded. */
const missedShareMax = 0.2;

/** How long a ping may be unanswered before the link counts as dead: a quarter of the grace. */
export function silenceMs(options: HeartbeatOptions): number {
  return options.osd_heartbeat_grace * 250;
}

/** `other` is the same peer on the other network. */
export function judgeLink(
  facts: LinkFacts,
  other: LinkFacts | undefined,
  nowMs: number,
  options: HeartbeatOptions,
): Verdict {
  const slowMs = slowPingMs(options);
  const silentMs = facts.oldestTx === 0 ? 0 : nowMs - facts.oldestTx;
  if (silentMs > silenceMs(options)) {
    const seconds = (silentMs / 1000).toFixed(1);
    // Its pings go on arriving after ours was not answered: what it sends gets here.
    if (facts.lastPingIn > facts.oldestTx + slowMs) {
      return verdict('oneWay', `its pings arrive, ours have had no answer for ${seconds} s`);
    }
    const how = facts.isConnected ? 'no answer' : 'no connection';
    return verdict('down', `${how} for ${seconds} s`);
  }
  if (facts.firstTx === 0 || (facts.lastRx === 0 && facts.oldestTx !== 0)) {
    return verdict('unknown', 'not heard from yet');
  }
  // Ceph's OSDs ping over both networks in one beat: who pings here no more, but does there, cannot.
  const lateMs = 2 * options.osd_heartbeat_interval * 1000;
  const isPingingThere = other !== undefined && nowMs - other.lastPingIn < lateMs && other.lastPingIn > 0;
  if (facts.lastPingIn > 0 && isPingingThere && other.lastPingIn - facts.lastPingIn > lateMs) {
    const seconds = ((nowMs - facts.lastPingIn) / 1000).toFixed(1);
    return verdict('oneWay', `it answers, but its own pings have not arrived for ${seconds} s`);
  }
  if (silentMs > slowMs) return verdict('degraded', `a ping is unanswered for ${Math.round(silentMs)} ms`);
  if (facts.lastRttMs > slowMs)
    return verdict('degraded', `the last ping took ${Math.round(facts.lastRttMs)} ms`);
  if (facts.missed >= missedShareMax) {
    return verdict('degraded', `${Math.round(facts.missed * 100)} % of the last pings were late`);
  }
  return verdict('up', '');
}

function verdict(state: LinkState, reason: string): Verdict {
  return { state, reason };
}
