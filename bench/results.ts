/** All that one run measured, as its JSON has it. */
import type { Machine } from '../src/cli/bench/machine.ts';
import type { GcSample, RoundTripSample, ThroughputSample } from '../src/cli/bench/samples.ts';
import type { AnswererResult } from './osd-pings.ts';
import type { Plan } from './plan.ts';
import type { ConnectionsSample } from './scenarios/connections.ts';

/** All rounds of one peer; a list is empty where the peer or the plan has no such scenario. */
export interface PeerResult {
  readonly name: string;
  readonly title: string;
  /** What it does and does not do beside moving bytes. */
  readonly does: string;
  /** One way, hot payloads, one connection. */
  readonly stream: readonly ThroughputSample[];
  readonly rotating: readonly ThroughputSample[];
  readonly requests: readonly RoundTripSample[];
  readonly gc: readonly GcSample[];
  readonly fanIn: readonly ThroughputSample[];
  readonly loopback: readonly ThroughputSample[];
  readonly heartbeats: readonly RoundTripSample[];
}

export type MutablePeerResult = {
  -readonly [Key in keyof PeerResult]: PeerResult[Key] extends readonly (infer Item)[]
    ? Item[]
    : PeerResult[Key];
};

export function emptyResult({
  name,
  title,
  does,
}: Pick<PeerResult, 'name' | 'title' | 'does'>): MutablePeerResult {
  const nothing = { stream: [], rotating: [], requests: [], gc: [], fanIn: [], loopback: [], heartbeats: [] };
  return { name, title, does, ...nothing };
}

export interface Results {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly plan: Plan;
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  readonly peers: readonly PeerResult[];
  readonly connections: readonly ConnectionsSample[];
  readonly osdPings: readonly AnswererResult[];
}
