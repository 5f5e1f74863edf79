/** What a run measures, from its flags. */
import { benchSizesBytes } from '../src/cli/bench/command.ts';
import { PairScenario } from './peer.ts';

/** In the order in which a round measures them. */
export const Scenario = {
  ...PairScenario,
  /** 10,000 connections of which one in a hundred is busy. */
  Connections: 'connections',
  /** Heartbeats, to a real ceph-osd and to msgr2. */
  OsdPings: 'osd-pings',
} as const;
export type Scenario = (typeof Scenario)[keyof typeof Scenario];

/** Run alone, and only when named: they are not rounds of figures set side by side. */
export const LoneScenario = {
  /** At full speed for minutes: what grows? */
  Soak: 'soak',
  /** Codecs, CRC, AEAD: TypeScript against native. */
  Micro: 'micro',
} as const;
export type LoneScenario = (typeof LoneScenario)[keyof typeof LoneScenario];

export const scenarioNames: readonly string[] = [...Object.values(Scenario), ...Object.values(LoneScenario)];

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  /** Measured time of each figure. */
  readonly seconds: number;
  readonly sizesBytes: readonly number[];
  readonly pingBytes: number;
  /** Requests under way at once. */
  readonly depths: readonly number[];
  /** Of collections: small messages are where objects count. */
  readonly gcSizesBytes: readonly number[];
  readonly fanInBytes: number;
  readonly fanInConnections: readonly number[];
  readonly connections: ConnectionsPlan;
  readonly osdPings: OsdPingsPlan;
}

export interface ConnectionsPlan {
  readonly sizeBytes: number;
  /** All of them busy: what the many are compared with. */
  readonly few: number;
  readonly many: number;
  /** Of the many. */
  readonly activeShare: number;
}

export interface OsdPingsPlan {
  readonly count: number;
  readonly warmUpCount: number;
}

export const fullPlan: Plan = {
  scenarios: Object.values(Scenario),
  rounds: 5,
  seconds: 0.5,
  sizesBytes: benchSizesBytes,
  pingBytes: 64,
  depths: [1, 64, 512],
  gcSizesBytes: [64, 4096],
  fanInBytes: 1024,
  fanInConnections: [1, 10, 100, 1000],
  connections: { sizeBytes: 1024, few: 10, many: 10_000, activeShare: 0.01 },
  osdPings: { count: 60_000, warmUpCount: 100_000 },
};

/** All of it once, within two minutes: a first look, and no figures to quote. */
export const quickPlan: Plan = {
  ...fullPlan,
  rounds: 1,
  seconds: 0.15,
  sizesBytes: [64, 1024, 4096, 64 * 1024],
  gcSizesBytes: [64],
  fanInConnections: [1, 100],
  connections: { ...fullPlan.connections, many: 1000 },
  osdPings: { count: 3_000, warmUpCount: 3_000 },
};
