/**
 * Placement groups that nobody has created yet. A new pool's groups wait in a queue, at most
 * mon_osd_max_creating_pgs of them are asked for at a time, each of the OSD that is its primary, again
 * whenever that changes, until it says MOSDPGCreated. The pool has the flag `creating` as long.
 *
 * Immutable: {@link CreatingPgs.next} makes the state that goes with the next epoch, and both are committed
 * together (store: `osd_pg_creating` / `creating`).
 */
import type { OSDMap } from '../../../maps/osdmap.ts';
import { formatPgId, type PgId } from '../../../maps/pg.ts';
import { Placement } from '../../../maps/placement.ts';
import { poolFlag } from '../../../maps/pool.ts';
import type { Options } from '../../../options.ts';
import { Decoder } from '../../../wire/decoder.ts';
import { Encoder } from '../../../wire/encoder.ts';
import { decodeUtime, encodeUtime, type Utime } from '../../../wire/utime.ts';
import {
  beginHistory,
  type CreatingHistory,
  continueHistory,
  decodeHistory,
  encodeHistory,
} from './creating-history.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

export interface CreatingPg {
  readonly pg: PgId;
  /** Epoch that its history begins with, and when that was. */
  readonly epoch: number;
  readonly stamp: Utime;
  readonly history: CreatingHistory;
}

/** Groups `start` to `end` - 1 of a pool are not asked for yet. */
interface QueuedPool {
  readonly pool: number;
  readonly start: number;
  readonly end: number;
  readonly stamp: Utime;
}

interface State {
  /** By {@link formatPgId}. */
  readonly pgs: ReadonlyMap<string, CreatingPg>;
  readonly queue: readonly QueuedPool[];
  /** Pools whose groups were all queued once; they are never scanned again. */
  readonly scannedPools: ReadonlySet<number>;
}

const creatingFlag = poolFlag('creating');
const structVersion = 1;

export class CreatingPgs {
  static readonly none = new CreatingPgs({ pgs: new Map(), queue: [], scannedPools: new Set() });

  readonly #state: State;

  private constructor(state: State) {
    this.#state = state;
  }

  get pgs(): Iterable<CreatingPg> {
    return this.#state.pgs.values();
  }

  get size(): number {
    return this.#state.pgs.size;
  }

  /** Some groups are not asked for yet. */
  get hasQueue(): boolean {
    return this.#state.queue.length > 0;
  }

