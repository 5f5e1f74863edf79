/**
 * What AES-128-GCM allows on this machine, with nothing around it: one process seals and another opens, both at
 * once and each on a core of its own, as the two ends of a link in secure mode do. The slower of the two is
 * what the link could reach at most.
 */
import type { CpuTime, ThroughputSample } from '../src/cli/bench/samples.ts';
import { moduleBeside } from '../src/module-beside.ts';
import { type LoneCount, LoneProcess } from './lone-process.ts';
import type { PeerSession } from './peer.ts';

const script = moduleBeside('./aead-process', import.meta.url);

export function startAead(): PeerSession {
  const sealer = new LoneProcess('AEAD', script, ['seal']);
  const opener = new LoneProcess('AEAD', script, ['open']);
  let counts: Promise<[LoneCount, LoneCount]> | undefined;
  return {
    /** Bytes are bytes: one measurement answers for all sizes. */
    async throughput({ sizeBytes, seconds }) {
      counts ??= Promise.all([sealer.measure(seconds), opener.measure(seconds)]);
      return sampleOf(sizeBytes, ...(await counts));
    },
    async close() {
      await Promise.all([sealer.end(), opener.end()]);
    },
  };
}

/** Messages of so many bytes that the slower of the two could do. */
function sampleOf(sizeBytes: number, sealed: LoneCount, opened: LoneCount): ThroughputSample {
  const rateOf = ({ done, seconds }: LoneCount) => done / seconds;
  const bytesPerSecond = Math.min(rateOf(sealed), rateOf(opened));
  const { seconds } = sealed;
  const messages = (bytesPerSecond * seconds) / sizeBytes;
  // CPU time for as many bytes as both have done.
  const share = ({ done, cpu }: LoneCount): CpuTime => {
    const part = (messages * sizeBytes) / done;
    return { userUs: cpu.userUs * part, systemUs: cpu.systemUs * part };
  };
  return {
    sizeBytes,
    payloads: 'hot',
    active: 1,
    messages,
    seconds,
    messagesPerSecond: bytesPerSecond / sizeBytes,
    megabytesPerSecond: bytesPerSecond / 1e6,
    server: share(opened),
    client: share(sealed),
    peakBytes: { server: 0, client: 0 },
  };
}
