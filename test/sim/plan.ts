/**
 * What a seed stands for: who takes part, under which policies, and how rough it gets. Each fault is in
 * some seeds and not in others, with a probability of its own (swarm testing): what one fault hides another
 * seed shows.
 */
import { Policy } from '../../src/messenger/policy.ts';
import type { Options } from '../../src/options.ts';
import type { MemoryFaults } from '../../src/transport/memory/faults.ts';
import type { Random } from '../../src/transport/memory/random.ts';
import { EntityType } from '../../src/wire/entity-name.ts';

export interface EntityPlan {
  readonly type: EntityType;
  readonly isBound: boolean;
  /** By the peer's type; what is not in it is never met. */
  readonly policies: ReadonlyMap<number, Policy>;
  /** Entities that it connects to of its own accord. */
  readonly targets: readonly number[];
}

/** What the world does to its processes, each with its weight against the others. */
export interface ActionWeights {
  readonly send: number;
  /** Both ends of a pair begin to send at one moment. */
  readonly sendCrossed: number;
  readonly keepalive: number;
  readonly resetConnections: number;
  readonly partition: number;
  readonly heal: number;
  readonly pause: number;
  readonly markDown: number;
  readonly restart: number;
  /** A bound process takes another nonce and another port. */
  readonly rebind: number;
  readonly newFaults: number;
}
export type Action = keyof ActionWeights;

export interface Plan {
  readonly scenario: ScenarioName;
  readonly entities: readonly EntityPlan[];
  readonly options: Partial<Options>;
  readonly actionCount: number;
  /** Milliseconds between two actions, on average. */
  readonly actionEveryMs: number;
  readonly weights: ActionWeights;
  readonly priorities: readonly number[];
  readonly burstMax: number;
  readonly sizeMax: number;
  /** Messages that are answered at once, on the connection they came on. */
  readonly replyProbability: number;
  /** Messages that are taken before the dispatch queue. */
  readonly isFast: boolean;
  /** Of queued messages: held in the throttle for up to so many ms after their dispatch. */
  readonly holdProbability: number;
  readonly holdMsMax: number;
  /** Messages of one policy in dispatch; 0 is no limit. */
  readonly policyMessagesMax: number;
  /** Sends from inside the handlers of events. */
  readonly eventSendProbability: number;
  /** Messages whose handler marks their connection down. */
  readonly handlerMarkDownProbability: number;
  /** Steps of a handshake that are held up, or at which the socket breaks. */
  readonly stepHoldProbability: number;
  readonly stepHoldMsMax: number;
  readonly stepFailProbability: number;
  /** A restart that keeps the nonce: the peers cannot tell by the address. */
  readonly sameNonceProbability: number;
  readonly downMsMax: number;
  readonly pauseMsMax: number;
}

export const scenarioNames = ['peers', 'peersReuse', 'clients', 'lossy', 'mixed'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export function makePlan(random: Random, wanted: ScenarioName | undefined): Plan {
  const scenario = wanted ?? scenarioNames[random.integer(0, scenarioNames.length - 1)]!;
  const sometimes = (probability: number, max: number): number =>
    random.chance(probability) ? random.float() * max : 0;
  const weight = (probability: number): number => sometimes(probability, 1);
  const throttles = random.chance(0.15);
  // Queues fill up to where a sender is told to wait.
  const isHeavy = random.chance(0.03);
  // Delayed messages are acknowledged, and the ledger does not see them: nobody may forget them then.
  const delays = random.chance(0.1);
  const forgets = delays ? 0 : 1;
  return {
    scenario,
    entities: entitiesOf(scenario, random),
    options: {
      ms_initial_backoff: random.chance(0.5) ? 0.2 : 0.01 + random.float() * 0.2,
      ms_max_backoff: pick(random, [0.5, 2, 15]),
      ms_connection_ready_timeout: pick(random, [2, 10]),
      ms_connection_idle_timeout: pick(random, [60, 900, 900]),
      ...(isHeavy ? { ms_send_high_water_mark: 1024 * 1024 } : {}),
      ...(throttles ? { ms_dispatch_throttle_bytes: random.integer(1, 64 * 1024) } : {}),
      ...(delays
        ? {
            ms_inject_delay_type: 'osd client mds',
            ms_inject_delay_probability: random.float() * 0.5,
            ms_inject_delay_max: random.float() * 2,
          }
        : {}),
    },
    actionCount: random.integer(5, 40),
    actionEveryMs: pick(random, [2, 20, 100, 400]),
    weights: {
      send: 1,
      sendCrossed: weight(0.6),
      keepalive: weight(0.3) / 4,
      resetConnections: weight(0.4),
      partition: weight(0.4) / 2,
      heal: 0.2,
      pause: weight(0.3) / 2,
      markDown: (forgets * weight(0.45)) / 2,
      restart: (forgets * weight(0.4)) / 3,
      rebind: (forgets * weight(0.2)) / 4,
      newFaults: 0.1,
    },
    priorities: pick(random, [[127], [127, 196], [63, 127, 196, 255], [1, 10, 63], [64, 65]]),
    burstMax: isHeavy ? 60 : pick(random, [1, 4, 4, 16]),
    sizeMax: isHeavy ? 65536 : pick(random, [0, 200, 4096, 4096, 65536]),
    replyProbability: sometimes(0.5, 1),
    isFast: random.chance(0.4),
    holdProbability: throttles ? random.float() : 0,
    holdMsMax: random.float() * 500,
    policyMessagesMax: throttles && random.chance(0.5) ? random.integer(1, 8) : 0,
    eventSendProbability: sometimes(0.4, 0.7),
    handlerMarkDownProbability: forgets * sometimes(0.1, 0.05),
    stepHoldProbability: sometimes(0.25, 0.3),
    stepHoldMsMax: pick(random, [1, 20, 1000]),
    stepFailProbability: sometimes(0.15, 0.15),
    sameNonceProbability: random.float(),
    downMsMax: pick(random, [0, 50, 2000]),
    pauseMsMax: pick(random, [5, 500, 5000]),
  };
}

/** A new set of faults; each is off half of the time, and more often weak than strong. */
export function makeFaults(random: Random): MemoryFaults {
  const upTo = (max: number): number => (random.chance(0.5) ? random.float() * random.float() * max : 0);
  const latencyMax = pick(random, [0.05, 0.5, 5, 40]);
  return {
    latencyMs: [0.02, latencyMax],
    partialRead: random.chance(0.3) ? random.float() : 0,
    partialWrite: random.chance(0.3) ? random.float() : 0,
    reset: upTo(0.2),
    corrupt: upTo(0.1),
    refuse: upTo(0.6),
    clog: upTo(0.3),
    clogMsMax: pick(random, [20, 500, 5000]),
  };
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(0, choices.length - 1)]!;
}

