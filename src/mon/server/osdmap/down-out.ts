/**
 * From down to out: an OSD that stays down has its data moved elsewhere after mon_osd_down_out_interval. Not
 * when an operator forbade it, when too many are out already, or when all of a rack is down: then a switch
 * is likelier broken than every disk, and moving would be in vain.
 */
import type { CrushMap } from '../../../maps/crush/map.ts';
import { isIn, isUp, type OSDMap, osdOut } from '../../../maps/osdmap.ts';
import { OsdState } from '../../../maps/states.ts';
import { crushParents } from './crush-location.ts';
import { laggyGraceSeconds } from './laggy.ts';
import { type MarkContext, mayMarkAnyOut, mayMarkOut } from './may-mark.ts';

export class DownOut {
  /** Since when OSDs that are in are down; monotonic. A monitor that was restarted counts from then. */
  readonly #since = new Map<number, number>();

  /** After each commit, and once on start. */
  mapChanged(map: OSDMap, nowMs: number): void {
    for (const osd of this.#since.keys()) if (osd >= map.maxOsd) this.#since.delete(osd);
    for (let osd = 0; osd < map.maxOsd; osd++) {
      if (map.osdWeight[osd] === osdOut) continue;
      if (isUp(map, osd)) this.#since.delete(osd);
      else if (!this.#since.has(osd)) this.#since.set(osd, nowMs);
    }
  }

  /** On tick. */
  check(context: MarkContext, nowMs: number, tell: (text: string) => void): void {
    if (!mayMarkAnyOut(context)) return;
    const { pending, options } = context;
    const map = pending.base;
    const limit = options.mon_osd_down_out_subtree_limit;
    const limitType = [...map.crush.typeNames].find(([, name]) => name === limit)?.[0] ?? 0;
    const downSubtrees = new Set<number>();
    for (const [osd, sinceMs] of [...this.#since]) {
      if (isUp(map, osd) || !isIn(map, osd)) {
        this.#since.delete(osd);
        continue;
      }
      // Ceph forgets an OSD that may not go out; here it still goes out soon after the flag is gone.
      if (!mayMarkOut(context, osd)) continue;
      if (limitType > 0 && isSubtreeDown(map, osd, limitType, downSubtrees)) {
        this.#since.set(osd, nowMs);
        continue;
      }
      const downSeconds = (nowMs - sinceMs) / 1000;
      if (!isDue(context, osd, downSeconds)) continue;
      markOutByItself(context, osd);
      this.#since.delete(osd);
      tell(`Marking osd.${osd} out (has been down for ${Math.floor(downSeconds)} seconds)`);
    }
  }
}

function isDue({ pending, options }: MarkContext, osd: number, downSeconds: number): boolean {
  const map = pending.base;
  if ((map.osdState[osd]! & OsdState.destroyed) !== 0) {
    const interval = options.mon_osd_destroyed_out_interval;
    return interval > 0 && downSeconds >= interval;
  }
  const interval = options.mon_osd_down_out_interval;
  if (interval === 0) return false;
  const more = options.mon_osd_adjust_down_out_interval
    ? laggyGraceSeconds(map.osdXinfo[osd]!, downSeconds, options)
    : 0;
  return Math.floor(downSeconds) >= interval + more;
}

/** Out, but not for good: it comes in again, with its old weight, when it boots. */
function markOutByItself({ pending }: MarkContext, osd: number): void {
  const oldWeight = pending.weight(osd);
  pending.setWeight(osd, osdOut);
  pending.changeState(osd, OsdState.autoout, 0);
  pending.changeXinfo(osd, { oldWeight });
}

/** Whether a bucket of at least this type around the OSD has no OSD that is up. */
export function isSubtreeDown(
  map: OSDMap,
  osd: number,
  type: number,
  down: Set<number> = new Set(),
): boolean {
  const { crush } = map;
  const parents = crushParents(crush);
  let id: number | undefined = osd;
  for (let depth = 0; id !== undefined && depth < crush.buckets.length + 1; depth++) {
    if (!isDown(map, id, down)) return false;
    if (typeOf(crush, id) >= type) return true;
    id = parents.get(id);
  }
  return false;
}

function typeOf(crush: CrushMap, id: number): number {
  return id >= 0 ? 0 : (crush.buckets[-1 - id]?.type ?? 0);
}

/** `down` holds buckets that are known to be down; a bucket inside itself is down as long as nothing else is up. */
function isDown(map: OSDMap, id: number, down: Set<number>): boolean {
  if (id >= 0) return !isUp(map, id);
  if (down.has(id)) return true;
  down.add(id);
  for (const item of map.crush.buckets[-1 - id]?.items ?? []) {
    if (isDown(map, item, down)) continue;
    down.delete(id);
    return false;
  }
  return true;
}
