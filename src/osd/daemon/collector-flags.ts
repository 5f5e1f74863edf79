/**
 * How V8 collects garbage in a daemon whose heaps are small and whose threads sleep: on the thread that made it.
 * A collection of the young generation takes half a millisecond here; shared with V8's four helper threads it
 * costs that again for waking them, in each of the three isolates every few seconds.
 */
import { setFlagsFromString } from 'node:v8';

/** For the whole process, also when its isolates run already: V8 asks at each collection. */
export function collectOnOwnThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
