/**
 * The picture of who reaches whom: for each network a matrix of observers (rows) and peers (columns); of a
 * single observer a table of its peers, with both networks side by side. Pure: observations in, lines out.
 */
import { styleText } from 'node:util';
import type { LinkState } from '../../osd/heartbeat/link-state.ts';
import { type NetworkName, networkNames } from '../../osd/heartbeat/network-protocol.ts';
import type { Observation, SeenFault, Sight } from './observation.ts';

export interface MatrixOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly isColoured: boolean;
}

/** Observers that could not be asked, by the path of their socket. */
export type Unreachable = ReadonlyMap<string, string>;

const cellWidth = 11;
const nameWidth = 9;
const colours = {
  up: 'green',
  degraded: 'yellow',
  oneWay: 'magenta',
  down: 'red',
  unknown: 'gray',
} as const satisfies Record<LinkState, string>;
const words: Readonly<Record<LinkState, string>> = {
  up: 'up',
  degraded: 'degraded',
  oneWay: 'one-way',
  down: 'down',
  unknown: '?',
};
/** Front first, as people speak of them. */
const networks = [...networkNames].sort().reverse();

export function matrixLines(
  observations: readonly Observation[],
  unreachable: Unreachable,
  options: MatrixOptions,
): string[] {
  const sorted = [...observations].sort((left, right) => left.osd - right.osd);
  const body =
    sorted.length === 1
      ? peerTable(sorted[0]!, options)
      : networks.flatMap((network) => [...networkMatrix(network, sorted, options), '']);
  return [...body, ...stateLines(sorted), ...faultLines(sorted, options), ...unreachableLines(unreachable)];
}

function networkMatrix(
  network: NetworkName,
  observations: readonly Observation[],
  options: MatrixOptions,
): string[] {
  const peers = new Set<number>();
  for (const { osd, sights } of observations) {
    peers.add(osd);
    for (const peer of sights.keys()) peers.add(peer);
  }
  const columns = [...peers].sort((left, right) => left - right);
  const room = Math.max(1, Math.floor((options.width - nameWidth) / cellWidth));
  const shown = columns.slice(0, room);
  const rest = columns.length - shown.length;
  const head = network.padEnd(nameWidth) + shown.map((peer) => `osd.${peer}`.padStart(cellWidth)).join('');
  const rows = observations.map(({ osd, sights }) => {
    const cells = shown.map((peer) =>
      peer === osd ? '·'.padStart(cellWidth) : cell(sights.get(peer)?.[network], options),
    );
    return `osd.${osd}`.padEnd(nameWidth) + cells.join('');
  });
  return [rest > 0 ? `${head}  … ${rest} more` : head, ...rows];
}

function peerTable(observation: Observation, options: MatrixOptions): string[] {
  const heardWidth = 9;
  const head = networks.map((network) => network.padStart(cellWidth) + 'heard'.padStart(heardWidth));
  const peers = [...observation.sights].sort(([left], [right]) => left - right);
  const rows = peers.map(([peer, seen]) => {
    const columns = networks.map((network) => {
      const heard = seen[network]?.lastHeardMs;
      return cell(seen[network], options) + (heard === undefined ? '' : age(heard)).padStart(heardWidth);
    });
    return `osd.${peer}`.padEnd(nameWidth) + columns.join('');
  });
  return [`osd.${observation.osd} →`.padEnd(nameWidth) + head.join(''), ...rows, ''];
}

/** A latency when all is well, else the state. */
function cell(sight: Sight | undefined, { isColoured }: MatrixOptions): string {
  if (sight === undefined) return '-'.padStart(cellWidth);
  const { lastRttMs, state } = sight;
  const text = state === 'up' && lastRttMs > 0 ? latency(lastRttMs) : words[state];
  const padded = text.padStart(cellWidth);
  return isColoured ? styleText(colours[state], padded, { validateStream: false }) : padded;
}

function latency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function age(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Only those that are not as they should be. */
function stateLines(observations: readonly Observation[]): string[] {
  return observations
    .filter(({ state }) => state !== 'active')
    .map(({ osd, state }) => `osd.${osd} is ${state.replaceAll('_', ' ')}`);
}

/** One line for a NIC, whoever sees it. */
function faultLines(observations: readonly Observation[], { isColoured }: MatrixOptions): string[] {
  const faults = new Map<string, { fault: SeenFault; seenBy: number[]; separated: Set<number> }>();
  for (const { faults: seen, osd } of observations) {
    for (const fault of seen) {
      const key = `${fault.owner} ${fault.network}`;
      const known = faults.get(key) ?? { fault, seenBy: [], separated: new Set() };
      known.seenBy.push(osd);
      for (const peer of fault.separated) known.separated.add(peer);
      faults.set(key, known);
    }
  }
  return [...faults.values()].map(({ fault, seenBy, separated }) => {
    const { network, owner, reason, state } = fault;
    const others = [...new Set([...separated, ...seenBy])].filter((osd) => osd !== owner);
    const from = others.sort((left, right) => left - right).map((osd) => `osd.${osd}`);
    const line = `${network} NIC of osd.${owner} is ${words[state]}, apart from ${from.join(', ')}: ${reason}`;
    return isColoured ? styleText('red', line, { validateStream: false }) : line;
  });
}

function unreachableLines(unreachable: Unreachable): string[] {
  return [...unreachable].map(([path, reason]) => `${path}: ${reason}`);
}
