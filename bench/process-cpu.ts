/** CPU time of another process, all its threads: Linux's scheduler counts it in nanoseconds. */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds on a CPU since its threads began, those that live; undefined where that is not told. */
export function processCpuNs(pid: number): number | undefined {
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return sum;
  } catch {
    return undefined;
  }
}
