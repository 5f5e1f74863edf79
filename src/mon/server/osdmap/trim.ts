/** How far the OSDMap's history may be forgotten, and how much of that is forgotten at once. */
import type { Options } from '../../../options.ts';

export interface History {
  readonly firstCommitted: number;
  readonly lastCommitted: number;
  /** The oldest epoch that some placement group or OSD still needs. */
  readonly neededFrom: number;
}

/** Beyond this many times paxos_service_trim_max a backlog is cut down faster. */
const hurryFactor = 1.5;
const trimMaxMultiplier = 20;

/** The epoch that becomes the oldest; undefined when it is not worth the while yet. */
export function trimTo(
  { firstCommitted, lastCommitted, neededFrom }: History,
  options: Options,
): number | undefined {
  const forced = options.mon_osd_force_trim_to;
  const wanted = forced > 0 && forced < lastCommitted ? forced : neededFrom;
  const floor = Math.min(wanted, Math.max(0, lastCommitted - options.mon_min_osdmap_epochs));
  const count = floor - firstCommitted;
  const { paxos_service_trim_min: min, paxos_service_trim_max: max } = options;
  if (count <= 0 || count < min) return undefined;
  if (max === 0 || count < max * hurryFactor) return floor;
  // A long backlog goes in larger parts, each still a bounded transaction.
  return firstCommitted + Math.min(count, max * trimMaxMultiplier);
}
