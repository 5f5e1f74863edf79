/**
 * The next epoch of the OSDMap in the making: an incremental that grows until it is proposed, and what the
 * map will say once it is committed. Rules and commands read through it, so that two changes of one batch
 * see each other.
 *
 * Invariant: every reader here answers what the map that {@link PendingOsdMap.finish} makes will say.
 */
import { applyIncremental } from '../../../maps/apply.ts';
import type { CrushMap } from '../../../maps/crush/map.ts';
import { makeIncremental, type OSDMapIncremental } from '../../../maps/incremental.ts';
import { encodeIncremental } from '../../../maps/incremental-codec.ts';
import { noOsdXinfo, type OSDMap, type OsdXinfo, osdOut } from '../../../maps/osdmap.ts';
import { encodeOsdMap, osdMapCrc } from '../../../maps/osdmap-codec.ts';
import type { PgPool } from '../../../maps/pool.ts';
import { OsdState } from '../../../maps/states.ts';
import type { Utime } from '../../../wire/utime.ts';
import { Uuid } from '../../../wire/uuid.ts';

/** An incremental whose fields, maps and lists may be changed. */
export type GrowingIncremental = {
  -readonly [Name in keyof OSDMapIncremental]: OSDMapIncremental[Name] extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : OSDMapIncremental[Name] extends readonly (infer E)[]
      ? E[]
      : OSDMapIncremental[Name];
};

export interface ProposedOsdMap {
  readonly map: OSDMap;
  readonly fullBytes: Uint8Array;
  readonly incrementalBytes: Uint8Array;
}

export class PendingOsdMap {
  /** The map that the change applies to. */
  readonly base: OSDMap;
  /** Writers change it directly; whoever does calls {@link touch}. States and weights have methods of their own. */
  readonly change: GrowingIncremental;
  #isTouched = false;

  constructor(base: OSDMap) {
    this.base = base;
    this.change = makeIncremental({ fsid: base.fsid, epoch: base.epoch + 1 }) as GrowingIncremental;
  }

  /** The epoch that it will make. */
  get epoch(): number {
    return this.change.epoch;
  }

  /** False while nothing was changed: then there is nothing to propose. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  touch(): void {
    this.#isTouched = true;
  }

  // ── What the map will say ──────────────────────────────────────────────────────────────────────

  get maxOsd(): number {
    return this.change.newMaxOsd >= 0 ? this.change.newMaxOsd : this.base.maxOsd;
  }

  get flags(): number {
    return this.change.newFlags >= 0 ? this.change.newFlags : this.base.flags;
  }

  get crush(): CrushMap {
    return this.change.crush ?? this.base.crush;
  }

  /** {@link OsdState} bits. */
  state(osd: number): number {
    const weighed = this.#weighedState(osd);
    const flips = this.#flips(osd);
    const wiped = (weighed & flips & OsdState.exists) !== 0;
    const state = wiped ? 0 : weighed ^ flips;
    return this.change.newUpClient.has(osd)
      ? (state | OsdState.exists | OsdState.up) & ~OsdState.stop
      : state;
  }

  exists(osd: number): boolean {
    return osd >= 0 && osd < this.maxOsd && (this.state(osd) & OsdState.exists) !== 0;
  }

  isUp(osd: number): boolean {
    return this.exists(osd) && (this.state(osd) & OsdState.up) !== 0;
  }

  weight(osd: number): number {
    return this.change.newWeight.get(osd) ?? this.base.osdWeight[osd] ?? osdOut;
  }

  isIn(osd: number): boolean {
    return this.exists(osd) && this.weight(osd) !== osdOut;
  }

