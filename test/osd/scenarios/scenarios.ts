/**
 * What can happen to a host with two NICs, and what must come of it. Each scenario breaks something at the
 * victim, watches for a while, and mends it.
 */
import type { SeenFault } from '../../../src/cli/top/observation.ts';
import type { NetworkName } from '../../../src/osd/heartbeat/network-protocol.ts';
import type { TwoNicCluster } from './two-nic-cluster.ts';

export interface Scenario {
  readonly name: string;
  /** Whether the victim must be marked down. Everybody else must never be. */
  readonly isDown: boolean;
  /** The NIC that must be named, and in which states it may be. */
  readonly named?: { readonly network: NetworkName; readonly states: readonly SeenFault['state'][] };
  readonly break: (cluster: TwoNicCluster, victim: number) => Promise<void>;
  readonly mend: (cluster: TwoNicCluster, victim: number) => Promise<void>;
}

const bad = (network: NetworkName, fault: object, directions?: readonly ('in' | 'out')[]) => ({
  break: (cluster: TwoNicCluster, victim: number) =>
    cluster.lab.setLink(cluster.host(victim), network, fault, directions),
  mend: (cluster: TwoNicCluster, victim: number) =>
    cluster.lab.setLink(cluster.host(victim), network, {
      down: false,
      loss: 0,
      delayMs: 0,
      jitterMs: 0,
      mtu: 9000,
    }),
});

/** Both networks of every host. */
const everywhere = (fault: object) => {
  const all = async (cluster: TwoNicCluster, what: object): Promise<void> => {
    for (const osd of cluster.osds) {
      await cluster.lab.setLink(cluster.host(osd), 'front', what, ['out']);
      await cluster.lab.setLink(cluster.host(osd), 'back', what, ['out']);
    }
  };
  return {
    break: (cluster: TwoNicCluster) => all(cluster, fault),
    mend: (cluster: TwoNicCluster) => all(cluster, { loss: 0, delayMs: 0, jitterMs: 0 }),
  };
};

export const scenarios: readonly Scenario[] = [
  {
    name: 'process killed',
    isDown: true,
    break: async (cluster, victim) => cluster.kill(`osd.${victim}`, 'SIGKILL'),
    mend: async (cluster, victim) => cluster.startOsd(victim),
  },
  {
    name: 'host frozen',
    isDown: true,
    break: async (cluster, victim) => cluster.kill(`osd.${victim}`, 'SIGSTOP'),
    mend: async (cluster, victim) => cluster.kill(`osd.${victim}`, 'SIGCONT'),
  },
  {
    name: 'front NIC down',
    isDown: true,
    named: { network: 'front', states: ['down'] },
    break: (cluster, victim) => cluster.lab.setNic(cluster.host(victim), 'front', 'down'),
    mend: (cluster, victim) => cluster.lab.setNic(cluster.host(victim), 'front', 'up'),
  },
  {
    name: 'back NIC down',
    isDown: true,
    named: { network: 'back', states: ['down'] },
    break: (cluster, victim) => cluster.lab.setNic(cluster.host(victim), 'back', 'down'),
    mend: (cluster, victim) => cluster.lab.setNic(cluster.host(victim), 'back', 'up'),
  },
  {
    name: 'back NIC one way',
    isDown: true,
    named: { network: 'back', states: ['oneWay', 'down'] },
    ...bad('back', { down: true }, ['out']),
  },
  { name: 'loss 1 %', isDown: false, ...everywhere({ loss: 0.01 }) },
  { name: 'loss 5 %', isDown: false, ...everywhere({ loss: 0.05 }) },
  { name: 'loss 20 %', isDown: false, ...everywhere({ loss: 0.2 }) },
  { name: 'delay 200 ms ± 100', isDown: false, ...everywhere({ delayMs: 200, jitterMs: 100 }) },
  {
    name: 'MTU black hole at 1500',
    isDown: true,
    named: { network: 'back', states: ['down', 'oneWay'] },
    ...bad('back', { mtu: 1500 }),
  },
  {
    name: 'killed while the monitor is away',
    isDown: true,
    break: async (cluster, victim) => {
      cluster.kill('mon.a', 'SIGSTOP');
      cluster.kill(`osd.${victim}`, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 5000));
      cluster.kill('mon.a', 'SIGCONT');
    },
    mend: async (cluster, victim) => cluster.startOsd(victim),
  },
];

export interface Trial {
  /** From the break to the monitor's map; undefined when it was not marked down. */
  readonly detectedMs: number | undefined;
  /** From the break to the first OSD that names the NIC; undefined when none did. */
  readonly namedMs: number | undefined;
  /** `back down of osd.2`, by whoever said it first. */
  readonly named: string | undefined;
  /** OSDs that were marked down and are not the victim, or the victim where nobody should be. */
  readonly falselyDown: readonly number[];
  /** Failures that OSDs reported about others than those that must be down. */
  readonly falseReports: number;
}

const pollMs = 100;

/** Breaks, watches for `watchMs` or until everything expected has happened, mends, and waits for peace. */
export async function runTrial(
  cluster: TwoNicCluster,
  scenario: Scenario,
  victim: number,
  watchMs: number,
): Promise<Trial> {
  const changesBefore = cluster.changes.length;
  const reportsBefore = await reportsOf(cluster);
  const brokenAt = performance.now();
  await scenario.break(cluster, victim);
  let fault: { atMs: number; text: string } | undefined;
  const isDone = (): boolean =>
    scenario.isDown && !cluster.isUp(victim) && (scenario.named === undefined || fault !== undefined);
  while (performance.now() - brokenAt < watchMs && !isDone()) {
    fault ??= await firstFault(cluster, scenario, victim);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const changes = cluster.changes.slice(changesBefore).filter(({ to }) => to === 'down');
  const detected = changes.find(({ osd }) => osd === victim);
  const reports = (await reportsOf(cluster)) - reportsBefore;
  await scenario.mend(cluster, victim);
  await cluster.untilUp(cluster.osds);
  await cluster.untilSettled(120_000);
  const wrong = changes.filter(({ osd }) => osd !== victim || !scenario.isDown).map(({ osd }) => osd);
  return {
    detectedMs: detected && detected.atMs - brokenAt,
    namedMs: fault && fault.atMs - brokenAt,
    named: fault?.text,
    falselyDown: wrong,
    falseReports: scenario.isDown ? 0 : reports,
  };
}

async function firstFault(
  cluster: TwoNicCluster,
  { named }: Scenario,
  victim: number,
): Promise<{ atMs: number; text: string } | undefined> {
  if (named === undefined) return undefined;
  for (const osd of cluster.osds) {
    const seen = await cluster.observe(osd);
    const fault = seen?.faults.find(
      ({ network, owner, state }) =>
        owner === victim && network === named.network && named.states.includes(state),
    );
    if (fault !== undefined) {
      return { atMs: performance.now(), text: `${fault.network} ${fault.state} of osd.${fault.owner}` };
    }
  }
  return undefined;
}

async function reportsOf(cluster: TwoNicCluster): Promise<number> {
  const seen = await Promise.all(cluster.osds.map((osd) => cluster.observe(osd)));
  return seen.reduce((sum, each) => sum + (each?.failuresReported ?? 0), 0);
}
