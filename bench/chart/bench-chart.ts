/** The picture of a run: messages per second by size, and round trips by percentile. */
import { chartPercentiles } from '../../src/cli/bench/round-trip-times.ts';
import { formatCount, formatSize } from '../../src/cli/format.ts';
import type { PeerResult, Results } from '../results.ts';
import { spreadOf } from '../statistics.ts';
import { rateOf } from '../table.ts';
import { escapeXml, type Line, linePanel } from './line-panel.ts';

/** What is drawn, and how: msgr2 in strong colours, what stands for the machine itself in grey. */
const drawn: readonly Omit<Line, 'values' | 'isStrong'>[] = [
  { name: 'async borrowing', colour: '#d9480f' },
  { name: 'async', colour: '#f08c00' },
  { name: 'async TCP', colour: '#e8590c' },
  { name: 'async no polling', colour: '#e8b04a' },
  { name: 'simple', colour: '#b08968' },
  { name: 'C++ stream', colour: '#868e96' },
  { name: 'TCP spinning', colour: '#868e96' },
  { name: 'TCP blocking', colour: '#adb5bd' },
  { name: 'libzmq', colour: '#1971c2' },
  { name: 'node:net', colour: '#2f9e44' },
  { name: 'ws', colour: '#0c8599' },
  { name: 'zeromq.js', colour: '#5f3dc4' },
  { name: 'grpc-js', colour: '#9c36b5' },
  { name: 'nats', colour: '#c2255c' },
];
/** Without the lines that would say the same twice. */
const drawnRates = drawn.filter(({ name }) => name !== 'async no polling');
const strong = ['async borrowing', 'async'];

const size = { width: 1120, height: 410 } as const;
const top = 8;

export function benchChart({ peers, plan, machine }: Pick<Results, 'peers' | 'plan' | 'machine'>): string {
  const { sizesBytes, rounds, pingBytes } = plan;
  const panelHeight = size.height - top - 24;
  const throughput = linePanel({
    title: 'Messages per second, one way, two processes',
    places: sizesBytes.map(formatSize),
    acrossTitle: 'payload',
    lines: linesOf(peers, drawnRates, (peer) => sizesBytes.map((bytes) => rateOf(peer, bytes)?.median)),
    formatValue: (value) => formatCount(value).replace(/\.0+/, ''),
    x: 0,
    y: top,
    width: size.width / 2,
    height: panelHeight,
  });
  const latency = linePanel({
    title: `Round trip, one ${formatSize(pingBytes)} message under way`,
    places: chartPercentiles.map(([name]) => `p${name}`),
    acrossTitle: 'percentile',
    lines: linesOf(peers, drawn, percentilesOf),
    formatValue: (us) => (us < 1000 ? `${us} µs` : `${us / 1000} ms`),
    x: size.width / 2,
    y: top,
    width: size.width / 2,
    height: panelHeight,
  });
  const footer = `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, TCP ${machine.congestionControl}, Node ${machine.node}; medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${machine.date.slice(0, 10)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="msgr2 beside its peers">
<style>
text { font: 11px system-ui, sans-serif; fill: #495057 }
.title { font-size: 14px; font-weight: bold; fill: #212529 }
.grid { stroke: #dee2e6 }
</style>
<rect width="100%" height="100%" rx="8" fill="#fff"/>
${throughput}
${latency}
<text x="18" y="${size.height - 10}">${escapeXml(footer)}</text>
</svg>
`;
}

function linesOf(
  peers: readonly PeerResult[],
  shown: typeof drawn,
  values: (peer: PeerResult) => readonly (number | undefined)[],
): Line[] {
  return shown.flatMap((line) => {
    const peer = peers.find(({ name }) => name === line.name);
    if (peer === undefined) return [];
    const isOwn = strong.includes(line.name);
    const name = line.name.startsWith('async') || line.name === 'simple' ? `msgr2 ${line.name}` : line.name;
    return [{ ...line, name, isStrong: isOwn, values: values(peer) }];
  });
}

/** In microseconds, each the median of the rounds. */
function percentilesOf({ requests }: PeerResult): (number | undefined)[] {
  const samples = requests.filter(({ depth }) => depth === 1);
  return chartPercentiles.map(([, key]) =>
    samples.length === 0 ? undefined : spreadOf(samples.map(({ rttMs }) => rttMs[key] * 1000)).median,
  );
}
