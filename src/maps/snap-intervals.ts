/** Sums and differences of sets of snapshot ids, for the queue of removed snapshots. */
import type { Interval } from '../wire/interval-set.ts';
import type { SnapIntervals } from './fields.ts';

/** Both sets as one; intervals that touch become one, as Ceph's interval_set does. */
export function uniteIntervals(left: SnapIntervals, right: SnapIntervals): SnapIntervals {
  const sorted = [...left, ...right].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const united: Interval[] = [];
  for (const interval of sorted) {
    const last = united.at(-1);
    if (last !== undefined && interval.start <= last.start + last.length) {
      const length = interval.start + interval.length - last.start;
      if (length > last.length) united[united.length - 1] = { start: last.start, length };
    } else {
      united.push(interval);
    }
  }
  return united;
}

/** What is in `left` and not in `right`. */
export function subtractIntervals(left: SnapIntervals, right: SnapIntervals): SnapIntervals {
  let remaining = [...left];
  for (const hole of right) remaining = remaining.flatMap((interval) => cut(interval, hole));
  return remaining;
}

/** The parts of an interval before and after a hole. */
function cut(interval: Interval, hole: Interval): Interval[] {
  const end = interval.start + interval.length;
  const holeEnd = hole.start + hole.length;
  if (holeEnd <= interval.start || hole.start >= end) return [interval];
  const parts: Interval[] = [];
  if (hole.start > interval.start) {
    parts.push({ start: interval.start, length: hole.start - interval.start });
  }
  if (holeEnd < end) parts.push({ start: holeEnd, length: end - holeEnd });
  return parts;
}