  /** Once it was removed or is new it is {@link noOsdXinfo}, unless something was set. */
  xinfo(osd: number): OsdXinfo {
    const changed = this.change.newXinfo.get(osd);
    if (changed !== undefined) return changed;
    if (this.#isWiped(osd)) return noOsdXinfo;
    return this.base.osdXinfo[osd] ?? noOsdXinfo;
  }

  uuid(osd: number): Uuid {
    const changed = this.change.newUuid.get(osd);
    if (changed !== undefined) return changed;
    return this.#isWiped(osd) ? Uuid.zero : (this.base.osdUuid[osd] ?? Uuid.zero);
  }

  pool(id: number): PgPool | undefined {
    if (this.change.oldPools.includes(id)) return undefined;
    return this.change.newPools.get(id) ?? this.base.pools.get(id);
  }

  /** Ids and names of the pools that there will be. */
  poolNames(): Map<number, string> {
    const names = new Map([...this.base.poolNames, ...this.change.newPoolNames]);
    for (const id of this.change.oldPools) names.delete(id);
    return names;
  }

  /** How many OSDs this change takes down, less those that it flips up. Boots do not count, as in Ceph. */
  netMarkedDown(): number {
    let count = 0;
    for (const [osd, flips] of this.change.newState) {
      if ((flips & OsdState.up) === 0) continue;
      count += ((this.base.osdState[osd] ?? 0) & OsdState.up) !== 0 ? 1 : -1;
    }
    return count;
  }

  /** How many OSDs this change takes out, less those that it brings in. */
  netMarkedOut(): number {
    let count = 0;
    for (const [osd, weight] of this.change.newWeight) {
      const wasOut = (this.base.osdWeight[osd] ?? osdOut) === osdOut;
      if (wasOut !== (weight === osdOut)) count += wasOut ? -1 : 1;
    }
    return count;
  }

  // ── Changes that are more than one field ───────────────────────────────────────────────────────

  /** Sets or clears bits of an OSD's state, whatever was pending. Down or gone, it does not boot in this epoch. */
  changeState(osd: number, set: number, clear: number): void {
    if ((clear & (OsdState.up | OsdState.exists)) !== 0) this.#cancelBoot(osd);
    const boots = this.change.newUpClient.has(osd) ? OsdState.exists | OsdState.up : 0;
    const weighed = this.#weighedState(osd);
    const wanted = ((weighed ^ this.#flips(osd)) | set) & ~clear;
    // What the boot itself brings need not be said twice.
    this.#setFlips(osd, weighed, wanted & ~(boots & ~weighed));
    this.touch();
  }

  markDown(osd: number): void {
    this.changeState(osd, 0, OsdState.up);
  }

  /**
   * A weight above 0 makes an OSD exist and clears `autoout` and `new`, before the bits of newState flip;
   * setting it here leaves all other bits as they were to become.
   */
  setWeight(osd: number, weight: number): void {
    const wanted = this.#weighedState(osd) ^ this.#flips(osd);
    this.change.newWeight.set(osd, weight);
    const cleared = weight === osdOut ? 0 : OsdState.autoout | OsdState.new;
    const made = weight === osdOut ? 0 : OsdState.exists;
    this.#setFlips(osd, this.#weighedState(osd), (wanted | made) & ~cleared);
    this.touch();
  }

  changeXinfo(osd: number, fields: Partial<OsdXinfo>): void {
    this.change.newXinfo.set(osd, { ...this.xinfo(osd), ...fields });
    this.touch();
  }

  changePool(id: number, pool: PgPool): void {
    this.change.newPools.set(id, pool);
    this.touch();
  }

  setFlags(set: number, clear: number): void {
    this.change.newFlags = (this.flags | set) & ~clear;
    this.touch();
  }

  /** Of a batch that lowers max_osd, what it says of OSDs beyond; an increment may not name them. */
  dropBeyondMaxOsd(): void {
    const { change, maxOsd } = this;
    if (change.newMaxOsd < 0 || change.newMaxOsd >= this.base.maxOsd) return;
    const perOsd: readonly Map<number, unknown>[] = [
      change.newUpClient,
      change.newUpCluster,
      change.newHbBackUp,
      change.newHbFrontUp,
      change.newState,
      change.newWeight,
      change.newPrimaryAffinity,
      change.newUpThru,
      change.newLastCleanInterval,
      change.newLost,
      change.newXinfo,
      change.newUuid,
    ];
    for (const entries of perOsd) {
      for (const osd of entries.keys()) if (osd >= maxOsd) entries.delete(osd);
    }
  }

  /** The map as it would be now; a look ahead, which leaves the change as it is. */
  preview(): OSDMap {
    return applyIncremental(this.base, this.change as OSDMapIncremental);
  }

  /** The change as it will be written, and the map that results; the change must not grow afterwards. */
  finish(modified: Utime): ProposedOsdMap {
    this.change.modified = modified;
    const map = this.preview();
    const fullBytes = encodeOsdMap(map);
    this.change.fullCrc = osdMapCrc(fullBytes, map);
    return { map, fullBytes, incrementalBytes: encodeIncremental(this.change as OSDMapIncremental) };
  }

  /** The committed state with what new weights do to it, which happens before bits flip. */
  #weighedState(osd: number): number {
    const state = this.base.osdState[osd] ?? 0;
    const weight = this.change.newWeight.get(osd) ?? osdOut;
    return weight === osdOut ? state : (state | OsdState.exists) & ~(OsdState.autoout | OsdState.new);
  }

  #flips(osd: number): number {
    const flips = this.change.newState.get(osd);
    return flips === 0 ? OsdState.up : (flips ?? 0);
  }

  #setFlips(osd: number, from: number, to: number): void {
    // An OSD that ceases to exist loses everything with it, and its bits are not flipped one by one.
    const flips = from ^ to;
    if (flips === 0) this.change.newState.delete(osd);
    else this.change.newState.set(osd, flips);
  }

  #isWiped(osd: number): boolean {
    return (this.#weighedState(osd) & this.#flips(osd) & OsdState.exists) !== 0;
  }

  #cancelBoot(osd: number): void {
    const { newUpClient, newUpCluster, newHbBackUp, newHbFrontUp } = this.change;
    for (const addrs of [newUpClient, newUpCluster, newHbBackUp, newHbFrontUp]) addrs.delete(osd);
  }
}
