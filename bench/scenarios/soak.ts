/**
 * At full speed for minutes: a stream over one connection and one ping after the other over a second one. Each row
 * is a slice of the time; at the end the last third is held against the first, warm-up left out.
 */
import { writeFileSync } from 'node:fs';
import { microseconds } from '../../src/cli/bench/report.ts';
import { startPair, type Variant, variantOf } from '../../src/cli/bench/variants.ts';
import { CliError } from '../../src/cli/cli-error.ts';
import { formatCount } from '../../src/cli/format.ts';
import type { LiveLine } from '../../src/cli/live-line.ts';
import type { BenchFlags } from '../flags.ts';
import { spreadOf } from '../statistics.ts';

export interface SoakSlice {
  /** Since the beginning, at the slice's end. */
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p999Ms: number;
  readonly serverBytes: number;
  readonly clientBytes: number;
  readonly serverDescriptors: number;
  readonly clientDescriptors: number;
}

/** Last third over first third; descriptors are a difference. */
export interface SoakTrend {
  readonly rate: number;
  readonly memory: number;
  readonly descriptors: number;
  readonly p999: number;
}

const slicesMax = 60;
const sizeBytesDefault = 4096;
/** A heap breathes by a few per cent; what leaks for minutes at full speed shows as more. */
const memoryGrowthMax = 1.1;
const variants: readonly Variant[] = [
  variantOf('async', 'default'),
  variantOf('async', 'borrowing'),
  variantOf('async', 'default', 'secure'),
  variantOf('simple', 'default'),
];

export async function runSoak(flags: BenchFlags, live: LiveLine): Promise<void> {
  const [name = 'async'] = flags.peers ?? [];
  const variant = variants.find((candidate) => candidate.name === name);
  if (variant === undefined) {
    const names = variants.map((candidate) => candidate.name).join(', ');
    throw new CliError(`no soak of ${name}; there are ${names}`, { exitCode: 2 });
  }
  const [sizeBytes = sizeBytesDefault] = flags.sizes ?? [];
  const totalSeconds = flags.minutes * 60;
  live.print(`soak of msgr2 ${name}, ${sizeBytes} B, ${flags.minutes} minutes\n`);
  const slices = await soak(variant, sizeBytes, totalSeconds, live);
  const trend = trendOf(slices);
  live.print(
    `\nlast third over first: rate × ${trend.rate.toFixed(3)}, memory × ${trend.memory.toFixed(3)}, p99.9 × ${trend.p999.toFixed(2)}, descriptors ${trend.descriptors >= 0 ? '+' : ''}${trend.descriptors}`,
  );
  if (flags.json !== undefined) {
    writeFileSync(flags.json, `${JSON.stringify({ name, sizeBytes, slices, trend }, undefined, 2)}\n`);
  }
  if (trend.descriptors > 0) throw new CliError(`${trend.descriptors} descriptors more at the end`);
  if (trend.memory > memoryGrowthMax) throw new CliError('memory grew');
}

async function soak(
  variant: Variant,
  sizeBytes: number,
  totalSeconds: number,
  live: LiveLine,
): Promise<SoakSlice[]> {
  await using pair = await startPair(variant);
  await pair.connect(2);
  const count = Math.max(6, Math.min(slicesMax, Math.floor(totalSeconds)));
  live.print('    time  messages/s   ping p50   p99.9     receiver   sender   descriptors');
  const slices: SoakSlice[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) {
    const { stream, pings } = await pair.soak({
      sizeBytes,
      seconds: totalSeconds / count,
      payloads: 'rotating',
    });
    const { server, client } = await pair.memoryUse();
    const slice: SoakSlice = {
      seconds: (performance.now() - startedAt) / 1000,
      messagesPerSecond: stream.messagesPerSecond,
      p50Ms: pings.rttMs!.p50,
      p999Ms: pings.rttMs!.p999,
      serverBytes: server.residentBytes,
      clientBytes: client.residentBytes,
      serverDescriptors: server.descriptors,
      clientDescriptors: client.descriptors,
    };
    slices.push(slice);
    live.print(lineOf(slice));
  }
  return slices;
}

/** The first slice is left out: compilers and pools warm up in it. */
export function trendOf(slices: readonly SoakSlice[]): SoakTrend {
  const warm = slices.slice(1);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const ratio = (value: (slice: SoakSlice) => number): number =>
    spreadOf(last.map(value)).median / spreadOf(first.map(value)).median;
  const descriptors = ({ serverDescriptors, clientDescriptors }: SoakSlice): number =>
    serverDescriptors + clientDescriptors;
  return {
    rate: ratio((slice) => slice.messagesPerSecond),
    memory: ratio((slice) => slice.serverBytes + slice.clientBytes),
    descriptors: spreadOf(last.map(descriptors)).median - spreadOf(first.map(descriptors)).median,
    p999: ratio((slice) => slice.p999Ms),
  };
}

function lineOf(slice: SoakSlice): string {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    `${slice.seconds.toFixed(0)} s`.padStart(8),
    formatCount(slice.messagesPerSecond).padStart(10),
    microseconds(slice.p50Ms).padStart(9),
    microseconds(slice.p999Ms).padStart(9),
    mebibytes(slice.serverBytes).padStart(9),
    mebibytes(slice.clientBytes).padStart(7),
    `${slice.serverDescriptors} + ${slice.clientDescriptors}`.padStart(9),
  ].join('  ');
}
