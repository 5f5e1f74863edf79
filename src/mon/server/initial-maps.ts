/**
 * The maps that a new cluster begins with: what ceph-mon 16.2.15 writes as epoch 1 of its monmap and osdmap.
 */
import { encodeCrushMap } from '../../maps/crush/codec.ts';
import { BucketAlgorithm, type CrushMap, crushSectionCount, RuleOp } from '../../maps/crush/map.ts';
import { crushProfiles } from '../../maps/crush/tunables.ts';
import { writtenAs } from '../../maps/fields.ts';
import type { MonMap } from '../../maps/mon-map.ts';
import { emptyOsdMap, type OSDMap } from '../../maps/osdmap.ts';
import { PoolType } from '../../maps/pool.ts';
import { osdMapFlagNames, Release } from '../../maps/states.ts';
import type { Options } from '../../options.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { utimeFromMs } from '../../wire/utime.ts';
import type { Uuid } from '../../wire/uuid.ts';

const typeNames = [
  'osd',
  'host',
  'chassis',
  'rack',
  'row',
  'pdu',
  'pod',
  'room',
  'datacenter',
  'zone',
  'region',
  'root',
] as const;
const rootId = -1;
/** Ceph makes room for eight buckets at first, and never less. */
const bucketSlots = 8;
const maxReplicas = 10;
/** mon_feature_t: kraken, luminous, mimic, osdmap-prune, nautilus, octopus, pacific, elector-pinging. */
const persistentFeatures = 0xffn;
const classicElections = 1;
const initialFlags = ['sortbitwise', 'recovery_deletes', 'purged_snapdirs', 'pglog_hardlimit'];

export interface Birth {
  readonly fsid: Uuid;
  /** Wall clock in ms. */
  readonly now: number;
  readonly options: Options;
}

export function initialMonMap(
  name: string,
  publicAddrs: EntityAddrVec,
  { fsid, now }: Pick<Birth, 'fsid' | 'now'>,
): MonMap {
  const stamp = utimeFromMs(now);
  const monitor = {
    name,
    publicAddrs,
    priority: 0,
    weight: 0,
    crushLocation: new Map<string, string>(),
    written: writtenAs(5, 1),
  };
  return {
    fsid,
    epoch: 1,
    lastChanged: stamp,
    created: stamp,
    persistentFeatures: { bits: persistentFeatures, written: writtenAs(1, 1) },
    optionalFeatures: { bits: 0n, written: writtenAs(1, 1) },
    monitors: new Map([[name, monitor]]),
    ranks: [name],
    minMonRelease: Release.pacific,
    removedRanks: [],
    electionStrategy: classicElections,
    disallowedLeaders: [],
    stretchModeEnabled: false,
    tiebreaker: '',
    stretchMarkedDown: [],
    written: writtenAs(9, 6),
  };
}

export function initialOsdMap({ fsid, now, options }: Birth): OSDMap {
  const crush = initialCrushMap(options.osd_crush_chooseleaf_type);
  const stamp = utimeFromMs(now);
  const flags = osdMapFlagNames
    .filter(([, name]) => initialFlags.includes(name))
    .reduce((bits, [bit]) => bits | (1 << bit), 0);
  return {
    ...emptyOsdMap(crush, encodeCrushMap(crush)),
    fsid,
    created: stamp,
    modified: stamp,
    flags,
    erasureCodeProfiles: new Map([['default', profileOf(options.osd_pool_default_erasure_code_profile)]]),
    nearfullRatio: options.mon_osd_nearfull_ratio,
    fullRatio: options.mon_osd_full_ratio,
    backfillfullRatio: options.mon_osd_backfillfull_ratio,
    requireMinCompatClient: Release.luminous,
    requireOsdRelease: Release.pacific,
  };
}

/** `plugin=jerasure k=2 m=2` */
function profileOf(text: string): Map<string, string> {
  const words = text.split(/\s+/).filter((word) => word.includes('='));
  const pairs = words.map((word) => word.split('=', 2) as [string, string]);
  return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One root without hosts, and one rule for replicated pools: each copy below another bucket of type `leafType`. */
function initialCrushMap(leafType: number): CrushMap {
  const choose = leafType > 0 ? RuleOp.chooseleafFirstn : RuleOp.chooseFirstn;
  const root = {
    id: rootId,
    type: typeNames.indexOf('root'),
    hash: 0,
    weight: 0,
    items: new Int32Array(0),
    algorithm: BucketAlgorithm.straw2,
    itemWeights: new Uint32Array(0),
  };
  const rule = {
    ruleset: 0,
    type: PoolType.replicated,
    minSize: 1,
    maxSize: maxReplicas,
    steps: [
      { op: RuleOp.take, arg1: rootId, arg2: 0 },
      { op: choose, arg1: 0, arg2: leafType },
      { op: RuleOp.emit, arg1: 0, arg2: 0 },
    ],
  };
  return {
    maxDevices: 0,
    buckets: [root, ...Array.from({ length: bucketSlots - 1 }, () => undefined)],
    rules: [rule],
    typeNames: new Map(typeNames.map((name, type) => [type, name])),
    names: new Map([[rootId, 'default']]),
    ruleNames: new Map([[0, 'replicated_rule']]),
    tunables: crushProfiles.jewel,
    classes: new Map(),
    classNames: new Map(),
    classBuckets: new Map(),
    chooseArgs: new Map(),
    sections: crushSectionCount,
    rest: new Uint8Array(0),
  };
}
