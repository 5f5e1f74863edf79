/** `status`: the whole cluster on one screen. */
import { isIn, isUp, type OSDMap, osdExists } from '../../../../maps/osdmap.ts';
import { osdMapFlagString, releaseName } from '../../../../maps/states.ts';
import { type Utime, utimeToMs, utimeToString } from '../../../../wire/utime.ts';
import { mgrModules } from '../../mgr-map.ts';
import type { MonitorState } from '../../monitor-state.ts';
import { electionEpoch, quorumAgeMs, rankOf } from '../../quorum.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { durationText } from '../text.ts';
import { healthJson, summaries } from './health.ts';

export const statusCommands: readonly CommandDefinition[] = [
  {
    signature: 'status',
    help: 'show the state of the cluster',
    module: 'mon',
    permissions: 'r',
    run: ({ format, monitor }) =>
      answer(isJson(format) ? formatJson(statusJson(monitor), format) : statusText(monitor)),
  },
];

function countOsds(map: OSDMap): { readonly all: number; readonly up: number; readonly in: number } {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  return {
    all: osds.length,
    up: osds.filter((osd) => isUp(map, osd)).length,
    in: osds.filter((osd) => isIn(map, osd)).length,
  };
}

/** Only a manager counts these; without one they are zero, as Ceph shows them then. */
const nothingCounted = {
  pgs_by_state: [],
  num_pgs: 0,
  num_pools: 0,
  num_objects: 0,
  data_bytes: 0,
  bytes_used: 0,
  bytes_avail: 0,
  bytes_total: 0,
};

function statusJson(monitor: MonitorState): object {
  const { fsid, monMap, name, osdMap } = monitor;
  const osds = countOsds(osdMap);
  return {
    fsid: String(fsid),
    health: healthJson(monitor.health.health, false),
    election_epoch: electionEpoch,
    quorum: [rankOf(monitor)],
    quorum_names: [name],
    quorum_age: Math.floor(quorumAgeMs(monitor) / 1000),
    monmap: {
      epoch: monMap.epoch,
      min_mon_release_name: releaseName(monMap.minMonRelease),
      num_mons: monMap.ranks.length,
    },
    osdmap: {
      epoch: osdMap.epoch,
      num_osds: osds.all,
      num_up_osds: osds.up,
      osd_up_since: osdMap.lastUpChange.sec,
      num_in_osds: osds.in,
      osd_in_since: osdMap.lastInChange.sec,
      num_remapped_pgs: osdMap.pgTemp.size,
    },
    pgmap: nothingCounted,
    fsmap: { epoch: 1, by_rank: [], 'up:standby': 0 },
    mgrmap: { available: false, num_standbys: 0, modules: mgrModules, services: {} },
    servicemap: { epoch: 1, modified: utimeToString(monMap.created), services: {} },
    progress_events: {},
  };
}

function statusText(monitor: MonitorState): string {
  const { fsid, monMap, name } = monitor;
  const { health } = monitor.health;
  return [
    '  cluster:',
    `    id:     ${fsid}`,
    `    health: ${health.status}`,
    ...summaries(health, monitor.wallMs()).map((line) => `            ${line}`),
    ' ',
    '  services:',
    `    mon: ${monMap.ranks.length} daemons, quorum ${name} (age ${durationText(quorumAgeMs(monitor))})`,
    '    mgr: no daemons active',
    ...osdLines(monitor).map((line) => `    ${line}`),
    ' ',
    '  data:',
    '    pools:   0 pools, 0 pgs',
    '    objects: 0 objects, 0 B',
    '    usage:   0 B used, 0 B / 0 B avail',
    '    pgs:     ',
    ' ',
    '',
  ].join('\n');
}

function osdLines(monitor: MonitorState): string[] {
  const { osdMap } = monitor;
  const osds = countOsds(osdMap);
  const since = (time: Utime): string =>
    time.sec === 0 ? '' : ` (since ${durationText(monitor.wallMs() - utimeToMs(time))})`;
  const remapped = osdMap.pgTemp.size === 0 ? '' : `; ${osdMap.pgTemp.size} remapped pgs`;
  const flags = osdMapFlagString(osdMap.flags)
    .split(',')
    .filter((flag) => flag !== '' && !usualFlags.has(flag));
  return [
    `osd: ${osds.all} osds: ${osds.up} up${since(osdMap.lastUpChange)}, ${osds.in} in${since(osdMap.lastInChange)}${remapped}`,
    ...(flags.length === 0 ? [] : [`     flags ${flags.join(',')}`]),
  ];
}

/** Every cluster of this decade has them. */
const usualFlags: ReadonlySet<string> = new Set([
  'sortbitwise',
  'recovery_deletes',
  'purged_snapdirs',
  'pglog_hardlimit',
  'require_jewel_osds',
  'require_kraken_osds',
  'require_luminous_osds',
]);
