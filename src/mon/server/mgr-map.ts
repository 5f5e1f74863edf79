/**
 * The MgrMap of a cluster that never had a manager, as ceph-mon 16.2.15 begins it: epoch 1, nobody active,
 * and the modules that a manager would run.
 */

import { Release } from '../../maps/states.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { EntityAddrVec, encodeEntityAddrVec } from '../../wire/entity-addrvec.ts';
import { encodeUtime, utimeZero } from '../../wire/utime.ts';

export const emptyMgrMapEpoch = 1;

/** Modules that a manager is told to load. */
export const mgrModules = ['iostat', 'nfs', 'restful'] as const;

const always = ['balancer', 'crash', 'devicehealth', 'progress', 'rbd_support', 'status', 'volumes'] as const;

/** By release: modules that cannot be switched off. */
export const alwaysOnMgrModules: ReadonlyMap<number, readonly string[]> = new Map([
  [Release.nautilus, [...always, 'orchestrator_cli'].sort()],
  [Release.octopus, [...always, 'orchestrator', 'pg_autoscaler', 'telemetry'].sort()],
  [Release.pacific, [...always, 'orchestrator', 'pg_autoscaler', 'telemetry'].sort()],
]);

export const emptyMgrMap: Uint8Array = encodeWith((encoder) =>
  encoder.versioned(12, 6, () => {
    encoder.u32(emptyMgrMapEpoch);
    encodeEntityAddrVec(encoder, EntityAddrVec.empty);
    encoder.u64(0n).bool(false).string('');
    // Standbys; modules; available modules; services.
    encoder.u32(0).list(mgrModules, (name) => encoder.string(name));
    encoder.u32(0).u32(0);
    encodeUtime(encoder, utimeZero);
    encoder.map(
      alwaysOnMgrModules,
      (release) => encoder.u32(release),
      (names) => encoder.list(names, (name) => encoder.string(name)),
    );
    // Features of the active one, the epoch at which it failed last, its clients and their names.
    encoder.u64(0n).u32(0).u32(0).u32(0);
  }),
);
