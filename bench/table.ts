/** What `npm run bench` says at the end: tables of medians, and of ratios. */
import { microseconds, nanoseconds } from '../src/cli/bench/report.ts';
import type { ThroughputSample } from '../src/cli/bench/samples.ts';
import { formatCount, formatSize, formatTable, threeDigits } from '../src/cli/format.ts';
import { type Goal, isForbidden } from './goals.ts';
import type { PeerResult, Results } from './results.ts';
import { cpuNsPerMessage } from './scenarios/connections.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** What is set against what, beside the goals; peers that did not run are left out. */
const ratioPairs = [
  ['async', 'node:net'],
  ['async borrowing', 'node:net'],
  ['simple', 'node:net'],
  ['async', 'libzmq'],
  ['async borrowing', 'libzmq'],
  ['async borrowing', 'C++ stream'],
  ['async TCP', 'node:net'],
  ['async borrowing TCP', 'node:net'],
  ['async TCP', 'libzmq'],
  ['async borrowing TCP', 'libzmq'],
  ['async borrowing TCP', 'C++ stream'],
  ['async', 'ws'],
  ['async', 'zeromq.js'],
  ['async', 'grpc-js'],
  ['async', 'nats'],
  ['async', 'simple'],
  ['async', 'async TCP'],
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
  readonly rotating: Readonly<Record<string, number>>;
  /** Of the ping's median round trip: 0.5 is half the time. */
  readonly ping: number | undefined;
}

export function rateOf(
  result: PeerResult,
  sizeBytes: number,
  kind: 'stream' | 'rotating' | 'loopback' = 'stream',
): Spread | undefined {
  return spreadOfSize(result[kind], sizeBytes, (sample) => sample.messagesPerSecond);
}

/** Of round trips with so many under way. */
export function pingOf(result: PeerResult, key: 'p50' | 'p99', depth = 1): Spread | undefined {
  const samples = result.requests.filter((sample) => sample.depth === depth);
  return samples.length === 0 ? undefined : spreadOf(samples.map((sample) => sample.rttMs[key]));
}

/**
 * CPU time of one end for one message, in nanoseconds; other work on the machine moves it least. Undefined for an
 * end that a peer does not have.
 */
export function cpuOf(result: PeerResult, sizeBytes: number, end: 'server' | 'client'): Spread | undefined {
  const spread = spreadOfSize(result.stream, sizeBytes, (sample) => cpuNsPerMessage(sample, end));
  return spread?.max === 0 ? undefined : spread;
}

export function ratiosOf(results: readonly PeerResult[], sizesBytes: readonly number[]): Ratio[] {
  return ratioPairs.flatMap(([of, to]) => {
    const left = results.find((result) => result.name === of);
    const right = results.find((result) => result.name === to);
    return left === undefined || right === undefined ? [] : [ratioOf(left, right, sizesBytes)];
  });
}

export function ratioOf(left: PeerResult, right: PeerResult, sizesBytes: readonly number[]): Ratio {
  const rates = (kind: 'stream' | 'rotating'): Record<string, number> => {
    const bySize: Record<string, number> = {};
    for (const size of sizesBytes) {
      const above = rateOf(left, size, kind);
      const below = rateOf(right, size, kind);
      if (above && below) bySize[size] = above.median / below.median;
    }
    return bySize;
  };
  const ping = pingOf(left, 'p50');
  const otherPing = pingOf(right, 'p50');
  return {
    of: left.name,
    to: right.name,
    throughput: rates('stream'),
    rotating: rates('rotating'),
    ping: ping && otherPing && ping.median / otherPing.median,
  };
}

/** Of pairs of processes; a table only where something was measured. */
export function peerTables(results: readonly PeerResult[], sizesBytes: readonly number[]): string[] {
  return [
    rateTable('messages/s, one way', results, sizesBytes, 'stream'),
    rateTable('messages/s, one way, 16 MiB of payloads in turn', results, sizesBytes, 'rotating'),
    rateTable('messages/s within one process', results, sizesBytes, 'loopback'),
    sizeTable('CPU per message, sender', results, sizesBytes, (result, size) =>
      withSpread(cpuOf(result, size, 'client'), nanoseconds),
    ),
    sizeTable('CPU per message, receiver', results, sizesBytes, (result, size) =>
      withSpread(cpuOf(result, size, 'server'), nanoseconds),
    ),
    sizeTable('peak memory, sender + receiver', results, sizesBytes, peakText),
    requestTable(results),
    fanInTable(results),
    gcTable(results),
    ratioTable(ratiosOf(results, sizesBytes), sizesBytes),
  ].filter((table) => table !== '');
}

