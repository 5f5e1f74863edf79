/** What an OSDMap shows to be wrong, by Ceph's codes and in its words. */

import type { CrushMap } from '../../../maps/crush/map.ts';
import { isIn, isUp, type OSDMap, osdExists } from '../../../maps/osdmap.ts';
import { PoolType } from '../../../maps/pool.ts';
import { OsdState, osdMapFlagNames } from '../../../maps/states.ts';
import { ancestorsOf, crushLocation, crushParents } from '../osdmap/crush-location.ts';
import { type HealthCheck, warning } from './health-check.ts';

export function osdChecks(map: OSDMap): HealthCheck[] {
  return [
    ...downChecks(map),
    ...orphans(map),
    ...flagsOfMap(map),
    ...flagsOfOsds(map),
    ...fullness(map),
    ...fullRatios(map),
    ...noRedundancy(map),
  ];
}

function osds(map: OSDMap): number[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

// ── Down: OSDs, and places of which everything is down ───────────────────────────────────────────────

function downChecks(map: OSDMap): HealthCheck[] {
  const down = osds(map).filter((osd) => isIn(map, osd) && !isUp(map, osd));
  if (down.length === 0) return [];
  const detail = down.map((osd) => `osd.${osd} (${locationText(map.crush, osd)}) is down`);
  return [...downPlaces(map, down), warning('OSD_DOWN', `${down.length} osds down`, down.length, detail)];
}

function downPlaces(map: OSDMap, down: readonly number[]): HealthCheck[] {
  const { crush } = map;
  const typeMax = Math.max(0, ...crush.typeNames.keys());
  const devices = devicesByPlace(crush);
  const around = new Set(down.flatMap((osd) => ancestorsOf(crush, osd)));
  const whole = [...around].filter((id) => devices.get(id)?.every((osd) => !isUp(map, osd)));
  const checks: HealthCheck[] = [];
  for (let type = typeMax; type > 0; type--) {
    const ofType = whole.filter((id) => typeOf(crush, id) === type).sort((one, other) => one - other);
    if (ofType.length === 0) continue;
    const name = crush.typeNames.get(type) ?? String(type);
    const detail = ofType.map((id) => {
      const location = type === typeMax ? '' : ` (${locationText(crush, id)})`;
      return `${name} ${crushName(crush, id)}${location} (${devices.get(id)!.length} osds) is down`;
    });
    const osdCount = ofType.reduce((sum, id) => sum + devices.get(id)!.length, 0);
    const summary = `${plural(ofType.length, name)} (${osdCount} osds) down`;
    checks.push(warning(`OSD_${name.toUpperCase()}_DOWN`, summary, ofType.length, detail));
  }
  return checks;
}

/** Devices below each bucket. */
function devicesByPlace(crush: CrushMap): Map<number, number[]> {
  const devices = new Map<number, number[]>();
  for (const item of crushParents(crush).keys()) {
    if (item < 0) continue;
    for (const id of ancestorsOf(crush, item)) {
      const list = devices.get(id);
      if (list) list.push(item);
      else devices.set(id, [item]);
    }
  }
  return devices;
}

function typeOf(crush: CrushMap, id: number): number {
  return crush.buckets[-1 - id]?.type ?? 0;
}

function crushName(crush: CrushMap, id: number): string {
  return crush.names.get(id) ?? '';
}

/** From the root: `root=default,host=a`. */
function locationText(crush: CrushMap, item: number): string {
  return crushLocation(crush, item)
    .reverse()
    .map((coordinate) => coordinate.join('='))
    .join(',');
}

function orphans(map: OSDMap): HealthCheck[] {
  const missing = [...crushParents(map.crush).keys()].filter((item) => item >= 0 && !osdExists(map, item));
  if (missing.length === 0) return [];
  missing.sort((one, other) => one - other);
  const detail = missing.map((osd) => `osd.${osd} exists in crush map but not in osdmap`);
  const summary = `${plural(missing.length, 'osd')} exist in the crush map but not in the osdmap`;
  return [warning('OSD_ORPHAN', summary, missing.length, detail)];
}

// ── Flags ────────────────────────────────────────────────────────────────────────────────────────────

/** Set by operators for a while, and easily forgotten. */
const worrying: ReadonlySet<string> = new Set([
  'pauserd',
  'pausewr',
  'pauserec',
  'noup',
  'nodown',
  'noout',
  'noin',
  'nobackfill',
  'norebalance',
  'norecover',
  'noscrub',
  'nodeep-scrub',
  'notieragent',
  'nosnaptrim',
]);

function flagsOfMap(map: OSDMap): HealthCheck[] {
  const names = osdMapFlagNames
    .filter(([bit, name]) => worrying.has(name) && (map.flags & (1 << bit)) !== 0)
    .map(([, name]) => name)
    .join(',');
  if (names === '') return [];
  // Ceph counts the characters; a mute ends when there are more.
  return [warning('OSDMAP_FLAGS', `${names} flag(s) set`, names.length)];
}

const flagStates = ['noup', 'nodown', 'noin', 'noout'] as const;

function flagNames(state: number): string {
  return flagStates.filter((name) => (state & OsdState[name]) !== 0).join(',');
}

function flagsOfOsds(map: OSDMap): HealthCheck[] {
  const detail: string[] = [];
  const note = (what: string, state: number): void => {
    const names = flagNames(state);
    if (names !== '') detail.push(`${what} has flags ${names}`);
  };
  for (const osd of osds(map)) note(`osd.${osd}`, map.osdState[osd]!);
  for (const [id, state] of map.crushNodeFlags) {
    note(`${map.crush.typeNames.get(typeOf(map.crush, id))} ${crushName(map.crush, id)}`, state);
  }
  for (const [id, state] of map.deviceClassFlags) {
    note(`device class '${map.crush.classNames.get(id)}'`, state);
  }
  if (detail.length === 0) return [];
  const summary = `${detail.length} OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set`;
  return [warning('OSD_FLAGS', summary, detail.length, detail)];
}

// ── Full ─────────────────────────────────────────────────────────────────────────────────────────────

const fullLevels = [
  { state: OsdState.full, code: 'OSD_FULL', severity: 'HEALTH_ERR', name: 'full', text: 'full' },
  {
    state: OsdState.backfillfull,
    code: 'OSD_BACKFILLFULL',
    severity: 'HEALTH_WARN',
    name: 'backfillfull',
    text: 'backfill full',
  },
  {
    state: OsdState.nearfull,
    code: 'OSD_NEARFULL',
    severity: 'HEALTH_WARN',
    name: 'nearfull',
    text: 'near full',
  },
] as const;

function fullness(map: OSDMap): HealthCheck[] {
  const named = new Set<number>();
  return fullLevels.flatMap(({ code, name, severity, state, text }) => {
    // One that is full is not named again as nearly full.
    const affected = osds(map).filter((osd) => (map.osdState[osd]! & state) !== 0 && !named.has(osd));
    for (const osd of affected) named.add(osd);
    if (affected.length === 0) return [];
    const detail = affected.map((osd) => `osd.${osd} is ${text}`);
    return [{ code, severity, summary: `${affected.length} ${name} osd(s)`, count: affected.length, detail }];
  });
}

function fullRatios({ backfillfullRatio, fullRatio, nearfullRatio }: OSDMap): HealthCheck[] {
  const detail: string[] = [];
  const note = (name: string, value: number, lowerName: string, lower: number): void => {
    if (value < lower) detail.push(`${name} (${value}) < ${lowerName} (${lower}), increased`);
  };
  note('backfillfull_ratio', backfillfullRatio, 'nearfull_ratio', nearfullRatio);
  note('full_ratio', fullRatio, 'backfillfull_ratio', backfillfullRatio);
  if (detail.length === 0) return [];
  return [
    {
      code: 'OSD_OUT_OF_ORDER_FULL',
      severity: 'HEALTH_ERR',
      summary: 'full ratio(s) out of order',
      count: 0,
      detail,
    },
  ];
}

// ── Pools ────────────────────────────────────────────────────────────────────────────────────────────

function noRedundancy(map: OSDMap): HealthCheck[] {
  const names = [...map.pools]
    .filter(([, { size, type }]) => type === PoolType.replicated && size === 1)
    .map(([id]) => map.poolNames.get(id));
  if (names.length === 0) return [];
  const detail = names.map((name) => `pool '${name}' has no replicas configured`);
  return [
    warning(
      'POOL_NO_REDUNDANCY',
      `${names.length} pool(s) have no replicas configured`,
      names.length,
      detail,
    ),
  ];
}
