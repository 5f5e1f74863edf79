/** The quorum of one, as Ceph describes quorums. */
import type { MonitorState } from './monitor-state.ts';

/** Odd while a quorum stands; nobody ever votes here, so it stays the first. */
export const electionEpoch = 1;

/** mon_feature_t, in the order of its bits. */
const featureNames = [
  'kraken',
  'luminous',
  'mimic',
  'osdmap-prune',
  'nautilus',
  'octopus',
  'pacific',
  'elector-pinging',
] as const;

export function monFeatureNames(bits: bigint): string[] {
  return featureNames.filter((_, index) => (bits & (1n << BigInt(index))) !== 0n);
}

export const supportedMonFeatures: bigint = (1n << BigInt(featureNames.length)) - 1n;

export function quorumAgeMs({ clock, startedMs }: MonitorState): number {
  return clock.nowMs() - startedMs;
}

export function rankOf({ monMap, name }: MonitorState): number {
  return monMap.ranks.indexOf(name);
}
