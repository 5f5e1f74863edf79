/** What `npm run bench` says at the end: a table of medians and a table of ratios. */
import { microseconds, nanoseconds } from '../src/cli/bench/report.ts';
import type { RoundTripSample, ThroughputSample } from '../src/cli/bench/samples.ts';
import { formatCount, formatSize, formatTable } from '../src/cli/format.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** All rounds of one peer. */
export interface PeerResult {
  readonly name: string;
  readonly title: string;
  readonly throughput: readonly ThroughputSample[];
  readonly roundTrips: readonly RoundTripSample[];
}

/** What is set against what; peers that did not run are left out. */
const ratioPairs = [
  ['async', 'node:net'],
  ['async borrowing', 'node:net'],
  ['simple', 'node:net'],
  ['async', 'simple'],
  ['async borrowing', 'async'],
  ['async secure', 'async'],
  ['simple secure', 'simple'],
  ['async secure', 'AEAD alone'],
  ['async borrowing secure', 'AEAD alone'],
  ['simple secure', 'AEAD alone'],
] as const;

export interface Ratio {
  readonly of: string;
  readonly to: string;
  /** Medians of messages per second divided, by size in bytes; as it is for people: 2 is twice as fast. */
  readonly throughput: Readonly<Record<string, number>>;
  /** Of the ping's median round trip: 0.5 is half the time. */
  readonly ping: number | undefined;
}

export function rateOf(result: PeerResult, sizeBytes: number): Spread | undefined {
  const samples = result.throughput.filter((sample) => sample.sizeBytes === sizeBytes);
  return samples.length === 0 ? undefined : spreadOf(samples.map((sample) => sample.messagesPerSecond));
}

export function pingOf(result: PeerResult, key: 'p50' | 'p99'): Spread | undefined {
  const { roundTrips } = result;
  return roundTrips.length === 0 ? undefined : spreadOf(roundTrips.map((sample) => sample.rttMs[key]));
}

/** CPU time of both processes for one message, in nanoseconds; other work on the machine moves it least. */
export function cpuOf(result: PeerResult, sizeBytes: number): Spread | undefined {
  const samples = result.throughput.filter((sample) => sample.sizeBytes === sizeBytes);
  if (samples.length === 0) return undefined;
  return spreadOf(
    samples.map(({ server, client, messages }) => {
      const us = server.userUs + server.systemUs + client.userUs + client.systemUs;
      return (us * 1000) / messages;
    }),
  );
}

export function ratiosOf(results: readonly PeerResult[], sizesBytes: readonly number[]): Ratio[] {
  return ratioPairs.flatMap(([of, to]) => {
    const left = results.find((result) => result.name === of);
    const right = results.find((result) => result.name === to);
    if (left === undefined || right === undefined) return [];
    const throughput: Record<string, number> = {};
    for (const size of sizesBytes) {
      const above = rateOf(left, size);
      const below = rateOf(right, size);
      if (above && below) throughput[size] = above.median / below.median;
    }
    const ping = pingOf(left, 'p50');
    const otherPing = pingOf(right, 'p50');
    return [{ of, to, throughput, ping: ping && otherPing && ping.median / otherPing.median }];
  });
}

export function resultTables(results: readonly PeerResult[], sizesBytes: readonly number[]): string {
  const sizes = sizesBytes.map(formatSize);
  const rates = results.map((result) => [
    result.title,
    ...sizesBytes.map((size) => withSpread(rateOf(result, size), formatCount)),
    withSpread(pingOf(result, 'p50'), microseconds),
    withSpread(pingOf(result, 'p99'), microseconds),
  ]);
  const cpu = results.map((result) => [
    result.title,
    ...sizesBytes.map((size) => withSpread(cpuOf(result, size), nanoseconds)),
  ]);
  const ratios = ratiosOf(results, sizesBytes).map(({ of, to, throughput, ping }) => [
    `${of} / ${to}`,
    ...sizesBytes.map((size) => times(throughput[size])),
    times(ping),
  ]);
  const tables = [
    formatTable([['messages/s, one way', ...sizes, 'ping p50', 'ping p99'], ...rates]),
    formatTable([['CPU per message, both ends', ...sizes], ...cpu]),
  ];
  if (ratios.length > 0) {
    tables.push(formatTable([['ratio of medians', ...sizes, 'ping p50 (less is better)'], ...ratios]));
  }
  return tables.join('\n\n');
}

function withSpread(value: Spread | undefined, format: (value: number) => string): string {
  return value === undefined ? '-' : `${format(value.median)} ±${Math.round((100 * value.spread) / 2)}%`;
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '-' : `× ${ratio.toFixed(2)}`;
}