function entitiesOf(scenario: ScenarioName, random: Random): EntityPlan[] {
  switch (scenario) {
    case 'peers':
      return peers(random.integer(2, 5), Policy.losslessPeer());
    case 'peersReuse':
      return peers(random.integer(2, 5), Policy.losslessPeerReuse());
    case 'clients':
      return clientsAndServers(random, Policy.losslessClient(), Policy.statefulServer());
    case 'lossy': {
      const server = random.chance(0.5) ? Policy.statelessServer() : Policy.statelessRegisteredServer();
      return clientsAndServers(random, Policy.lossyClient(), server);
    }
    case 'mixed':
      return mixed(random);
  }
}

function others(count: number, self: number): number[] {
  return Array.from({ length: count }, (_, index) => index).filter((index) => index !== self);
}

function peers(count: number, policy: Policy): EntityPlan[] {
  const policies = new Map([[EntityType.Osd, policy]]);
  return Array.from({ length: count }, (_, index) => ({
    type: EntityType.Osd,
    isBound: true,
    policies,
    targets: others(count, index),
  }));
}

function clientsAndServers(random: Random, clientPolicy: Policy, serverPolicy: Policy): EntityPlan[] {
  const servers = random.integer(1, 2);
  const clients = random.integer(1, 3);
  const targets = others(servers, -1);
  const isBound = random.chance(0.3);
  return [
    ...targets.map(() => ({
      type: EntityType.Osd,
      isBound: true,
      policies: new Map([[EntityType.Client, serverPolicy]]),
      targets: [],
    })),
    ...Array.from({ length: clients }, () => ({
      type: EntityType.Client,
      isBound,
      policies: new Map([[EntityType.Osd, clientPolicy]]),
      targets,
    })),
  ];
}

/** OSDs among themselves as in a cluster, with one client that must lose nothing and one that may. */
function mixed(random: Random): EntityPlan[] {
  const osds = random.integer(1, 3);
  const targets = others(osds, -1);
  const policies = new Map([
    [EntityType.Osd, random.chance(0.5) ? Policy.losslessPeer() : Policy.losslessPeerReuse()],
    [EntityType.Mds, Policy.statefulServer()],
    [EntityType.Client, random.chance(0.5) ? Policy.statelessServer() : Policy.statelessRegisteredServer()],
  ]);
  const client = (type: EntityType, policy: Policy): EntityPlan => ({
    type,
    isBound: random.chance(0.3),
    policies: new Map([[EntityType.Osd, policy]]),
    targets,
  });
  return [
    ...targets.map((index) => ({
      type: EntityType.Osd,
      isBound: true,
      policies,
      targets: others(osds, index),
    })),
    client(EntityType.Mds, Policy.losslessClient()),
    client(EntityType.Client, Policy.lossyClient()),
  ];
}
