/**
 * Exceptions from placement (pg_temp, primary_temp, upmaps) that are pointless in the next map: their pool or
 * group is gone, none of their OSDs is up, or they say what placement says without them.
 */

import { crushItemNone } from '../../../maps/crush/map.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { isUp, osdOut } from '../../../maps/osdmap.ts';
import type { PgId, PgMap } from '../../../maps/pg.ts';
import { Placement } from '../../../maps/placement.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

export function cleanPgMappings(pending: PendingOsdMap, next: OSDMap): void {
  const sizes = [next.pgTemp, next.primaryTemp, next.pgUpmap, next.pgUpmapItems].map(({ size }) => size);
  if (sizes.every((size) => size === 0)) return;
  const { base, change } = pending;
  const placement = new Placement(next);

  for (const [pg, osds] of next.pgTemp) {
    if (!isTempPointless(next, placement, pg, osds)) continue;
    removeTemp(base.pgTemp, change.newPgTemp, pg, new Int32Array(0));
  }
  for (const [pg, primary] of next.primaryTemp) {
    const pointless =
      !pgExists(next, pg) ||
      !isUp(next, primary) ||
      placement.pgToUpActing(pg).actingPrimary === placement.pgToUpActing(pg).upPrimary;
    if (pointless) removeTemp(base.primaryTemp, change.newPrimaryTemp, pg, -1);
  }
  for (const [pg, osds] of next.pgUpmap) {
    const isRight = pgExists(next, pg) && osds.length === next.pools.get(pg.pool)!.size;
    if (isRight && osds.every((osd) => isUsable(next, osd))) continue;
    removeUpmap(base.pgUpmap, change.newPgUpmap, change.oldPgUpmap, pg);
  }
  for (const [pg, items] of next.pgUpmapItems) {
    const raw = pgExists(next, pg) ? placement.pgToRaw(pg).raw : [];
    const useful = items.filter(({ from, to }) => raw.includes(from) && isUsable(next, to));
    if (useful.length === items.length) continue;
    if (useful.length > 0) change.newPgUpmapItems.set(pg, useful);
    else removeUpmap(base.pgUpmapItems, change.newPgUpmapItems, change.oldPgUpmapItems, pg);
  }
}

function pgExists(map: OSDMap, { pool, seed }: PgId): boolean {
  return seed < (map.pools.get(pool)?.pgNum ?? 0);
}

function isUsable(map: OSDMap, osd: number): boolean {
  return osd === crushItemNone || (map.osdWeight[osd] ?? osdOut) !== osdOut;
}

function isTempPointless(next: OSDMap, placement: Placement, pg: PgId, osds: Int32Array): boolean {
  if (!pgExists(next, pg) || osds.length > next.pools.get(pg.pool)!.size) return true;
  if (!osds.some((osd) => isUp(next, osd))) return true;
  const { up } = placement.pgToUpActing(pg);
  return up.length === osds.length && up.every((osd, at) => osds[at] === osd);
}

/** One that is only pending is dropped, one that is committed is removed. */
function removeTemp<V>(committed: PgMap<V>, pending: PgMap<V>, pg: PgId, removal: V): void {
  if (committed.get(pg.pool, pg.seed) === undefined) pending.delete(pg);
  else pending.set(pg, removal);
}

function removeUpmap<V>(committed: PgMap<V>, pending: PgMap<V>, removed: PgId[], pg: PgId): void {
  pending.delete(pg);
  const isListed = removed.some(({ pool, seed }) => pool === pg.pool && seed === pg.seed);
  if (committed.get(pg.pool, pg.seed) !== undefined && !isListed) removed.push(pg);
}
