/**
 * What the monitor learns from its own errors. An OSD that was marked down and boots again without having
 * stopped was only slow: it is given more time before it is marked down again, and less and less so as the
 * memory of it fades (mon_osd_laggy_halflife).
 */
import type { OsdXinfo } from '../../../maps/osdmap.ts';
import type { Options } from '../../../options.ts';
import { type Utime, utimeToMs } from '../../../wire/utime.ts';

/** A probability is kept as a share of 2^32, as a float32 in Ceph's memory. */
const probabilityOne = 2 ** 32;
const probabilityMax = probabilityOne - 1;

/** From 0 to 1. */
export function laggyProbability(xinfo: OsdXinfo): number {
  return Math.fround(xinfo.laggyProbability) / probabilityOne;
}

function storedProbability(probability: number): number {
  return Math.min(Math.floor(Math.fround(probability) * probabilityOne), probabilityMax);
}

/**
 * After a boot. `wasRestarted`: the process is a new one, so it really was down, and the suspicion that it is
 * merely slow is lowered; otherwise it never stopped, and the time for which it was marked down was lag.
 */
export function laggyAfterBoot(
  xinfo: OsdXinfo,
  wasRestarted: boolean,
  now: Utime,
  options: Options,
): OsdXinfo {
  const weight = options.mon_osd_laggy_weight;
  const rest = 1 - weight;
  const probability = laggyProbability(xinfo);
  if (wasRestarted) {
    return {
      ...xinfo,
      laggyProbability: storedProbability(probability * rest),
      laggyInterval: Math.floor(xinfo.laggyInterval * rest),
    };
  }
  let { laggyInterval } = xinfo;
  if (xinfo.downStamp.sec !== 0) {
    const max = options.mon_osd_laggy_max_interval;
    const seconds = Math.max(0, now.sec - xinfo.downStamp.sec);
    const interval = max > 0 ? Math.min(seconds, max) : seconds;
    laggyInterval = Math.floor(interval * weight + laggyInterval * rest);
  }
  return { ...xinfo, laggyProbability: storedProbability(weight + probability * rest), laggyInterval };
}

/** Seconds by which an OSD's history lengthens a grace, `ageSeconds` after what it is measured from. */
export function laggyGraceSeconds(xinfo: OsdXinfo, ageSeconds: number, options: Options): number {
  if (xinfo.laggyInterval === 0 || xinfo.laggyProbability === 0) return 0;
  const decay = 0.5 ** (ageSeconds / options.mon_osd_laggy_halflife);
  return decay * xinfo.laggyInterval * laggyProbability(xinfo);
}

/** Halflives without a failure after which the past is forgotten altogether: 48 hours by default. */
const forgottenAfterHalflives = 48;

/** What an OSD that is marked down now has to be recorded with; undefined for no change. */
export function laggyWhenMarkedDown(xinfo: OsdXinfo, now: Utime, options: Options): OsdXinfo | undefined {
  const isLaggy = xinfo.laggyProbability !== 0 || xinfo.laggyInterval !== 0;
  if (!isLaggy || xinfo.downStamp.sec === 0) return undefined;
  const sinceLastFailure = now.sec - xinfo.downStamp.sec;
  if (sinceLastFailure <= options.mon_osd_laggy_halflife * forgottenAfterHalflives) return undefined;
  return { ...xinfo, downStamp: now, laggyProbability: 0, laggyInterval: 0 };
}

/** Age of a stamp of the map, by the wall clock; 0 when that was set back. */
export function ageSeconds(stamp: Utime, wallMs: number): number {
  return Math.max(0, (wallMs - utimeToMs(stamp)) / 1000);
}
