/**
 * What a placement group goes through while nobody has created it: which OSDs had it, and which of them may
 * have taken writes. An OSD may create a group and serve it before the monitor hears of that; if all who had
 * it are gone by then, the next primary must know whom to look for. (Ceph: pg_history_t, PastIntervals.)
 *
 * ```
 *   created        epochs                                   same_interval_since
 *      │ interval │   interval   │ … │ … each of them past │  the present one
 *      └ first ───────────────────────────────────── last ┘
 * ```
 */
import { crushItemNone } from '../../../maps/crush/map.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { isUp } from '../../../maps/osdmap.ts';
import { noPrimary, type PgOsds } from '../../../maps/placement.ts';
import { type PgPool, PoolType } from '../../../maps/pool.ts';
import type { Decoder } from '../../../wire/decoder.ts';
import { Encoder } from '../../../wire/encoder.ts';
import { encodeUtime, type Utime } from '../../../wire/utime.ts';

/** pg_shard_t: an OSD, and the shard that it holds; -1 in replicated pools. */
interface ShardHolder {
  readonly osd: number;
  readonly shard: number;
}

/** Epochs, both inclusive, in which these OSDs may have taken writes. */
interface PastInterval {
  readonly first: number;
  readonly last: number;
  readonly acting: readonly ShardHolder[];
}

export interface CreatingHistory extends PgOsds {
  readonly sameIntervalSince: number;
  readonly sameUpSince: number;
  readonly samePrimarySince: number;
  /** Everyone who ever acted in a past interval. */
  readonly participants: readonly ShardHolder[];
  readonly intervals: readonly PastInterval[];
}

export function beginHistory(osds: PgOsds, epoch: number): CreatingHistory {
  const { up, upPrimary, acting, actingPrimary } = osds;
  const since = { sameIntervalSince: epoch, sameUpSince: epoch, samePrimarySince: epoch };
  return { up, upPrimary, acting, actingPrimary, ...since, participants: [], intervals: [] };
}

/** From the map before to the next one, in which the group has `osds`. */
export function continueHistory(
  history: CreatingHistory,
  osds: PgOsds,
  pool: number,
  before: OSDMap,
  next: OSDMap,
): CreatingHistory {
  const poolBefore = before.pools.get(pool);
  const poolNext = next.pools.get(pool);
  const isSame =
    history.actingPrimary === osds.actingPrimary &&
    history.upPrimary === osds.upPrimary &&
    sameOsds(history.acting, osds.acting) &&
    sameOsds(history.up, osds.up) &&
    poolBefore?.size === poolNext?.size &&
    poolBefore?.minSize === poolNext?.minSize;
  if (isSame) return history;

  const { up, upPrimary, acting, actingPrimary } = osds;
  const { epoch } = next;
  const isErasure = poolNext?.type === PoolType.erasure;
  const holders = history.acting
    .map((osd, index) => ({ osd, shard: isErasure ? index : -1 }))
    .filter(({ osd }) => osd !== crushItemNone);
  const interval = { first: history.sameIntervalSince, last: epoch - 1, acting: holders };
  const superseded = (older: PastInterval): boolean => holders.every((one) => has(older.acting, one));
  const intervals = mayHaveServed(history, holders, poolBefore, before)
    ? [...history.intervals.filter((older) => !superseded(older)), interval]
    : history.intervals;
  return {
    up,
    upPrimary,
    acting,
    actingPrimary,
    sameIntervalSince: epoch,
    sameUpSince: sameOsds(history.up, up) ? history.sameUpSince : epoch,
    samePrimarySince: history.actingPrimary === actingPrimary ? history.samePrimarySince : epoch,
    participants: [...history.participants, ...holders.filter((one) => !has(history.participants, one))],
    intervals,
  };
}

/** Enough of them, and a primary of which the map says that it lived through the interval's beginning. */
function mayHaveServed(
  history: CreatingHistory,
  holders: readonly ShardHolder[],
  pool: PgPool | undefined,
  map: OSDMap,
): boolean {
  const { actingPrimary: primary, sameIntervalSince: first } = history;
  if (pool === undefined || primary === noPrimary || holders.length < pool.minSize) return false;
  const info = map.osdInfo[primary];
  return info !== undefined && isUp(map, primary) && info.upFrom <= first && info.upThru >= first;
}

