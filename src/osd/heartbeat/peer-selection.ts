/**
 * Who is pinged (facts 5.7): the sharers of this OSD's PGs, its neighbours on the ring of up OSDs, OSDs of
 * other subtrees, and more along the ring until there are osd_heartbeat_min_peers.
 *
 * Ceph draws the OSDs of other subtrees anew for each map and at each forced update. Here those that were
 * drawn stay while they are up, and who owes an answer stays too: a peer that is dropped while it is silent
 * is a failure that nobody reports, just when maps follow one another.
 */
import { nextUpOsdAfter, noOsd, previousUpOsdBefore, randomUpOsdsBySubtree } from '../../maps/neighbours.ts';
import { isUp, type OSDMap } from '../../maps/osdmap.ts';
import type { HeartbeatOptions } from './heartbeat-options.ts';
import { subtreeOfOsds } from './subtrees.ts';

export interface PeerSelectionInput {
  readonly map: OSDMap;
  readonly whoami: number;
  /** Of the PGs; not asked for while the OSD is not active. */
  readonly pgPeers: Iterable<number>;
  readonly current: Iterable<number>;
  /** Peers whose answer is awaited for longer than an interval. */
  readonly owing: ReadonlySet<number>;
  readonly options: HeartbeatOptions;
  readonly random: () => number;
}

export function selectPeers(input: PeerSelectionInput): Set<number> {
  const { map, whoami, options, random } = input;
  const minPeers = options.osd_heartbeat_min_peers;
  const current = new Set<number>();
  for (const osd of input.current) if (osd !== whoami && isUp(map, osd)) current.add(osd);
  const peers = new Set<number>();
  for (const osd of input.pgPeers) if (osd !== whoami && isUp(map, osd)) peers.add(osd);

  const want = new Set<number>();
  const next = nextUpOsdAfter(map, whoami);
  const previous = previousUpOsdBefore(map, whoami);
  for (const osd of [next, previous]) if (osd !== noOsd) want.add(osd);
  const level = options.mon_osd_reporter_subtree_level;
  const limit = Math.max(options.mon_osd_min_down_reporters, minPeers);
  addOfOtherSubtrees(want, current, map, whoami, level, limit, random);
  for (const osd of want) peers.add(osd);

  // Too few? Then along the ring.
  for (let osd = next; osd !== noOsd && peers.size < minPeers; ) {
    if (osd !== whoami) peers.add(osd);
    osd = nextUpOsdAfter(map, osd);
    if (osd === next) break;
  }
  for (const osd of current) if (input.owing.has(osd) || peers.size < minPeers) peers.add(osd);
  return peers;
}

/** Up to `limit` OSDs, each of another subtree than this one's and than one another's: of `current` first. */
function addOfOtherSubtrees(
  want: Set<number>,
  current: ReadonlySet<number>,
  map: OSDMap,
  whoami: number,
  level: string,
  limit: number,
  random: () => number,
): void {
  const subtreeOf = subtreeOfOsds(map.crush, level);
  const covered = new Set([subtreeOf.get(whoami)]);
  let found = 0;
  const add = (osds: Iterable<number>): void => {
    for (const osd of osds) {
      const subtree = subtreeOf.get(osd);
      if (found >= limit || subtree === undefined || covered.has(subtree) || want.has(osd)) continue;
      covered.add(subtree);
      want.add(osd);
      found++;
    }
  };
  const neighbours = new Set(want);
  add(current);
  if (found < limit) {
    add(randomUpOsdsBySubtree(map, whoami, level, limit + found, neighbours, random));
  }
}
