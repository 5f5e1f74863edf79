/**
 * How V8 collects garbage in a daemon whose heaps are small and whose threads sleep: on the thread that made it.
 * Half a millisecond every few seconds, in each of three isolates, is not worth waking V8's helper threads for.
 */
import { setFlagsFromString } from 'node:v8';

/** For the whole process, also when its isolates run already: V8 asks at each collection. */
export function collectOnOwnThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