export function connectionsTable(samples: Results['connections']): string {
  if (samples.length === 0) return '';
  const { open, few, many } = samples[0]!;
  const row = (name: string, values: number[], format: (value: number) => string) => [
    name,
    withSpread(spreadOf(values), format),
  ];
  const cpu = (end: 'server' | 'client', which: 'few' | 'many') =>
    samples.map((sample) => cpuNsPerMessage(sample[which], end));
  const kibibytes = (bytes: number) => `${threeDigits(bytes / 1024)} KiB`;
  const formatOpen = open.toLocaleString('en-US');
  const all = `${few.active} connections, all busy`;
  const part = `${formatOpen} connections, ${many.active} busy`;
  return formatTable([
    [`msgr2 async, ${formatSize(few.sizeBytes)}`, ''],
    row(`receiver's CPU per message, ${all}`, cpu('server', 'few'), nanoseconds),
    row(`receiver's CPU per message, ${part}`, cpu('server', 'many'), nanoseconds),
    row(`sender's CPU per message, ${all}`, cpu('client', 'few'), nanoseconds),
    row(`sender's CPU per message, ${part}`, cpu('client', 'many'), nanoseconds),
    row(
      'memory per idle connection, accepting end',
      samples.map(({ bytesPerConnection }) => bytesPerConnection.server),
      kibibytes,
    ),
    row(
      'the same, connecting end, a messenger for each included',
      samples.map(({ bytesPerConnection }) => bytesPerConnection.client),
      kibibytes,
    ),
  ]);
}

export function goalTable(goals: readonly Goal[]): string {
  const head = ['ratio to reach', 'measured', 'must', 'that part alone', ''];
  const rows = goals.map((goal) => {
    const { name, ratio, must, bound, limit } = goal;
    return [
      name,
      ratio === null ? '-' : ratio.toFixed(2),
      `${bound === 'at least' ? '≥' : '≤'} ${must}`,
      limit === null ? '-' : limit.toFixed(2),
      goalWord(goal),
    ];
  });
  return formatTable([head, ...rows]);
}

function goalWord(goal: Goal): string {
  if (goal.ratio === null) return 'not measured';
  if (goal.ok) return 'reached';
  return isForbidden(goal) ? 'beyond the bound' : 'NOT REACHED';
}

/** So that nobody takes a ratio for more than it says; who does the same stands on one line. */
export function fairnessTable(results: readonly PeerResult[]): string {
  const names = new Map<string, string[]>();
  for (const { name, does } of results) names.set(does, [...(names.get(does) ?? []), name]);
  return [...names].map(([does, all]) => `${all.join(', ')}:\n    ${does}`).join('\n');
}

function rateTable(
  head: string,
  results: readonly PeerResult[],
  sizesBytes: readonly number[],
  kind: 'stream' | 'rotating' | 'loopback',
): string {
  return sizeTable(head, results, sizesBytes, (result, size) =>
    withSpread(rateOf(result, size, kind), formatCount),
  );
}

/** Peers down, sizes across; rows of which nothing was measured are left out. */
function sizeTable(
  head: string,
  results: readonly PeerResult[],
  sizesBytes: readonly number[],
  cell: (result: PeerResult, sizeBytes: number) => string,
): string {
  const rows = results
    .map((result) => [result.title, ...sizesBytes.map((size) => cell(result, size))])
    .filter((row) => row.slice(1).some((text) => text !== noValue));
  return rows.length === 0 ? '' : formatTable([[head, ...sizesBytes.map(formatSize)], ...rows]);
}

function requestTable(results: readonly PeerResult[]): string {
  const depths = [...new Set(results.flatMap(({ requests }) => requests.map(({ depth }) => depth)))].sort(
    (left, right) => left - right,
  );
  const rows = results
    .filter(({ requests }) => requests.length > 0)
    .map((result) => [
      result.title,
      withSpread(pingOf(result, 'p50'), microseconds),
      withSpread(pingOf(result, 'p99'), microseconds),
      ...depths.map((depth) => {
        const samples = result.requests.filter((sample) => sample.depth === depth);
        if (samples.length === 0) return noValue;
        return withSpread(spreadOf(samples.map(({ perSecond }) => perSecond)), formatCount);
      }),
    ]);
  if (rows.length === 0) return '';
  const perSecond = depths.map((depth, index) =>
    index === 0 ? `replies/s, ${depth} deep` : `${depth} deep`,
  );
  return formatTable([['request and reply', 'p50, 1 deep', 'p99, 1 deep', ...perSecond], ...rows]);
}

