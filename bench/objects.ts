/**
 * What V8 takes for the objects that are sent and that a handler gets, with nothing around them: no sender in
 * JavaScript is faster, and no receiver in JavaScript whose handler may keep its messages.
 */
import type { ThroughputSample } from '../src/cli/bench/samples.ts';
import { moduleBeside } from '../src/module-beside.ts';
import { type LoneCount, LoneProcess } from './lone-process.ts';
import type { PeerSession } from './peer.ts';

interface Counts {
  readonly received: LoneCount;
  readonly sent: LoneCount;
}

export function startObjects(): PeerSession {
  const script = moduleBeside('./objects-process', import.meta.url);
  const receiver = new LoneProcess('received objects', script, ['received']);
  const sender = new LoneProcess('sent objects', script, ['sent']);
  let counts: Promise<Counts> | undefined;
  return {
    /** An object is an object: one measurement answers for all sizes. */
    async throughput({ sizeBytes, seconds }) {
      counts ??= measureBoth(receiver, sender, seconds);
      return sampleOf(sizeBytes, await counts);
    },
    async close() {
      await Promise.all([receiver.end(), sender.end()]);
    },
  };
}

/** At the same time, as the two ends of a stream. */
async function measureBoth(receiver: LoneProcess, sender: LoneProcess, seconds: number): Promise<Counts> {
  const [received, sent] = await Promise.all([receiver.measure(seconds), sender.measure(seconds)]);
  return { received, sent };
}

/** The slower end counts; of the other one so much CPU as it takes for as many. */
function sampleOf(sizeBytes: number, { received, sent }: Counts): ThroughputSample {
  const slower = received.done / received.seconds < sent.done / sent.seconds ? received : sent;
  const { done: objects, seconds } = slower;
  const cpuOf = ({ cpu, done }: LoneCount) => ({
    userUs: (cpu.userUs * objects) / done,
    systemUs: (cpu.systemUs * objects) / done,
  });
  return {
    sizeBytes,
    payloads: 'hot',
    active: 1,
    messages: objects,
    seconds,
    messagesPerSecond: objects / seconds,
    megabytesPerSecond: (objects * sizeBytes) / seconds / 1e6,
    server: cpuOf(received),
    client: cpuOf(sent),
    peakBytes: { server: 0, client: 0 },
  };
}