function sameOsds(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((osd, index) => osd === right[index]);
}

function has(holders: readonly ShardHolder[], one: ShardHolder): boolean {
  return holders.some(({ osd, shard }) => osd === one.osd && shard === one.shard);
}

// ── For OSDs: pg_history_t 10/4 and PastIntervals 1/1 in its compact form ─────────────────────────

const compactForm = 2;

export function encodePgHistory(history: CreatingHistory, created: number, stamp: Utime): Uint8Array {
  const encoder = new Encoder();
  encoder.versioned(10, 4, () => {
    // epoch_created; last_epoch_started, last_epoch_clean and last_epoch_split are to come.
    encoder.u32(created).u32(0).u32(0).u32(0);
    encoder.u32(history.sameIntervalSince).u32(history.sameUpSince).u32(history.samePrimarySince);
    const noVersion = 12;
    encoder.zeros(noVersion); // last_scrub
    encodeUtime(encoder, stamp);
    encoder.zeros(noVersion); // last_deep_scrub
    encodeUtime(encoder, stamp);
    encodeUtime(encoder, stamp); // last_clean_scrub_stamp
    // last_epoch_marked_full, last_interval_started, last_interval_clean; epoch_pool_created.
    encoder.u32(0).u32(0).u32(0).u32(created);
    encoder.u64(0n); // prior_readable_until_ub
  });
  return encoder.take();
}

export function encodePastIntervals(history: CreatingHistory, created: number): Uint8Array {
  const encoder = new Encoder();
  const isPresentTheFirst = history.sameIntervalSince === created;
  encoder.versioned(1, 1, () => {
    encoder.u8(compactForm).versioned(1, 1, () => {
      encoder.u32(isPresentTheFirst ? 0 : created);
      encoder.u32(isPresentTheFirst ? 0 : history.sameIntervalSince - 1);
      encodeHolders(encoder, history.participants);
      encoder.list(history.intervals, ({ first, last, acting }) => {
        encoder.versioned(1, 1, () => {
          encoder.u32(first).u32(last);
          encodeHolders(encoder, acting);
        });
      });
    });
  });
  return encoder.take();
}

/** A std::set: in order. */
function encodeHolders(encoder: Encoder, holders: readonly ShardHolder[]): void {
  const sorted = [...holders].sort((left, right) => left.osd - right.osd || left.shard - right.shard);
  encoder.list(sorted, ({ osd, shard }) => {
    encoder.versioned(1, 1, () => void encoder.i32(osd).u8(shard & 0xff));
  });
}

// ── For the store ────────────────────────────────────────────────────────────────────────────────

export function encodeHistory(encoder: Encoder, history: CreatingHistory): void {
  const osds = (list: readonly number[]): void => void encoder.list(list, (osd) => encoder.i32(osd));
  osds(history.up);
  osds(history.acting);
  encoder.i32(history.upPrimary).i32(history.actingPrimary);
  encoder.u32(history.sameIntervalSince).u32(history.sameUpSince).u32(history.samePrimarySince);
  encodeHolders(encoder, history.participants);
  encoder.list(history.intervals, ({ first, last, acting }) => {
    encoder.u32(first).u32(last);
    encodeHolders(encoder, acting);
  });
}

export function decodeHistory(decoder: Decoder): CreatingHistory {
  const osds = (field: string): number[] => decoder.list(field, 4, () => decoder.i32(field));
  const holders = (field: string): ShardHolder[] =>
    decoder.list(field, 11, () =>
      decoder.versioned(field, 1, () => ({
        osd: decoder.i32('osd'),
        shard: (decoder.u8('shard') << 24) >> 24,
      })),
    );
  return {
    up: osds('up'),
    acting: osds('acting'),
    upPrimary: decoder.i32('upPrimary'),
    actingPrimary: decoder.i32('actingPrimary'),
    sameIntervalSince: decoder.u32('sameIntervalSince'),
    sameUpSince: decoder.u32('sameUpSince'),
    samePrimarySince: decoder.u32('samePrimarySince'),
    participants: holders('participants'),
    intervals: decoder.list('intervals', 12, () => ({
      first: decoder.u32('first'),
      last: decoder.u32('last'),
      acting: holders('acting'),
    })),
  };
}
