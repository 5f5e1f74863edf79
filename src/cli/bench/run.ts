/** The scenarios of `msgr2 bench`, one kind of messenger after the other. */
import type { Options } from '../../options.ts';
import { CliError } from '../cli-error.ts';
import { formatCount, formatSize } from '../format.ts';
import type { LiveLine } from '../live-line.ts';
import { roundTripLine, throughputLine, type VariantResult } from './report.ts';
import { startPair, type Variant } from './variants.ts';

export interface BenchPlan {
  readonly variants: readonly Variant[];
  readonly sizesBytes: readonly number[];
  /** Payload of a ping and of its answer; undefined leaves the round trips out. */
  readonly pingBytes: number | undefined;
  /** Measured time of each scenario. */
  readonly seconds: number;
  readonly options: Partial<Options>;
}

/** Prints a line for each measurement as it is done. */
export async function runBench(plan: BenchPlan, live: LiveLine): Promise<VariantResult[]> {
  const results: VariantResult[] = [];
  for (const variant of plan.variants) {
    live.update(`${variant.name}: starting two processes`);
    try {
      results.push(await runVariant(variant, plan, live));
    } catch (error) {
      live.clear();
      throw new CliError(`${variant.name}: ${(error as Error).message}`, { cause: error });
    }
  }
  live.clear();
  return results;
}

async function runVariant(variant: Variant, plan: BenchPlan, live: LiveLine): Promise<VariantResult> {
  const { sizesBytes, pingBytes, seconds } = plan;
  const { name } = variant;
  await using pair = await startPair(variant, plan.options);
  const throughput = [];
  for (const sizeBytes of sizesBytes) {
    const sample = await pair.throughput(
      { sizeBytes, seconds },
      progressOf(live, `${name}  ${formatSize(sizeBytes)}`),
    );
    live.print(throughputLine(name, sample));
    throughput.push(sample);
  }
  if (pingBytes === undefined) return { name, throughput, roundTrips: undefined };
  const roundTrips = await pair.roundTrips(
    { sizeBytes: pingBytes, seconds },
    progressOf(live, `${name}  ping ${formatSize(pingBytes)}`),
  );
  live.print(roundTripLine(name, roundTrips));
  return { name, throughput, roundTrips };
}

function progressOf(live: LiveLine, what: string): ((messages: number) => void) | undefined {
  if (!live.isLive) return undefined;
  live.update(`${what}: warming up`);
  const startedAt = performance.now();
  return (messages) => {
    const elapsed = ((performance.now() - startedAt) / 1000).toFixed(1);
    live.update(`${what}: ${elapsed} s, ${formatCount(messages)} messages`);
  };
}
