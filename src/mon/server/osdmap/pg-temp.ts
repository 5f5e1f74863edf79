/**
 * MOSDPGTemp: a primary whose own side has no data yet asks for those OSDs to act that have it. Only the
 * primary that the map names is heeded: what an earlier one wants is out of date.
 */
import type { OSDMap } from '../../../maps/osdmap.ts';
import type { PgId } from '../../../maps/pg.ts';
import type { Placement } from '../../../maps/placement.ts';
import type { MOSDPGTemp } from '../../../wire/messages/m-osd-pg-temp.ts';
import { isActive } from './active.ts';
import { done, type OsdSender, type Outcome, pendingMaps } from './outcome.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';
import { raiseUpThru } from './up-thru.ts';

interface Wish {
  readonly pg: PgId;
  readonly osds: readonly number[];
}

/** `placement` is that of the committed map. */
export function pgTemp(
  pending: PendingOsdMap,
  placement: Placement,
  sender: OsdSender,
  message: MOSDPGTemp,
): Outcome {
  const map = pending.base;
  if (!isActive(map, sender)) return done('that life of it is over');
  const wishes = message.pgTemp
    .map(({ pgid, osds }): Wish => ({ pg: { pool: Number(pgid.pool), seed: pgid.seed }, osds }))
    .filter(({ pg }) => pg.seed < (map.pools.get(pg.pool)?.pgNum ?? 0));
  if (wishes.some(({ osds }) => osds.some((osd) => osd < 0 || osd >= map.maxOsd))) {
    return done('it names OSDs that are not there');
  }
  const heeded = message.forced
    ? wishes
    : wishes.filter(({ pg }) => placement.pgToUpActing(pg).actingPrimary === sender.osd);
  if (heeded.length === 0) return done('it is the primary of none of them');
  if (!message.forced && !heeded.some((wish) => isChange(map, wish))) return done('it is so', message.epoch);

  for (const { pg, osds } of heeded) {
    if (pending.pool(pg.pool) === undefined) continue;
    pending.change.newPgTemp.set(pg, Int32Array.from(osds));
    // The message cannot say who is to be primary among them, so nobody in particular is.
    const { pool, seed } = pg;
    const { newPrimaryTemp } = pending.change;
    if ((map.primaryTemp.get(pool, seed) ?? newPrimaryTemp.get(pool, seed)) !== undefined) {
      newPrimaryTemp.set(pg, -1);
    }
    pending.touch();
  }
  raiseUpThru(pending, sender.osd, message.epoch);
  return pendingMaps(message.epoch);
}

function isChange({ pgTemp: temps, primaryTemp }: OSDMap, { pg: { pool, seed }, osds }: Wish): boolean {
  const before = temps.get(pool, seed);
  if (primaryTemp.get(pool, seed) !== undefined) return true;
  if (osds.length === 0) return before !== undefined;
  return before === undefined || before.length !== osds.length || osds.some((osd, at) => before[at] !== osd);
}
