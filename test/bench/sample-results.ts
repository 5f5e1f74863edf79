/** Results that were never measured, for what reckons with results. */
import { fullPlan } from '../../bench/plan.ts';
import { emptyResult, type MutablePeerResult, type Results } from '../../bench/results.ts';
import type { RoundTripSample, ThroughputSample } from '../../src/cli/bench/samples.ts';

const cpu = { userUs: 1, systemUs: 1 };

export function streamSample(messagesPerSecond: number, sizeBytes = 64): ThroughputSample {
  return {
    sizeBytes,
    payloads: 'hot',
    active: 1,
    messages: messagesPerSecond,
    seconds: 1,
    messagesPerSecond,
    megabytesPerSecond: (sizeBytes * messagesPerSecond) / 1e6,
    server: cpu,
    client: cpu,
    peakBytes: { server: 2 ** 20, client: 2 ** 21 },
  };
}

export function pingSample(p50: number, depth = 1): RoundTripSample {
  const rttMs = {
    min: p50,
    p50,
    p90: 1.5 * p50,
    p99: 2 * p50,
    p999: 3 * p50,
    p9999: 4 * p50,
    max: 5 * p50,
    mean: p50,
  };
  return { sizeBytes: 64, depth, roundTrips: 1, seconds: 1, perSecond: 1, rttMs, server: cpu, client: cpu };
}

/** One peer with the rounds of a stream of 64 bytes, and the same p50 in each of them. */
export function peerResult(name: string, rates: readonly number[], p50?: number): MutablePeerResult {
  const result = emptyResult({ name, title: `the ${name}`, does: 'nothing' });
  result.stream.push(...rates.map((rate) => streamSample(rate)));
  if (p50 !== undefined) result.requests.push(pingSample(p50));
  return result;
}

export function resultsOf(peers: Results['peers']): Results {
  return {
    machine: {
      cpu: 'abacus & <co>',
      cores: 2,
      kernel: 'Linux',
      congestionControl: 'reno',
      node: 'v20',
      load: 0,
      date: '2026-01-02T03:04:05Z',
    },
    versions: {},
    plan: { ...fullPlan, sizesBytes: [64, 4096] },
    missing: [],
    peers,
    connections: [],
    osdPings: [],
  };
}
