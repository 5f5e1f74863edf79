/**
 * What happens to the OSDs of a local cluster, told as it happens: one is killed and started again, one is
 * paused and goes on. Each step waits for what must come of it, and fails when that does not come.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import type { LocalCluster } from './daemons.ts';
import type { ClusterWatcher } from './watcher.ts';

export const breakNames = ['kill', 'pause'] as const;
export type BreakName = (typeof breakNames)[number];

export interface StoryOptions {
  readonly breaks: readonly BreakName[];
  /** Before the first break, and after the last one. */
  readonly quietMs: number;
  readonly graceMs: number;
  readonly signal: AbortSignal;
  /** A line that stays. */
  tell(line: string): void;
}

/** What a break came to; times in ms. */
export interface Chapter {
  readonly what: string;
  readonly downMs: number;
  readonly upMs: number;
}

/** How long past the grace a step may take on a busy machine before it counts as never. */
const patienceMs = 60_000;
const lookMs = 50;
const absentMs = 2000;

export async function tellStory(
  cluster: LocalCluster,
  watcher: ClusterWatcher,
  options: StoryOptions,
): Promise<Chapter[]> {
  const { breaks, quietMs, signal, tell } = options;
  const chapters: Chapter[] = [];
  await sleep(quietMs, undefined, { signal });
  const victims = [...cluster.osds].reverse();
  for (const [index, name] of breaks.entries()) {
    const victim = victims[index % victims.length]!;
    const daemon = `osd.${victim}`;
    const [hurt, heal] = stepsOf[name];
    tell(`${daemon} is ${hurt.told}`);
    const hurtAtMs = performance.now();
    hurt.act(cluster, victim);
    const downMs = await until(watcher, victim, 'down', hurtAtMs, options);
    tell(`the monitor has ${daemon} down after ${seconds(downMs)}`);
    // A moment in which the others are seen without it.
    await sleep(absentMs, undefined, { signal });
    tell(`${daemon} ${heal.told}`);
    const healedAtMs = performance.now();
    heal.act(cluster, victim);
    const upMs = await until(watcher, victim, 'up', healedAtMs, options);
    tell(`${daemon} is up again after ${seconds(upMs)}`);
    chapters.push({ what: `${daemon} ${hurt.told}`, downMs, upMs });
    await sleep(quietMs, undefined, { signal });
  }
  return chapters;
}

interface Step {
  readonly told: string;
  act(cluster: LocalCluster, osd: number): void;
}

const stepsOf: Readonly<Record<BreakName, readonly [hurt: Step, heal: Step]>> = {
  kill: [
    { told: 'killed (SIGKILL)', act: (cluster, osd) => cluster.signal(`osd.${osd}`, 'SIGKILL') },
    { told: 'is started again', act: (cluster, osd) => cluster.startOsd(osd) },
  ],
  pause: [
    { told: 'paused (SIGSTOP)', act: (cluster, osd) => cluster.signal(`osd.${osd}`, 'SIGSTOP') },
    { told: 'goes on', act: (cluster, osd) => cluster.signal(`osd.${osd}`, 'SIGCONT') },
  ],
};

/** Milliseconds from `sinceMs` to the event. @throws CliError when it does not come. */
async function until(
  watcher: ClusterWatcher,
  osd: number,
  to: 'up' | 'down',
  sinceMs: number,
  { graceMs, signal }: StoryOptions,
): Promise<number> {
  while (performance.now() - sinceMs < graceMs + patienceMs) {
    const event = watcher.events.findLast((each) => each.osd === osd);
    if (event !== undefined && event.to === to && event.atMs >= sinceMs) return event.atMs - sinceMs;
    await sleep(lookMs, undefined, { signal });
  }
  throw new CliError(`osd.${osd} is not ${to} ${seconds(performance.now() - sinceMs)} later`);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