function fanInTable(results: readonly PeerResult[]): string {
  const samplesOf = ({ fanIn }: PeerResult, active: number) =>
    fanIn.filter((sample) => sample.active === active);
  const counts = [...new Set(results.flatMap(({ fanIn }) => fanIn.map(({ active }) => active)))].sort(
    (left, right) => left - right,
  );
  const rows = results
    .filter(({ fanIn }) => fanIn.length > 0)
    .map((result) => [
      result.title,
      ...counts.map((count) => {
        const samples = samplesOf(result, count);
        if (samples.length === 0) return noValue;
        return withSpread(spreadOf(samples.map(({ messagesPerSecond }) => messagesPerSecond)), formatCount);
      }),
    ]);
  if (rows.length === 0) return '';
  const sizeBytes = results.flatMap(({ fanIn }) => fanIn)[0]!.sizeBytes;
  const words = counts.map((count) => `from ${count}`);
  return formatTable([[`messages/s, fan-in, ${formatSize(sizeBytes)}`, ...words], ...rows]);
}

function gcTable(results: readonly PeerResult[]): string {
  const all = results.flatMap(({ gc }) => gc);
  if (all.length === 0) return '';
  const sizes = [...new Set(all.map(({ sizeBytes }) => sizeBytes))];
  const rows = results
    .filter(({ gc }) => gc.length > 0)
    .map((result) => [
      result.title,
      ...sizes.flatMap((size) =>
        (['client', 'server'] as const).map((end) => {
          const samples = result.gc.filter(({ sizeBytes }) => sizeBytes === size);
          if (samples.length === 0) return noValue;
          const perMillion = (value: (sample: (typeof samples)[number]) => number) =>
            spreadOf(samples.map((sample) => (value(sample) * 1e6) / sample.messages)).median;
          const megabytes = perMillion((sample) => sample[end].allocatedBytes) / 1e6;
          const ms = perMillion((sample) => sample[end].collectionMs);
          return `${threeDigits(megabytes)} MB, ${threeDigits(ms)} ms`;
        }),
      ),
    ]);
  const head = sizes.flatMap((size) => [`${formatSize(size)}, sender`, `${formatSize(size)}, receiver`]);
  return formatTable([['allocated and collecting, per million messages', ...head], ...rows]);
}

export function ratioTable(ratios: readonly Ratio[], sizesBytes: readonly number[]): string {
  const rows = ratios.flatMap(({ of, to, throughput, rotating, ping }) => {
    const row = (name: string, rates: Ratio['throughput'], last: string): string[][] =>
      Object.keys(rates).length === 0 && last === noValue
        ? []
        : [[name, ...sizesBytes.map((size) => times(rates[size])), last]];
    return [
      ...row(`${of} / ${to}`, throughput, times(ping)),
      ...row(`${of} / ${to}, rotating`, rotating, noValue),
    ];
  });
  if (rows.length === 0) return '';
  const head = ['ratio of medians', ...sizesBytes.map(formatSize), 'ping p50 (less is better)'];
  return formatTable([head, ...rows]);
}

const noValue = '-';

function spreadOfSize(
  samples: readonly ThroughputSample[],
  sizeBytes: number,
  value: (sample: ThroughputSample) => number,
): Spread | undefined {
  const ofSize = samples.filter((sample) => sample.sizeBytes === sizeBytes);
  return ofSize.length === 0 ? undefined : spreadOf(ofSize.map(value));
}

function peakText(result: PeerResult, sizeBytes: number): string {
  const peak = (end: 'server' | 'client') =>
    spreadOfSize(result.stream, sizeBytes, ({ peakBytes }) => peakBytes[end])?.median ?? 0;
  const [client, server] = [peak('client'), peak('server')];
  if (client === 0 && server === 0) return noValue;
  const mebibytes = (bytes: number) => String(Math.round(bytes / 2 ** 20));
  return `${mebibytes(client)} + ${mebibytes(server)} MiB`;
}

function withSpread(value: Spread | undefined, format: (value: number) => string): string {
  return value === undefined ? noValue : `${format(value.median)} ±${Math.round((100 * value.spread) / 2)}%`;
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? noValue : `× ${ratio.toFixed(2)}`;
}
