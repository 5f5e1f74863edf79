/**
 * Which OSD is to create which placement groups: the subscription `osd_pg_creates`. An OSD asks for what is
 * new since an epoch; a group is new for it from the epoch in which it became its primary.
 */
import type { OSDMap } from '../../../maps/osdmap.ts';
import { formatPgId } from '../../../maps/pg.ts';
import { PoolType } from '../../../maps/pool.ts';
import { Message } from '../../../messenger/message.ts';
import {
  MOSDPGCreate2,
  type PgCreateHistory,
  type PgToCreate,
} from '../../../wire/messages/m-osd-pg-create2.ts';
import { encodePastIntervals, encodePgHistory } from './creating-history.ts';
import type { CreatingPg, CreatingPgs } from './creating-pgs.ts';

interface Assignment {
  readonly creating: CreatingPg;
  readonly primary: number;
  /** Which shard of an erasure-coded group the primary holds, -1 in replicated pools. */
  readonly shard: number;
  readonly sinceEpoch: number;
}

const noShard = -1;

export class PgCreates {
  #assignments = new Map<string, Assignment>();
  #epoch = 0;

  /** After each commit, with what goes with the map. */
  update(map: OSDMap, creating: CreatingPgs): void {
    const before = this.#assignments;
    this.#assignments = new Map();
    this.#epoch = map.epoch;
    for (const pg of creating.pgs) {
      const { acting, actingPrimary: primary } = pg.history;
      const isErasure = map.pools.get(pg.pg.pool)?.type === PoolType.erasure;
      const known = before.get(formatPgId(pg.pg));
      this.#assignments.set(formatPgId(pg.pg), {
        creating: pg,
        primary,
        shard: isErasure ? acting.indexOf(primary) : noShard,
        sinceEpoch: known === undefined ? pg.epoch : known.primary === primary ? known.sinceEpoch : map.epoch,
      });
    }
  }

  /** What is new for an OSD, and the epoch from which on it has to ask then. */
  of(osd: number, next: number): { readonly message: Message | undefined; readonly next: number } {
    let last = 0;
    const pgs: PgToCreate[] = [];
    const histories: PgCreateHistory[] = [];
    for (const { creating, primary, shard, sinceEpoch } of this.#assignments.values()) {
      if (primary !== osd || sinceEpoch < next) continue;
      last = Math.max(last, sinceEpoch);
      const { pg, epoch, stamp, history } = creating;
      const pgid = { pool: BigInt(pg.pool), seed: pg.seed, shard };
      pgs.push({ pgid, epoch, stamp });
      histories.push({
        pgid,
        history: encodePgHistory(history, epoch, stamp),
        pastIntervals: encodePastIntervals(history, epoch),
      });
    }
    if (pgs.length === 0) return { message: undefined, next };
    const message = Message.of(MOSDPGCreate2, { epoch: this.#epoch, pgs, histories });
    return { message, next: last + 1 };
  }
}