  isCreating(pool: number): boolean {
    if (this.#state.queue.some((queued) => queued.pool === pool)) return true;
    for (const { pg } of this.#state.pgs.values()) if (pg.pool === pool) return true;
    return false;
  }

  has(pg: PgId): boolean {
    return this.#state.pgs.has(formatPgId(pg));
  }

  /** Without a group that its primary has created. */
  created(pg: PgId): CreatingPgs {
    if (!this.has(pg)) return this;
    const pgs = new Map(this.#state.pgs);
    pgs.delete(formatPgId(pg));
    return new CreatingPgs({ ...this.#state, pgs });
  }

  /** With the groups of the pools that the change makes, without those of the pools that it removes. */
  next(pending: PendingOsdMap, next: OSDMap, modified: Utime, options: Options): CreatingPgs {
    const state = this.#state;
    const newPools = [...next.pools].filter(
      ([id, pool]) => !state.scannedPools.has(id) && next.crush.rules[pool.crushRule] !== undefined,
    );
    const isGone = (pool: number): boolean => !next.pools.has(pool);
    const isIdle = newPools.length === 0 && state.queue.length === 0 && state.pgs.size === 0;
    if (isIdle && ![...state.scannedPools].some(isGone)) return this;

    const placement = new Placement(next);
    const scannedPools = new Set([...state.scannedPools].filter((pool) => !isGone(pool)));
    const queue = state.queue.filter(({ pool }) => !isGone(pool));
    for (const [pool, { pgNum }] of newPools) {
      scannedPools.add(pool);
      queue.push({ pool, start: 0, end: pgNum, stamp: modified });
    }
    const pgs = new Map<string, CreatingPg>();
    for (const [name, creating] of state.pgs) {
      const { pg, history } = creating;
      if (pg.seed >= (next.pools.get(pg.pool)?.pgNum ?? 0)) continue;
      const osds = placement.pgToUpActing(pg);
      const continued = continueHistory(history, osds, pg.pool, pending.base, next);
      pgs.set(name, continued === history ? creating : { ...creating, history: continued });
    }
    while (queue.length > 0 && pgs.size < options.mon_osd_max_creating_pgs) {
      const { pool, start, end, stamp } = queue.shift()!;
      const stop = Math.min(end, start + options.mon_osd_max_creating_pgs - pgs.size);
      const { epoch } = pending;
      for (let seed = start; seed < stop; seed++) {
        const pg = { pool, seed };
        // Its history begins now and not with its pool: nobody was asked for it before.
        const history = beginHistory(placement.pgToUpActing(pg), epoch);
        pgs.set(formatPgId(pg), { pg, epoch, stamp, history });
      }
      if (stop < end) queue.unshift({ pool, start: stop, end, stamp });
    }
    const isSame =
      scannedPools.size === state.scannedPools.size &&
      queue.length === state.queue.length &&
      pgs.size === state.pgs.size &&
      [...pgs].every(([name, creating]) => state.pgs.get(name) === creating);
    return isSame ? this : new CreatingPgs({ pgs, queue, scannedPools });
  }

  /** Pools that are whole are no longer `creating`. */
  clearCreatingFlags(pending: PendingOsdMap, next: OSDMap): void {
    for (const id of next.pools.keys()) {
      const pool = pending.pool(id);
      if (pool === undefined || (pool.flags & creatingFlag) === 0n || this.isCreating(id)) continue;
      pending.changePool(id, { ...pool, flags: pool.flags & ~creatingFlag });
    }
  }

  encode(): Uint8Array {
    const { pgs, queue, scannedPools } = this.#state;
    const encoder = new Encoder();
    encoder.versioned(structVersion, structVersion, () => {
      encoder.list([...pgs.values()], ({ pg, epoch, stamp, history }) => {
        encoder.i64(pg.pool).u32(pg.seed).u32(epoch);
        encodeUtime(encoder, stamp);
        encodeHistory(encoder, history);
      });
      encoder.list(queue, ({ pool, start, end, stamp }) => {
        encoder.i64(pool).u32(start).u32(end);
        encodeUtime(encoder, stamp);
      });
      encoder.list([...scannedPools], (pool) => encoder.i64(pool));
    });
    return encoder.take();
  }

  /** @throws MsgrError ERR_MSGR_MALFORMED */
  static decode(bytes: Uint8Array): CreatingPgs {
    const decoder = new Decoder(bytes, 'creating_pgs');
    const entryBytes = 24;
    return decoder.versioned('creating_pgs', structVersion, () => {
      const pgs = decoder.list('pgs', entryBytes, () => ({
        pg: { pool: Number(decoder.i64('pool')), seed: decoder.u32('seed') },
        epoch: decoder.u32('epoch'),
        stamp: decodeUtime(decoder, 'stamp'),
        history: decodeHistory(decoder),
      }));
      const queue = decoder.list('queue', entryBytes, () => ({
        pool: Number(decoder.i64('pool')),
        start: decoder.u32('start'),
        end: decoder.u32('end'),
        stamp: decodeUtime(decoder, 'stamp'),
      }));
      const scanned = decoder.list('scannedPools', 8, () => Number(decoder.i64('pool')));
      const byName = new Map(pgs.map((entry) => [formatPgId(entry.pg), entry] as const));
      return new CreatingPgs({ pgs: byName, queue, scannedPools: new Set(scanned) });
    });
  }
}
