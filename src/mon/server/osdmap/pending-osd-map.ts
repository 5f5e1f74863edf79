/**
 * The next epoch of the OSDMap in the making: an incremental that grows until it is proposed, and what the
 * map will say once it is committed. Rules and commands read through it, so that two changes of one batch
 * see each other.
 */
import { applyIncremental } from '../../../maps/apply.ts';
import type { CrushMap } from '../../../maps/crush/map.ts';
import { makeIncremental, type OSDMapIncremental } from '../../../maps/incremental.ts';
import { encodeIncremental } from '../../../maps/incremental-codec.ts';
import { type OSDMap, osdOut } from '../../../maps/osdmap.ts';
import { encodeOsdMap, osdMapCrc } from '../../../maps/osdmap-codec.ts';
import type { PgPool } from '../../../maps/pool.ts';
import { OsdState } from '../../../maps/states.ts';
import type { Utime } from '../../../wire/utime.ts';

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
  /** The committed map that the change applies to. */
  readonly base: OSDMap;
  /** Writers change it directly; whoever does calls {@link touch}. */
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
    const committed = this.base.osdState[osd] ?? 0;
    const flips = this.change.newState.get(osd);
    const state = flips === undefined ? committed : committed ^ (flips === 0 ? OsdState.up : flips);
    return this.change.newUpClient.has(osd) ? state | OsdState.exists | OsdState.up : state;
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

  // ── Changes that are more than one field ───────────────────────────────────────────────────────

  /** Sets or clears bits of an OSD's state, whatever was pending. */
  changeState(osd: number, set: number, clear: number): void {
    const flips = (this.base.osdState[osd] ?? 0) ^ ((this.state(osd) | set) & ~clear);
    if (flips === 0) this.change.newState.delete(osd);
    else this.change.newState.set(osd, flips);
    this.touch();
  }

  setFlags(set: number, clear: number): void {
    this.change.newFlags = (this.flags | set) & ~clear;
    this.touch();
  }

  /** The change as it will be written, and the map that results; the change must not grow afterwards. */
  finish(modified: Utime): ProposedOsdMap {
    this.change.modified = modified;
    const unsealed = this.change as OSDMapIncremental;
    const map = applyIncremental(this.base, unsealed);
    const fullBytes = encodeOsdMap(map);
    this.change.fullCrc = osdMapCrc(fullBytes, map);
    return { map, fullBytes, incrementalBytes: encodeIncremental(this.change as OSDMapIncremental) };
  }
}
