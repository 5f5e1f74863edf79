/** What this process holds, as Linux counts it; zeros where it does not say. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemoryUse {
  readonly residentBytes: number;
  /** Of JavaScript objects. */
  readonly heapBytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}

let collect: (() => void) | undefined;

export function memoryUse(): MemoryUse {
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed, descriptors: descriptorCount() };
}

/** After a full collection: what is held, not what was left lying. */
export function memoryHeld(): MemoryUse {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  return memoryUse();
}

/** Begins a new peak; what was before is forgotten. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The peak is then that of the process's whole life.
  }
}

/** The most that was resident since `resetPeak`. */
export function peakBytes(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function descriptorCount(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
