/**
 * What idle connections cost: the same stream over ten connections, all of them busy, and over ten thousand of
 * which one in a hundred is; CPU per message of both, and what each idle one holds in memory on each end.
 */
import type { OfBoth } from '../../src/cli/bench/process-pair.ts';
import type { ThroughputSample } from '../../src/cli/bench/samples.ts';
import { startPair, variantOf } from '../../src/cli/bench/variants.ts';
import type { ConnectionsPlan } from '../plan.ts';

export interface ConnectionsSample {
  readonly few: ThroughputSample;
  readonly many: ThroughputSample;
  /** Connections open in `many`. */
  readonly open: number;
  /** Resident memory for each connection that was added, after a full collection. */
  readonly bytesPerConnection: OfBoth<number>;
  /** On the server, of the many. */
  readonly descriptors: number;
}

/** Each process holds one for each connection, and some of its own. */
export function descriptorsNeeded({ many }: ConnectionsPlan): number {
  return many + 200;
}

export async function measureConnections(
  { sizeBytes, few, many, activeShare }: ConnectionsPlan,
  seconds: number,
): Promise<ConnectionsSample> {
  await using pair = await startPair(variantOf('async', 'default'));
  await pair.connect(few);
  const ofFew = await pair.throughput({ sizeBytes, seconds, active: few });
  const before = await pair.memoryHeld();
  await pair.connect(many);
  const after = await pair.memoryHeld();
  const active = Math.max(1, Math.round(many * activeShare));
  const ofMany = await pair.throughput({ sizeBytes, seconds, active });
  const perConnection = (end: 'server' | 'client'): number =>
    (after[end].residentBytes - before[end].residentBytes) / (many - few);
  return {
    few: ofFew,
    many: ofMany,
    open: many,
    bytesPerConnection: { server: perConnection('server'), client: perConnection('client') },
    descriptors: after.server.descriptors,
  };
}

/** CPU time of one end for one message, in nanoseconds. */
export function cpuNsPerMessage(sample: ThroughputSample, end: 'server' | 'client'): number {
  return ((sample[end].userUs + sample[end].systemUs) * 1000) / sample.messages;
}
