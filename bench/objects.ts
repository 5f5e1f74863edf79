/**
 * What V8 takes for the objects that a handler gets, with nothing around it: no receiver in JavaScript whose handler
 * may keep its messages is faster.
 */
import type { ThroughputSample } from '../src/cli/bench/samples.ts';
import { moduleBeside } from '../src/module-beside.ts';
import { type LoneCount, LoneProcess } from './lone-process.ts';
import type { PeerSession } from './peer.ts';

export function startObjects(): PeerSession {
  const maker = new LoneProcess('objects', moduleBeside('./objects-process', import.meta.url));
  let count: Promise<LoneCount> | undefined;
  return {
    /** An object is an object: one measurement answers for all sizes. */
    async throughput({ sizeBytes, seconds }) {
      count ??= maker.measure(seconds);
      return sampleOf(sizeBytes, await count);
    },
    close: () => maker.end(),
  };
}

function sampleOf(sizeBytes: number, { done: objects, seconds, cpu }: LoneCount): ThroughputSample {
  return {
    sizeBytes,
    payloads: 'hot',
    active: 1,
    messages: objects,
    seconds,
    messagesPerSecond: objects / seconds,
    megabytesPerSecond: (objects * sizeBytes) / seconds / 1e6,
    server: cpu,
    client: { userUs: 0, systemUs: 0 },
    peakBytes: { server: 0, client: 0 },
  };
}
