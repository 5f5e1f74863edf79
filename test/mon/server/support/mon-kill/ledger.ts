/**
 * What clients were told, and must find again: bytes of OSDMaps by epoch, values of config keys whose
 * command was answered. Checked against the store of a monitor that was just killed.
 */
import { applyIncrementalChecked } from '../../../../../src/maps/apply.ts';
import { decodeIncremental } from '../../../../../src/maps/incremental-codec.ts';
import type { OSDMap } from '../../../../../src/maps/osdmap.ts';
import { decodeOsdMap } from '../../../../../src/maps/osdmap-codec.ts';
import type { MonStore } from '../../../../../src/mon/server/store/mon-store.ts';
import { readVersion } from '../../../../../src/mon/server/store/values.ts';
import { crc32c } from '../../../../../src/wire/crc32c.ts';

/** One line of the load process. */
export type Told =
  | { readonly kind: 'map'; readonly epoch: number; readonly isFull: boolean; readonly crc: number }
  | { readonly kind: 'key'; readonly key: string; readonly value: string }
  | { readonly kind: 'weight'; readonly osd: number; readonly step: number }
  | { readonly kind: 'count'; readonly what: 'boots' | 'failures' | 'commands' };

/** Weights go from 1/1000 to 1 and begin anew. */
export const weightSteps = 1000;

export class Ledger {
  readonly counts = { maps: 0, keys: 0, boots: 0, failures: 0, commands: 0 };
  /** `full 17`, `step 17`: CRC-32C of what was sent. */
  readonly #maps = new Map<string, number>();
  /** Each key is written by one client, one value after the other, the next one when the last was answered. */
  readonly #keys = new Map<string, string>();
  #weight: { readonly osd: number; readonly step: number } | undefined;
  #newest = 0;
  #verified: OSDMap | undefined;

  /** Everything, also what was told before. */
  told = 0;

  add(told: Told): void {
    this.told++;
    if (told.kind === 'count') {
      this.counts[told.what]++;
      return;
    }
    if (told.kind === 'key') {
      this.counts.keys++;
      this.#keys.set(told.key, told.value);
      return;
    }
    if (told.kind === 'weight') {
      this.#weight = told;
      return;
    }
    const key = `${told.isFull ? 'full' : 'step'} ${told.epoch}`;
    const known = this.#maps.get(key);
    // Two clients, or two lives of the monitor, tell of the same epoch.
    if (known !== undefined && known !== told.crc) throw new Error(`clients were told two maps: ${key}`);
    if (known === undefined) this.counts.maps++;
    this.#maps.set(key, told.crc);
    this.#newest = Math.max(this.#newest, told.epoch);
  }

  get newestEpoch(): number {
    return this.#newest;
  }

  /** Throws on the first thing that is lost or torn. Every epoch since the last check is applied and compared. */
  check(store: MonStore): void {
    const last = readVersion(store, 'osdmap', 'last_committed');
    const first = readVersion(store, 'osdmap', 'first_committed');
    if (last < this.#newest)
      throw new Error(`epoch ${this.#newest} was told and is lost; the last is ${last}`);
    for (const [key, crc] of this.#maps) {
      const [kind, epoch] = key.split(' ') as [string, string];
      const bytes = store.get('osdmap', kind === 'full' ? `full_${epoch}` : epoch);
      if (bytes === undefined && Number(epoch) < first) continue;
      if (bytes === undefined) throw new Error(`${key} was told and is missing`);
      if (crc32c(-1, bytes) !== crc) throw new Error(`${key} was told with other bytes`);
      this.#maps.delete(key);
    }
    this.#checkChain(store, Math.max(first, 1), last);
    this.#checkWeight();
    for (const [key, value] of this.#keys) {
      const found = store.get('config-key', key);
      const text = found === undefined ? 'nothing' : Buffer.from(found).toString();
      // A command that was not answered may have been done: the next value, and no other.
      if (Number(text) !== Number(value) && Number(text) !== Number(value) + 1) {
        throw new Error(`config-key ${key} was set to ${value} and holds ${text}`);
      }
    }
  }

  /** Of the map that was checked last. */
  #checkWeight(): void {
    if (this.#weight === undefined) return;
    const { osd, step } = this.#weight;
    const found = Math.round((this.#verified!.osdWeight[osd]! * weightSteps) / 0x10000);
    if (found === step || found === (step % weightSteps) + 1) return;
    throw new Error(`osd.${osd} was reweighted to ${step}/${weightSteps} and has ${found}/${weightSteps}`);
  }

  #checkChain(store: MonStore, first: number, last: number): void {
    const before = this.#verified;
    const isKnown = before !== undefined && before.epoch >= first;
    let map = isKnown ? before : decodeOsdMap(store.get('osdmap', `full_${first}`)!);
    for (let epoch = map.epoch + 1; epoch <= last; epoch++) {
      const step = applyIncrementalChecked(map, decodeIncremental(store.get('osdmap', String(epoch))!));
      const fullBytes = store.get('osdmap', `full_${epoch}`)!;
      if (Buffer.compare(step.encoded, fullBytes) !== 0) throw new Error(`full_${epoch} is torn`);
      map = step.map;
    }
    this.#verified = map;
  }
}
