/**
 * What an OSD can be, and what an operator reads into it.
 *
 * ```
 *              in (weight > 0)                      out (weight 0)
 *   up    serves its share of the PGs         runs, drains: PGs move elsewhere
 *   down  PGs are degraded, wait for it       gone: PGs have moved, nothing waits
 * ```
 * Up or down is the OSD's life, in or out its share of the data; the monitor changes them apart. An OSD
 * that stays down is marked out by itself after a while (`autoout`), and comes in again when it boots.
 */

/** Bits of osd_state. */
export const OsdState = {
  exists: 1 << 0,
  up: 1 << 1,
  /** Marked out by the monitor, not by an operator. */
  autoout: 1 << 2,
  /** Never been in. */
  new: 1 << 3,
  full: 1 << 4,
  nearfull: 1 << 5,
  backfillfull: 1 << 6,
  /** Its data is gone and its id waits for another disk. */
  destroyed: 1 << 7,
  noup: 1 << 8,
  nodown: 1 << 9,
  noin: 1 << 10,
  noout: 1 << 11,
  stop: 1 << 12,
} as const;
export type OsdStateName = keyof typeof OsdState;

/** The names of the bits that are set, sorted as Ceph prints them. */
export function osdStateNames(state: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const mask = 2 ** bit;
    if ((state & mask) === 0) continue;
    const name = Object.entries(OsdState).find(([, value]) => value === mask)?.[0];
    names.push(name ?? '???');
  }
  return [...new Set(names)].sort();
}

export type UpDown = 'up' | 'down';
export type InOut = 'in' | 'out';

/** One sentence for each of the four. */
export const osdStateMeaning: Record<`${UpDown} ${InOut}`, string> = {
  'up in': 'serves its share of the data',
  'up out': 'runs, but its data moves to others',
  'down in': 'does not answer; its data is degraded and waits for it',
  'down out': 'does not answer, and its data has moved to others',
};

/** Bits of the whole map's flags, with the names that Ceph prints, in the order in which it does. */
export const osdMapFlagNames: readonly (readonly [bit: number, name: string])[] = [
  [2, 'pauserd'],
  [3, 'pausewr'],
  [4, 'pauserec'],
  [5, 'noup'],
  [6, 'nodown'],
  [7, 'noout'],
  [8, 'noin'],
  [9, 'nobackfill'],
  [14, 'norebalance'],
  [10, 'norecover'],
  [11, 'noscrub'],
  [12, 'nodeep-scrub'],
  [13, 'notieragent'],
  [21, 'nosnaptrim'],
  [15, 'sortbitwise'],
  [16, 'require_jewel_osds'],
  [17, 'require_kraken_osds'],
  [18, 'require_luminous_osds'],
  [19, 'recovery_deletes'],
  [20, 'purged_snapdirs'],
  [22, 'pglog_hardlimit'],
];

export const OsdMapFlag = {
  requireJewel: 1 << 16,
  requireKraken: 1 << 17,
  requireLuminous: 1 << 18,
  recoveryDeletes: 1 << 19,
  pglogHardlimit: 1 << 22,
} as const;

export function osdMapFlagString(flags: number): string {
  return osdMapFlagNames
    .filter(([bit]) => (flags & (1 << bit)) !== 0)
    .map(([, name]) => name)
    .join(',');
}

/** Names of releases by their number; 0 and 255 are no release. */
export const releaseNames = [
  'unknown',
  'argonaut',
  'bobtail',
  'cuttlefish',
  'dumpling',
  'emperor',
  'firefly',
  'giant',
  'hammer',
  'infernalis',
  'jewel',
  'kraken',
  'luminous',
  'mimic',
  'nautilus',
  'octopus',
  'pacific',
  'quincy',
  'reef',
  'squid',
  'tentacle',
] as const;

export const Release = {
  unknown: 0,
  argonaut: 1,
  dumpling: 4,
  firefly: 6,
  hammer: 8,
  jewel: 10,
  kraken: 11,
  luminous: 12,
  mimic: 13,
  nautilus: 14,
  octopus: 15,
  pacific: 16,
} as const;

/** Ceph compares releases as signed bytes: 0xff is less than unknown. */
export function releaseAtLeast(release: number, least: number): boolean {
  return (release << 24) >> 24 >= least;
}

export function releaseName(release: number): string {
  return releaseNames[release] ?? 'unknown';
}

const legacyRequireFlags = OsdMapFlag.requireJewel | OsdMapFlag.requireKraken | OsdMapFlag.requireLuminous;

/** Flags that later releases take for granted are set or cleared whenever a map is read. */
export function flagsOfRelease(flags: number, release: number): number {
  let result = flags;
  if (releaseAtLeast(release, Release.luminous)) {
    result = (result & ~legacyRequireFlags) | OsdMapFlag.recoveryDeletes;
  }
  if (releaseAtLeast(release, Release.nautilus)) result |= OsdMapFlag.pglogHardlimit;
  return result;
}
