/** One seed, from the plan to the verdict. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AcceptFailedEvent, ConnectionStateEvent } from '../../src/messenger/diagnostics.ts';
import { MemoryNetwork } from '../../src/transport/memory/memory-network.ts';
import { Random } from '../../src/transport/memory/random.ts';
import { tagName } from '../../src/wire/frames/tag.ts';
import { chooseMode, type ModeName, WorldAuth } from './auth.ts';
import { type Canary, type CanaryName, canaries } from './canaries.ts';
import type { Hooks } from './hooks.ts';
import type { LedgerTotals } from './ledger.ts';
import { makePlan, type ScenarioName } from './plan.ts';
import { Trace } from './trace.ts';
import { World } from './world.ts';

export interface SeedOptions {
  readonly seed: number;
  /** By default the seed chooses. */
  readonly scenario?: ScenarioName | undefined;
  readonly mode?: ModeName | undefined;
  /** Breaks the messenger on purpose. */
  readonly canary?: CanaryName | undefined;
  /** Tells what happens, line by line. */
  readonly print?: ((line: string) => void) | undefined;
}

export interface SeedResult {
  readonly seed: number;
  readonly scenario: ScenarioName | 'unknown';
  readonly mode: ModeName | 'unknown';
  readonly violations: readonly string[];
  /** The same for the same seed. */
  readonly hash: string;
  readonly totals: Record<string, number>;
}

/** Sub-streams of a seed, so that a change of the one leaves the others as they were. */
const streams = {
  plan: 0x1000_0001,
  world: 0x2000_0003,
  network: 0,
  canary: 0x3000_0005,
  auth: 0x4000_0007,
} as const;

export async function runSeed({ seed, scenario, mode, canary, print }: SeedOptions): Promise<SeedResult> {
  const stream = (offset: number): Random => new Random((Math.imul(seed, 0x9e3779b1) + offset) >>> 0);
  const plan = makePlan(stream(streams.plan), scenario);
  const network = new MemoryNetwork({ seed: stream(streams.network).next() });
  const trace = new Trace(() => network.clock.nowMs(), print);
  const frameCounts = new Map<number, number>();
  const canaryRandom = stream(streams.canary);
  const broken: Canary | undefined = canary === undefined ? undefined : canaries[canary];
  const sabotage = broken?.sabotage;
  const brokenAuth = broken?.auth;
  const authRandom = stream(streams.auth);
  const chosenMode = chooseMode(authRandom);
  const auth = new WorldAuth(mode ?? brokenAuth?.mode ?? chosenMode, authRandom, brokenAuth?.bytes);
  const hooks: Hooks = {
    frameCounts,
    say: print && ((line) => trace.say(line)),
    onSecure: (secrets) => auth.noteSecrets(secrets),
    sabotage: sabotage && ((channel) => sabotage(channel, canaryRandom, network.clock)),
  };
  const world = new World(plan, stream(streams.world), network, trace, hooks, auth);
  const crashes: string[] = [];
  const stopListening = print && tellStates(trace);
  try {
    await world.run();
  } catch (error) {
    crashes.push(`exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    stopListening?.();
  }
  return {
    seed,
    scenario: plan.scenario,
    mode: auth.mode,
    violations: [...crashes, ...world.violations],
    hash: trace.hash,
    totals: {
      ...ledgerTotals(world.ledger.totals),
      ...network.injected,
      ...auth.totals,
      events: network.clock.eventCount,
      virtualMs: Math.round(network.clock.nowMs()),
      ...Object.fromEntries([...frameCounts].map(([tag, count]) => [tagName(tag), count])),
    },
  };
}

/** Tells every change of a connection's state, until the function that this gives is called. */
function tellStates(trace: Trace): () => void {
  const onState = (event: unknown): void => {
    const { messenger, connection, state, cause } = event as ConnectionStateEvent;
    const why = cause === undefined ? '' : `: ${cause.message}`;
    trace.say(`entity ${messenger.name.num} to ${connection.peerAddrs}: ${state}${why}`);
  };
  const onAcceptFailed = (event: unknown): void => {
    const { messenger, remote, error } = event as AcceptFailedEvent;
    trace.say(`entity ${messenger.name.num} drops a stream of ${remote}: ${error.message}`);
  };
  subscribe('msgr2:connection:state', onState);
  subscribe('msgr2:accept:failed', onAcceptFailed);
  return () => {
    unsubscribe('msgr2:connection:state', onState);
    unsubscribe('msgr2:accept:failed', onAcceptFailed);
  };
}

function ledgerTotals(totals: LedgerTotals): Record<string, number> {
  return { ...totals };
}
