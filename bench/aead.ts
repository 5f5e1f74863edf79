/**
 * What AES-128-GCM allows on this machine, with nothing around it: one process seals and another opens, both at
 * once and each on a core of its own, as the two ends of a link in secure mode do. The slower of the two is
 * what the link could reach at most.
 */
import type { CpuTime, ThroughputSample } from '../src/cli/bench/samples.ts';
import { moduleBeside } from '../src/module-beside.ts';
import type { AeadCount } from './aead-process.ts';
import { LoneProcess } from './lone-process.ts';
import type { PeerSession } from './peer.ts';

const script = moduleBeside('./aead-process', import.meta.url);

/** Of the time that is measured, before it and unmeasured. */
const warmUpShare = 0.5;

export function startAead(): PeerSession {
  const sealer = new LoneProcess<AeadCount>('AEAD', script, ['seal']);
  const opener = new LoneProcess<AeadCount>('AEAD', script, ['open']);
  const both = (seconds: number) => Promise.all([sealer.run({ seconds }), opener.run({ seconds })]);
  let counts: Promise<readonly [AeadCount, AeadCount]> | undefined;
  const measure = async (seconds: number) => {
    await both(seconds * warmUpShare);
    return both(seconds);
  };
  return {
    /** Bytes are bytes: one measurement answers for all sizes. */
    async throughput({ sizeBytes, seconds }) {
      counts ??= measure(seconds);
      return sampleOf(sizeBytes, ...(await counts));
    },
    async close() {
      await Promise.all([sealer.end(), opener.end()]);
    },
  };
}

/** Messages of so many bytes that the slower of the two could do. */
function sampleOf(sizeBytes: number, sealed: AeadCount, opened: AeadCount): ThroughputSample {
  const rateOf = ({ bytes, seconds }: AeadCount) => bytes / seconds;
  const bytesPerSecond = Math.min(rateOf(sealed), rateOf(opened));
  const { seconds } = sealed;
  const messages = (bytesPerSecond * seconds) / sizeBytes;
  // CPU time for as many bytes as both have done.
  const share = ({ bytes, cpu }: AeadCount): CpuTime => {
    const part = (messages * sizeBytes) / bytes;
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
