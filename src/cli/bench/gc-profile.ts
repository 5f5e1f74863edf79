/**
 * What V8's collector has to do for a run: bytes allocated on its heap, collections and their time. Measured in
 * runs of their own, as the profiler looks at the heap before and after each collection.
 */
import { GCProfiler, getHeapStatistics } from 'node:v8';

export interface GcCount {
  readonly allocatedBytes: number;
  readonly collections: number;
  /** Of them, those that mark the whole heap. */
  readonly fullCollections: number;
  readonly collectionMs: number;
}

export class GcProfile {
  readonly #profiler = new GCProfiler();
  readonly #usedAtStart: number;

  constructor() {
    this.#usedAtStart = getHeapStatistics().used_heap_size;
    this.#profiler.start();
  }

  /** Once. */
  end(): GcCount {
    const usedAtEnd = getHeapStatistics().used_heap_size;
    const { statistics = [] } = this.#profiler.stop() ?? {};
    let used = this.#usedAtStart;
    let allocatedBytes = 0;
    let collectionUs = 0;
    let fullCollections = 0;
    for (const { gcType, beforeGC, afterGC, cost } of statistics) {
      // One collection may run inside another; what it freed is then counted once.
      allocatedBytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - used);
      used = afterGC.heapStatistics.usedHeapSize;
      collectionUs += cost;
      if (gcType === 'MarkSweepCompact') fullCollections++;
    }
    allocatedBytes += Math.max(0, usedAtEnd - used);
    return {
      allocatedBytes,
      collections: statistics.length,
      fullCollections,
      collectionMs: collectionUs / 1000,
    };
  }
}
