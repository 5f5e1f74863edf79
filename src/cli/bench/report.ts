/** Samples as text: a line each as they come, and one table at the end. */
import { formatCount, formatSize, formatTable, threeDigits } from '../format.ts';
import type { CpuTime, RoundTripSample, ThroughputSample } from './samples.ts';

/** All that one kind of messenger was measured with. */
export interface VariantResult {
  readonly name: string;
  readonly throughput: readonly ThroughputSample[];
  readonly roundTrips: RoundTripSample | undefined;
}

const nameWidth = 22;

export function throughputLine(name: string, sample: ThroughputSample): string {
  const { sizeBytes, messagesPerSecond, megabytesPerSecond, messages, server, client } = sample;
  const cpu = `CPU per message ${cpuPer(client, messages)} to send, ${cpuPer(server, messages)} to receive`;
  return [
    name.padEnd(nameWidth),
    formatSize(sizeBytes).padStart(7),
    `${formatCount(messagesPerSecond).padStart(7)} messages/s`,
    `${threeDigits(megabytesPerSecond).padStart(6)} MB/s`,
    ` ${cpu}`,
  ].join('  ');
}

export function roundTripLine(name: string, sample: RoundTripSample): string {
  const { sizeBytes, perSecond, rttMs } = sample;
  return [
    name.padEnd(nameWidth),
    formatSize(sizeBytes).padStart(7),
    `${formatCount(perSecond).padStart(7)} round trips/s, one under way:`,
    `p50 ${microseconds(rttMs.p50)}`,
    `p99 ${microseconds(rttMs.p99)}`,
    `max ${microseconds(rttMs.max)}`,
  ].join('  ');
}

/** Messages per second by size, and the ping. */
export function resultTable(results: readonly VariantResult[]): string {
  const sizes = [
    ...new Set(results.flatMap((result) => result.throughput.map((sample) => sample.sizeBytes))),
  ];
  const head = ['messages/s', ...sizes.map(formatSize), 'ping p50', 'ping p99'];
  const rows = results.map(({ name, throughput, roundTrips }) => [
    name,
    ...sizes.map((size) => {
      const sample = throughput.find((candidate) => candidate.sizeBytes === size);
      return sample === undefined ? '-' : formatCount(sample.messagesPerSecond);
    }),
    roundTrips === undefined ? '-' : microseconds(roundTrips.rttMs.p50),
    roundTrips === undefined ? '-' : microseconds(roundTrips.rttMs.p99),
  ]);
  return formatTable([head, ...rows]);
}

export function microseconds(milliseconds: number): string {
  return `${threeDigits(milliseconds * 1000)} µs`;
}

/** `79 ns`, `13.7 µs`. */
export function nanoseconds(ns: number): string {
  return ns < 9_995 ? `${Math.round(ns)} ns` : `${threeDigits(ns / 1000)} µs`;
}

function cpuPer({ userUs, systemUs }: CpuTime, messages: number): string {
  return nanoseconds(((userUs + systemUs) * 1000) / messages);
}
