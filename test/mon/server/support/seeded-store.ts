/** A monitor's folder with OSDs in it that exist and never ran: what `osd new` and `osd crush add` would make. */
import { encodeCrushMap } from '../../../../src/maps/crush/codec.ts';
import { BucketAlgorithm, type CrushMap, type Straw2Bucket } from '../../../../src/maps/crush/map.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MonitorInit } from '../../../../src/mon/server/monitor-init.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';

const full = 0x10000;

/** OSDs of a seeded cluster know their own uuid from their number. */
export function seededOsdUuid(osd: number): Uuid {
  return Uuid.parse(`00000000-0000-4000-8000-${String(osd).padStart(12, '0')}`);
}

/** `osds` OSDs on hosts of one each. */
export async function addOsds(monitor: Monitor, osds: number): Promise<void> {
  const { pendingOsdMap: pending } = monitor;
  pending.change.newMaxOsd = osds;
  for (let osd = 0; osd < osds; osd++) {
    pending.change.newState.set(osd, OsdState.exists | OsdState.new);
    pending.change.newUuid.set(osd, seededOsdUuid(osd));
  }
  const crush = withHosts(pending.crush, osds);
  pending.change.crush = crush;
  pending.change.crushBytes = encodeCrushMap(crush);
  pending.touch();
  await monitor.propose();
}

/** A folder for a monitor that is started later; answers its address, port included. */
export async function seedStore(init: MonitorInit, osds: number): Promise<string> {
  const monitor = await Monitor.start(init);
  await addOsds(monitor, osds);
  const address = String(monitor.publicAddrs.front).replace(/\/\d+$/, '');
  await monitor.close();
  return address;
}

function bucket(id: number, type: number, items: readonly number[], weight: number): Straw2Bucket {
  return {
    id,
    type,
    hash: 0,
    weight: items.length * weight,
    items: Int32Array.from(items),
    algorithm: BucketAlgorithm.straw2,
    itemWeights: new Uint32Array(items.length).fill(weight),
  };
}

function withHosts(crush: CrushMap, osds: number): CrushMap {
  const root = crush.buckets[0]!;
  const hosts = Array.from({ length: osds }, (_, osd) => bucket(-2 - osd, 1, [osd], full));
  const names = new Map(crush.names);
  for (let osd = 0; osd < osds; osd++) names.set(-2 - osd, `host${osd}`).set(osd, `osd.${osd}`);
  const hostIds = hosts.map(({ id }) => id);
  return {
    ...crush,
    maxDevices: osds,
    names,
    buckets: [bucket(root.id, root.type, hostIds, full), ...hosts],
  };
}
