/**
 * The rounds of a run. A peer that fails is named with its reason and measured no more; the others go on, and the
 * run ends with exit code 1.
 */
import { CliError } from '../src/cli/cli-error.ts';
import { formatCount } from '../src/cli/format.ts';
import type { LiveLine } from '../src/cli/live-line.ts';
import { requireCeph } from '../test/support/ceph-cluster.ts';
import { CoreDistance } from './core-distance.ts';
import { raiseDescriptorsLimit } from './descriptors.ts';
import { type AnswererResult, OsdPings } from './osd-pings.ts';
import type { Peer } from './peer.ts';
import { type Plan, Scenario } from './plan.ts';
import { emptyResult, type MutablePeerResult } from './results.ts';
import { type ConnectionsSample, descriptorsNeeded, measureConnections } from './scenarios/connections.ts';
import { measurePeer } from './scenarios/pair.ts';

export interface Missing {
  readonly name: string;
  readonly reason: string;
}

export class Rounds {
  readonly #plan: Plan;
  readonly #peers: readonly Peer[];
  readonly #live: LiveLine;
  readonly #isVerbose: boolean;
  readonly peers: readonly MutablePeerResult[];
  readonly connections: ConnectionsSample[] = [];
  readonly osdPings: AnswererResult[] = [];
  readonly failed: Missing[] = [];
  /** What cannot be measured here, and why: no failure. */
  readonly missing: Missing[] = [];

  constructor(plan: Plan, peers: readonly Peer[], live: LiveLine, isVerbose: boolean) {
    this.#plan = plan;
    this.#peers = peers;
    this.#live = live;
    this.#isVerbose = isVerbose;
    this.peers = peers.map(emptyResult);
  }

  async run(): Promise<void> {
    const { rounds } = this.#plan;
    await using cores = new CoreDistance();
    await using osdPings = await this.#startOsdPings();
    for (let round = 0; round < rounds; round++) {
      const name = `round ${round + 1} of ${rounds}`;
      const startedAt = performance.now();
      await this.#peerTurns(round, name, cores);
      await this.#otherScenarios(name, osdPings);
      const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0);
      this.#live.print(`${name} done in ${elapsed} s`);
    }
    const apart = cores.describe();
    if (apart !== undefined) this.#live.print(apart);
  }

  async #peerTurns(round: number, name: string, cores: CoreDistance): Promise<void> {
    const peers = this.#peers;
    for (let turn = 0; turn < peers.length; turn++) {
      const index = (round + turn) % peers.length;
      const peer = peers[index]!;
      const startedAt = performance.now();
      await this.#attempt(peer.name, () =>
        measurePeer(
          peer,
          this.#plan,
          this.peers[index]!,
          (what) => {
            this.#live.update(`${name}  ${peer.name}  ${what}`);
            return (messages) =>
              this.#live.update(`${name}  ${peer.name}  ${what}: ${formatCount(messages)} messages`);
          },
          cores,
        ),
      );
      if (!this.#isVerbose) continue;
      this.#live.print(`${name}  ${peer.name}  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    }
  }

  async #otherScenarios(name: string, osdPings: OsdPings | undefined): Promise<void> {
    const { scenarios, connections, seconds, osdPings: pings } = this.#plan;
    if (scenarios.includes(Scenario.Connections)) {
      await this.#attempt(Scenario.Connections, async () => {
        this.#live.update(`${name}  ${connections.many} connections`);
        const limit = raiseDescriptorsLimit(descriptorsNeeded(connections));
        if (limit < descriptorsNeeded(connections)) {
          throw new CliError(
            `${connections.many} connections need ${descriptorsNeeded(connections)} descriptors, and the limit is ${limit}; raise it: ulimit -Hn`,
          );
        }
        this.connections.push(await measureConnections(connections, seconds));
      });
    }
    if (osdPings === undefined) return;
    await this.#attempt(Scenario.OsdPings, async () => {
      this.osdPings.push(...(await osdPings.round(pings, this.#live)));
    });
  }

  async #startOsdPings(): Promise<OsdPings | undefined> {
    if (!this.#plan.scenarios.includes(Scenario.OsdPings)) return undefined;
    if (!requireCeph('pings to a real ceph-osd')) {
      this.missing.push({ name: Scenario.OsdPings, reason: 'no ceph-mon and ceph-osd are installed' });
      return undefined;
    }
    try {
      return await OsdPings.start(this.#live);
    } catch (error) {
      this.#fail(Scenario.OsdPings, error);
      return undefined;
    }
  }

  async #attempt(name: string, body: () => Promise<void>): Promise<void> {
    if (this.failed.some((failure) => failure.name === name)) return;
    try {
      await body();
    } catch (error) {
      this.#fail(name, error);
    }
  }

  /** A bug keeps its stack. */
  #fail(name: string, error: unknown): void {
    const reason = (error as Error).message;
    this.failed.push({ name, reason });
    this.#live.print(`FAILED: ${name}: ${error instanceof CliError ? reason : (error as Error).stack}`);
  }
}
