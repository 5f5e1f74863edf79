/** What `msgr2 ping` prints: the lines of ping(8) with Ceph's names in them. */
import { formatMs, threeDigits } from '../format.ts';
import type { PingSummary } from './pinger.ts';

export function replyLine(
  peer: string,
  target: string,
  seq: number,
  bytes: number,
  milliseconds: number,
): string {
  return `${bytes} bytes from ${peer} (${target}): ping_seq=${seq} time=${formatMs(milliseconds)} ms`;
}

/** The block after the last reply. */
export function summaryText(summary: PingSummary): string {
  const { sent, received, lost, underWay, lossPercent, elapsedMs, repliesPerSecond, rttMs } = summary;
  const peer = summary.network === undefined ? summary.peer : `${summary.peer} ${summary.network}`;
  const lines = ['', `--- ${peer} (${summary.target}) ping statistics ---`];
  const counts = [
    `${sent} pings sent`,
    `${received} replies`,
    `${lost} lost (${lossPercent === 0 ? '0' : threeDigits(lossPercent)}%)`,
  ];
  if (underWay > 0) counts.push(`${underWay} still under way`);
  for (const [count, what] of [
    [summary.duplicates, 'duplicates'],
    [summary.late, 'too late'],
    [summary.unknown, 'to no ping of ours'],
    [summary.youDied, 'YOU_DIED'],
    [summary.disconnects, 'disconnects'],
  ] as const) {
    if (count > 0) counts.push(`${count} ${what}`);
  }
  lines.push(counts.join(', '));
  if (rttMs !== undefined) {
    lines.push(
      `${Math.round(repliesPerSecond)} replies/s over ${Math.round(elapsedMs)} ms`,
      `rtt min/p50/p99/max = ${[rttMs.min, rttMs.p50, rttMs.p99, rttMs.max].map(formatMs).join('/')} ms`,
    );
  }
  return lines.join('\n');
}
