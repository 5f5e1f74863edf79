/** What changed between two OSDMaps, for people who watch a cluster: a list, and one line of text. */
import { type CrushMap, crushItemNone } from '../../maps/crush/map.ts';
import {
  defaultPrimaryAffinity,
  isIn,
  isUp,
  noOsdInfo,
  type OSDMap,
  osdExists,
  osdIn,
  primaryAffinityOf,
} from '../../maps/osdmap.ts';
import type { PgMap } from '../../maps/pg.ts';
import { formatPgId } from '../../maps/pg.ts';
import { formatDecimal } from '../../maps/print.ts';
import { OsdState, osdMapFlagNames, releaseName } from '../../maps/states.ts';
import { type OsdChange, osdTransitions } from '../../maps/transitions.ts';
import { poolChanges } from './pool-changes.ts';

/** One thing that is different now. Of an OSD, of a pool, or of the whole map when neither is named. */
export interface MapChange {
  readonly osd?: number;
  readonly pool?: string;
  /** What changed, or what happened. */
  readonly change: string;
  readonly from?: string | number;
  readonly to?: string | number;
}

/** In the order in which people look: OSDs, pools, the cluster, and what follows from it for PGs. */
export function mapChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const changes = [
    ...osdChanges(before, after),
    ...poolChanges(before, after),
    ...flagChanges(before, after),
    ...clusterChanges(before, after),
    ...blocklistChanges(before, after),
    ...placementChanges(before, after),
  ];
  // What OSDs do all the time is told when there is nothing else.
  return changes.length > 0 ? changes : upThruChanges(before, after);
}

/** `e42 osd.3 down; pool 'data' pg_num 8 → 16`: no line ends in it, whatever the names hold. */
export function changeLine(epoch: number, changes: readonly MapChange[]): string {
  if (changes.length === 0) return `e${epoch} nothing that shows here`;
  const parts: string[] = [];
  let subjectBefore: string | undefined;
  for (const change of changes) {
    const subject = subjectOf(change);
    const text = changeText(change);
    if (subject !== '' && subject === subjectBefore) parts[parts.length - 1] += `, ${text}`;
    else parts.push(subject === '' ? text : `${subject} ${text}`);
    subjectBefore = subject;
  }
  return `e${epoch} ${parts.join('; ')}`;
}

/** `e42 3 osds: 3 up, 3 in; 2 pools, 16 pgs; flags noout`: the state, for the first map of a watch. */
export function stateLine(map: OSDMap): string {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  const up = osds.filter((osd) => isUp(map, osd)).length;
  const inside = osds.filter((osd) => isIn(map, osd)).length;
  const pgs = [...map.pools.values()].reduce((sum, { pgNum }) => sum + pgNum, 0);
  const flags = shownFlags(map.flags);
  return [
    `e${map.epoch} ${osds.length} osds: ${up} up, ${inside} in`,
    `${map.pools.size} pools, ${pgs} pgs`,
    ...(flags.length === 0 ? [] : [`flags ${flags.join(',')}`]),
  ].join('; ');
}

function subjectOf({ osd, pool }: MapChange): string {
  if (osd !== undefined) return `osd.${osd}`;
  return pool === undefined ? '' : `pool '${printable(pool)}'`;
}

function changeText({ change, from, to }: MapChange): string {
  const text = printable(change);
  if (from === undefined && to === undefined) return text;
  return `${text} ${printable(String(from ?? '') || '-')} → ${printable(String(to ?? '') || '-')}`;
}

/** Names come from the cluster; a terminal must not obey them. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return `\\u{${code}}`;
  });
}

// ── OSDs ─────────────────────────────────────────────────────────────────────────────────────────────

/** Those that {@link OsdChange} has no better word for. */
const osdChangeWords: Readonly<Record<OsdChange, string>> = {
  created: 'created',
  removed: 'removed',
  up: 'up',
  down: 'down',
  restarted: 'restarted',
  in: 'in',
  out: 'out',
  autoout: 'by itself',
  reweighted: 'weight',
  addresses: 'addresses changed',
  destroyed: 'destroyed',
  lost: 'lost',
};

/** States that are told when they come and when they go. */
const osdFlags = ['full', 'backfillfull', 'nearfull', 'noup', 'nodown', 'noin', 'noout', 'stop'] as const;

function osdChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const changes: MapChange[] = [];
  if (before.maxOsd !== after.maxOsd) {
    changes.push({ change: 'max_osd', from: before.maxOsd, to: after.maxOsd });
  }
  for (const { changes: happened, osd } of osdTransitions(before, after)) {
    for (const change of happened) {
      // A start brings new addresses, and what is out by itself is out.
      if (change === 'addresses' && happened.includes('restarted')) continue;
      if (change === 'out' && happened.includes('autoout')) continue;
      if (change === 'autoout')
        changes.push({ osd, change: happened.includes('out') ? 'out by itself' : 'autoout' });
      else if (change === 'reweighted') {
        changes.push({ osd, change: 'weight', from: weightOf(before, osd), to: weightOf(after, osd) });
      } else changes.push({ osd, change: osdChangeWords[change] });
    }
  }
  for (let osd = 0; osd < Math.max(before.maxOsd, after.maxOsd); osd++) {
    if (!osdExists(before, osd) || !osdExists(after, osd)) continue;
    const was = before.osdState[osd]!;
    const is = after.osdState[osd]!;
    for (const name of osdFlags) {
      if (((was ^ is) & OsdState[name]) === 0) continue;
      changes.push({ osd, change: `${name} ${(is & OsdState[name]) === 0 ? 'cleared' : 'set'}` });
    }
    const from = primaryAffinityOf(before, osd);
    const to = primaryAffinityOf(after, osd);
    if (from !== to) {
      const text = (value: number): number => decimal(value / defaultPrimaryAffinity);
      changes.push({ osd, change: 'primary_affinity', from: text(from), to: text(to) });
    }
  }
  return changes.sort((one, other) => (one.osd ?? -1) - (other.osd ?? -1));
}

function weightOf(map: OSDMap, osd: number): number {
  return decimal(map.osdWeight[osd]! / osdIn);
}

/** Six digits, as Ceph prints them. */
function decimal(value: number): number {
  return Number(formatDecimal(value));
}

function upThruChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const changes: MapChange[] = [];
  for (let osd = 0; osd < after.maxOsd; osd++) {
    const from = (before.osdInfo[osd] ?? noOsdInfo).upThru;
    const to = (after.osdInfo[osd] ?? noOsdInfo).upThru;
    if (from !== to) changes.push({ osd, change: 'up_thru', from, to });
  }
  return changes;
}

// ── The whole map ────────────────────────────────────────────────────────────────────────────────────

/** Bits of the map's flags that every cluster of today has. */
const usualFlags: readonly string[] = [
  'sortbitwise',
  'recovery_deletes',
  'purged_snapdirs',
  'pglog_hardlimit',
  'require_jewel_osds',
  'require_kraken_osds',
  'require_luminous_osds',
];

function shownFlags(flags: number): string[] {
  return osdMapFlagNames
    .filter(([bit, name]) => (flags & (1 << bit)) !== 0 && !usualFlags.includes(name))
    .map(([, name]) => name);
}

function flagChanges(before: OSDMap, after: OSDMap): MapChange[] {
  return osdMapFlagNames
    .filter(([bit]) => ((before.flags ^ after.flags) & (1 << bit)) !== 0)
    .map(([bit, name]) => ({ change: `${name} ${(after.flags & (1 << bit)) === 0 ? 'cleared' : 'set'}` }));
}

const fields: readonly (readonly [name: string, value: (map: OSDMap) => string | number])[] = [
  ['full_ratio', (map) => decimal(map.fullRatio)],
  ['backfillfull_ratio', (map) => decimal(map.backfillfullRatio)],
  ['nearfull_ratio', (map) => decimal(map.nearfullRatio)],
  ['require_min_compat_client', (map) => releaseName(map.requireMinCompatClient)],
  ['require_osd_release', (map) => releaseName(map.requireOsdRelease)],
  ['stretch_mode', (map) => (map.stretchMode.enabled ? 'on' : 'off')],
  ['degraded_stretch_mode', (map) => map.stretchMode.degraded],
  ['recovering_stretch_mode', (map) => map.stretchMode.recovering],
  ['cluster_snapshot', (map) => map.clusterSnapshot],
];

function clusterChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const changes: MapChange[] = [];
  for (const [change, value] of fields) {
    const from = value(before);
    const to = value(after);
    if (from !== to) changes.push({ change, from, to });
  }
  if (Buffer.compare(before.crushBytes, after.crushBytes) !== 0) {
    changes.push({ change: `crush map ${crushText(before.crush, after.crush)}` });
  }
  const profiles = (map: OSDMap): string[] => [...map.erasureCodeProfiles.keys()];
  for (const name of added(profiles(before), profiles(after))) {
    changes.push({ change: `erasure code profile '${name}' set` });
  }
  for (const name of added(profiles(after), profiles(before))) {
    changes.push({ change: `erasure code profile '${name}' removed` });
  }
  for (const [what, flags] of [
    ['of crush nodes', (map: OSDMap) => map.crushNodeFlags],
    ['of device classes', (map: OSDMap) => map.deviceClassFlags],
  ] as const) {
    if (!sameEntries(flags(before), flags(after))) changes.push({ change: `flags ${what} changed` });
  }
  return changes;
}

function crushText(before: CrushMap, after: CrushMap): string {
  const names = (map: CrushMap): string[] => [...map.names.values()].filter((name) => !name.includes('~'));
  const rules = (map: CrushMap): string[] => [...map.ruleNames.values()];
  const parts = [
    ['added', added(names(before), names(after))],
    ['removed', added(names(after), names(before))],
    ['added rule', added(rules(before), rules(after))],
    ['removed rule', added(rules(after), rules(before))],
  ] as const;
  const told = parts.filter(([, list]) => list.length > 0).map(([what, list]) => `${what} ${list.join(' ')}`);
  return told.length === 0 ? 'changed' : `changed (${told.join(', ')})`;
}

function added(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before);
  return after.filter((name) => !known.has(name));
}

function sameEntries<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

function blocklistChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const changes: MapChange[] = [];
  for (const [key, { addr }] of after.blocklist) {
    if (!before.blocklist.has(key)) changes.push({ change: `${addr} blocklisted` });
  }
  for (const [key, { addr }] of before.blocklist) {
    if (!after.blocklist.has(key)) changes.push({ change: `${addr} no longer blocklisted` });
  }
  return changes;
}

// ── Exceptions from placement ────────────────────────────────────────────────────────────────────────

/** PGs that are named one by one; of more only the number is told. */
const pgsNamedMax = 4;

function placementChanges(before: OSDMap, after: OSDMap): MapChange[] {
  return [
    ...exceptionChanges('pg_temp', before.pgTemp, after.pgTemp, osdsText),
    ...exceptionChanges('primary_temp', before.primaryTemp, after.primaryTemp, String),
    ...exceptionChanges('pg_upmap', before.pgUpmap, after.pgUpmap, osdsText),
    ...exceptionChanges('pg_upmap_items', before.pgUpmapItems, after.pgUpmapItems, (items) =>
      items.map(({ from, to }) => `${from}>${to}`).join(','),
    ),
  ];
}

/** A hole is no OSD. */
function osdsText(osds: Int32Array): string {
  return `[${[...osds].map((osd) => (osd === crushItemNone ? '-' : osd)).join(',')}]`;
}

function exceptionChanges<V>(
  name: string,
  before: PgMap<V>,
  after: PgMap<V>,
  text: (value: V) => string,
): MapChange[] {
  if (before === after) return [];
  const set: string[] = [];
  const cleared: string[] = [];
  for (const [pg, value] of after) {
    const old = before.get(pg.pool, pg.seed);
    if (old === undefined || text(old) !== text(value)) set.push(`${formatPgId(pg)} ${text(value)}`);
  }
  for (const [pg] of before) if (after.get(pg.pool, pg.seed) === undefined) cleared.push(formatPgId(pg));
  const told = (list: readonly string[]): string =>
    list.length <= pgsNamedMax ? list.join(' ') : `of ${list.length} pgs`;
  return [
    ...(set.length === 0 ? [] : [{ change: `${name} ${told(set)}` }]),
    ...(cleared.length === 0 ? [] : [{ change: `${name} ${told(cleared)} cleared` }]),
  ];
}
