/**
 * Ceph's LastEpochClean and osd_epochs: which old OSDMaps the OSDs still need, by what their beacons say.
 * A pool counts once all its placement groups were reported; until then nothing is trimmed on its account.
 */
import type { OSDMap } from '../../maps/osdmap.ts';
import { isUp } from '../../maps/osdmap.ts';
import type { PgId } from '../../wire/pg-id.ts';

class PoolReports {
  /** By the placement group's number. */
  readonly #epochs = new Map<number, number>();

  report(pgNumber: number, epoch: number): void {
    this.#epochs.set(pgNumber, Math.max(epoch, this.#epochs.get(pgNumber) ?? 0));
  }

  floor(pgCount: number, latest: number): number {
    let floor = latest;
    for (let pg = 0; pg < pgCount; pg++) floor = Math.min(floor, this.#epochs.get(pg) ?? 0);
    return floor;
  }
}

export class LastEpochClean {
  readonly #pools = new Map<number, PoolReports>();
  /** The osdmap epoch that each OSD's last beacon named. */
  readonly #osdEpochs = new Map<number, number>();

  /** A beacon of an OSD that is up in `map`: it has `haveEpoch`, and is primary of `pgs`. */
  beacon(map: OSDMap, osd: number, haveEpoch: number, pgs: readonly PgId[], cleanEpoch: number): void {
    this.#osdEpochs.set(osd, haveEpoch);
    for (const { pool, seed } of pgs) {
      const id = Number(pool);
      const pgCount = map.pools.get(id)?.pgNum ?? 0;
      if (seed >= pgCount) continue;
      const reports = this.#pools.get(id) ?? new PoolReports();
      this.#pools.set(id, reports);
      reports.report(seed, cleanEpoch);
    }
  }

  /** The oldest epoch that is needed; 0 while it is not known. */
  floor(map: OSDMap): number {
    let floor = map.epoch;
    for (const [id, { pgNum }] of map.pools) {
      floor = Math.min(floor, this.#pools.get(id)?.floor(pgNum, floor) ?? 0);
    }
    for (const [osd, epoch] of this.#osdEpochs) {
      if (isUp(map, osd)) floor = Math.min(floor, epoch);
    }
    return floor;
  }

  /** Forgets pools and OSDs that are no more. */
  forget(map: OSDMap): void {
    for (const id of this.#pools.keys()) if (!map.pools.has(id)) this.#pools.delete(id);
    for (const osd of this.#osdEpochs.keys()) if (!isUp(map, osd)) this.#osdEpochs.delete(osd);
  }
}
