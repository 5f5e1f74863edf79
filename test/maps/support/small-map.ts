/** A small cluster made by hand: racks of hosts of OSDs, all equal, all up and in. */
import { encodeCrushMap } from '../../../src/maps/crush/codec.ts';
import { BucketAlgorithm, type CrushBucket, type CrushMap, RuleOp } from '../../../src/maps/crush/map.ts';
import { crushProfiles } from '../../../src/maps/crush/tunables.ts';
import { emptyOsdMap, noOsdInfo, noOsdXinfo, type OSDMap, osdIn } from '../../../src/maps/osdmap.ts';
import { makePool, PoolType } from '../../../src/maps/pool.ts';
import { OsdState, Release } from '../../../src/maps/states.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

function bucket(index: number, type: number, items: readonly number[]): CrushBucket {
  return {
    id: -1 - index,
    type,
    hash: 0,
    weight: items.length * 0x10000,
    items: Int32Array.from(items),
    algorithm: BucketAlgorithm.straw2,
    itemWeights: new Uint32Array(items.length).fill(0x10000),
  };
}

/** Hosts of `perHost` OSDs below one root; rule 0 is replicated, rule 1 erasure, both over hosts. */
export function smallCrush(hosts: number, perHost: number): CrushMap {
  const hostIds = Array.from({ length: hosts }, (_, host) => -2 - host);
  const devices = (host: number): number[] =>
    Array.from({ length: perHost }, (_, index) => host * perHost + index);
  const rule = (ruleset: number, type: number, op: number) => ({
    ruleset,
    type,
    minSize: 1,
    maxSize: 10,
    steps: [
      { op: RuleOp.take, arg1: -1, arg2: 0 },
      { op, arg1: 0, arg2: 1 },
      { op: RuleOp.emit, arg1: 0, arg2: 0 },
    ],
  });
  return {
    maxDevices: hosts * perHost,
    buckets: [bucket(0, 11, hostIds), ...hostIds.map((_, host) => bucket(1 + host, 1, devices(host)))],
    rules: [
      rule(0, PoolType.replicated, RuleOp.chooseleafFirstn),
      rule(1, PoolType.erasure, RuleOp.chooseleafIndep),
    ],
    typeNames: new Map([
      [0, 'osd'],
      [1, 'host'],
      [11, 'root'],
    ]),
    names: new Map([[-1, 'default'], ...hostIds.map((id, host) => [id, `host${host}`] as const)]),
    ruleNames: new Map([
      [0, 'replicated_rule'],
      [1, 'erasure_rule'],
    ]),
    tunables: crushProfiles.jewel,
    classes: new Map(),
    classNames: new Map(),
    classBuckets: new Map(),
    chooseArgs: new Map(),
    sections: 8,
    rest: new Uint8Array(0),
  };
}

/** Pool 1 "data" is replicated three times, pool 2 "ec" has four chunks; 32 PGs each. */
export function smallMap(hosts: number, perHost: number): OSDMap {
  const crush = smallCrush(hosts, perHost);
  const maxOsd = hosts * perHost;
  const perOsd = <T>(value: T): T[] => new Array<T>(maxOsd).fill(value);
  return {
    ...emptyOsdMap(crush, encodeCrushMap(crush)),
    fsid: Uuid.parse('c38a29e7-3311-4fa3-9d39-eca1f40257d3'),
    epoch: 10,
    maxOsd,
    osdState: new Uint32Array(maxOsd).fill(OsdState.exists | OsdState.up),
    osdWeight: new Uint32Array(maxOsd).fill(osdIn),
    pools: new Map([
      [1, makePool({ type: PoolType.replicated, size: 3, pgNum: 32 })],
      [2, makePool({ type: PoolType.erasure, size: 4, pgNum: 32, crushRule: 1 })],
    ]),
    poolNames: new Map([
      [1, 'data'],
      [2, 'ec'],
    ]),
    poolMax: 2,
    clientAddrs: perOsd(EntityAddrVec.empty),
    clusterAddrs: perOsd(EntityAddrVec.empty),
    hbBackAddrs: perOsd(EntityAddrVec.empty),
    hbFrontAddrs: perOsd(EntityAddrVec.empty),
    osdInfo: perOsd(noOsdInfo),
    osdXinfo: perOsd(noOsdXinfo),
    osdUuid: perOsd(Uuid.zero),
    requireOsdRelease: Release.pacific,
    requireMinCompatClient: Release.luminous,
  };
}

/** The map with some OSDs' states and reweights changed. */
export function withOsds(map: OSDMap, change: Record<number, { state?: number; weight?: number }>): OSDMap {
  const osdState = map.osdState.slice();
  const osdWeight = map.osdWeight.slice();
  for (const [osd, { state, weight }] of Object.entries(change)) {
    if (state !== undefined) osdState[Number(osd)] = state;
    if (weight !== undefined) osdWeight[Number(osd)] = weight;
  }
  return { ...map, osdState, osdWeight };
}
