/**
 * MOSDBoot: an OSD asks to be marked up. First what speaks against it, in Ceph's order, then what the map
 * will say of its new life. What is refused is not answered: an OSD asks again.
 */

import { bootAddrsMax, bootMetadataBytesMax } from '../../../limits.ts';
import type { OSDMap, OsdXinfo } from '../../../maps/osdmap.ts';
import { osdIn } from '../../../maps/osdmap.ts';
import { OsdState, Release, releaseAtLeast } from '../../../maps/states.ts';
import type { EntityAddrVec } from '../../../wire/entity-addrvec.ts';
import { Feature, hasFeature } from '../../../wire/features.ts';
import type { MOSDBoot } from '../../../wire/messages/m-osd-boot.ts';
import type { Utime } from '../../../wire/utime.ts';
import type { Uuid } from '../../../wire/uuid.ts';
import { laggyAfterBoot } from './laggy.ts';
import { type MarkContext, mayMarkIn, mayMarkUp } from './may-mark.ts';
import { done, type OsdSender, type Outcome, pendingMaps, sameIncarnation } from './outcome.ts';

export interface BootContext extends MarkContext {
  readonly fsid: Uuid;
  /** Wall clock. */
  readonly now: Utime;
}

/** Why an OSD of these features may not run beside the others; operators are told. */
export function releaseObjection(map: OSDMap, features: bigint): string | undefined {
  if (!hasFeature(features, Feature.SERVER_NAUTILUS)) {
    return 'because the osd lacks CEPH_FEATURE_SERVER_NAUTILUS';
  }
  // A cluster spans no more than three releases.
  const least = [
    [Feature.SERVER_OCTOPUS, Release.mimic, 'mimic'],
    [Feature.SERVER_PACIFIC, Release.nautilus, 'nautilus'],
    [Feature.SERVER_QUINCY, Release.octopus, 'octopus'],
  ] as const;
  for (const [feature, release, name] of least) {
    if (hasFeature(features, feature) && !releaseAtLeast(map.requireOsdRelease, release)) {
      return `because require_osd_release < ${name}`;
    }
  }
  if (map.stretchMode.enabled && !hasFeature(features, Feature.STRETCH_MODE)) {
    return 'because stretch mode is on and OSD lacks support';
  }
  return undefined;
}

/** `tell` says something in the cluster log. */
export function boot(
  context: BootContext,
  { osd, addrs }: OsdSender,
  message: MOSDBoot,
  tell: (text: string) => void,
): Outcome {
  const { pending } = context;
  const map = pending.base;
  const { superblock } = message;
  if (!superblock.clusterFsid.equals(context.fsid)) return done('it belongs to another cluster');
  if (addrs.front === undefined || addrs.front.isBlankIp) return done('its address is blank');
  if (isOversized(addrs, message)) return done('it brings too many addresses, or too much metadata');
  if (superblock.whoami !== osd) return done(`it says that it is osd.${superblock.whoami}`);
  const objection = releaseObjection(map, message.osdFeatures);
  if (objection !== undefined) {
    tell(`disallowing boot of OSD osd.${osd} ${addrs} ${objection}`);
    return done(objection);
  }

  const mapsFrom = superblock.currentEpoch + 1;
  const exists = osd < map.maxOsd && (map.osdState[osd]! & OsdState.exists) !== 0;
  const isUp = exists && (map.osdState[osd]! & OsdState.up) !== 0;
  const sameAddrs = exists && sameIncarnation(map.clientAddrs[osd]!, addrs);
  if (isUp && sameAddrs && sameIncarnation(map.clusterAddrs[osd]!, message.clusterAddrs)) {
    return done('it is up', mapsFrom);
  }
  if (exists && !map.osdUuid[osd]!.isZero && !map.osdUuid[osd]!.equals(superblock.osdFsid)) {
    return done('the id is another disk');
  }
  if (exists && sameAddrs && map.osdInfo[osd]!.upFrom > Number(message.paxosVersion ?? 0n)) {
    return done('it was sent before the last boot', mapsFrom);
  }
  if (!mayMarkUp(context, osd)) return done('noup', mapsFrom);
  if (osd >= Math.min(map.maxOsd, pending.maxOsd)) return done(`max_osd is ${pending.maxOsd}`);

  if (isUp) {
    // Its former self is still up, elsewhere: that one goes down in an epoch of its own.
    pending.markDown(osd);
    return { kind: 'pending', retry: true };
  }
  if (pending.change.newUpClient.has(osd)) return { kind: 'pending', retry: true };
  markUp(context, osd, addrs, message);
  return pendingMaps(mapsFrom);
}

function isOversized(addrs: EntityAddrVec, message: MOSDBoot): boolean {
  const { clusterAddrs, heartbeatBackAddrs, heartbeatFrontAddrs } = message;
  const vectors = [addrs, clusterAddrs, heartbeatBackAddrs, heartbeatFrontAddrs];
  if (vectors.some(({ length }) => length > bootAddrsMax)) return true;
  let bytes = 0;
  for (const [name, value] of message.metadata) bytes += name.length + value.length;
  return bytes > bootMetadataBytesMax;
}

function markUp(context: BootContext, osd: number, addrs: EntityAddrVec, message: MOSDBoot): void {
  const { pending } = context;
  const { base: map, change } = pending;
  const { superblock } = message;
  const before = pending.exists(osd) ? pending.state(osd) : OsdState.new;
  const info = map.osdInfo[osd]!;

  change.newUpClient.set(osd, addrs);
  change.newUpCluster.set(osd, message.clusterAddrs);
  change.newHbBackUp.set(osd, message.heartbeatBackAddrs);
  change.newHbFrontUp.set(osd, message.heartbeatFrontAddrs);
  if (!pending.uuid(osd).equals(superblock.osdFsid)) change.newUuid.set(osd, superblock.osdFsid);
  // A disk without maps has none of the data that an earlier life under this id had.
  if (superblock.newestMap === 0 && info.upFrom > info.lostAt) change.newLost.set(osd, map.epoch);
  const { mounted: begin, cleanThru: end } = superblock;
  if (begin > info.lastCleanBegin || (begin === info.lastCleanBegin && end > info.lastCleanEnd)) {
    change.newLastCleanInterval.set(osd, { begin, end });
  }
  const wasRestarted = message.bootEpoch === 0;
  const laggy = laggyAfterBoot(pending.xinfo(osd), wasRestarted, context.now, context.options);
  const xinfo = { ...laggy, features: message.osdFeatures };
  const weight = comesIn(context, osd, before) ? weightOf(xinfo) : undefined;
  if (weight !== undefined) pending.setWeight(osd, weight);
  change.newXinfo.set(osd, weight === undefined ? xinfo : { ...xinfo, oldWeight: 0 });
  pending.touch();
}

function comesIn(context: BootContext, osd: number, before: number): boolean {
  const { options } = context;
  const wanted =
    options.mon_osd_auto_mark_in ||
    (options.mon_osd_auto_mark_auto_out_in && (before & OsdState.autoout) !== 0) ||
    (options.mon_osd_auto_mark_new_in && (before & OsdState.new) !== 0);
  return wanted && mayMarkIn(context, osd);
}

/** What it had before it was marked out, or all of it. */
function weightOf(xinfo: OsdXinfo): number {
  return xinfo.oldWeight > 0 ? xinfo.oldWeight : osdIn;
}
