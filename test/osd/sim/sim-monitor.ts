/** The monitor of the simulation: the embedded monitor's own rules of failure, a map every second, and nothing else. */
import type { OSDMap } from '../../../src/maps/osdmap.ts';
import { checkFailures, type FailureContext, reportFailure } from '../../../src/mon/server/osdmap/failure.ts';
import { FailureReports } from '../../../src/mon/server/osdmap/failure-reports.ts';
import { PendingOsdMap } from '../../../src/mon/server/osdmap/pending-osd-map.ts';
import type { MonSession } from '../../../src/mon/server/session.ts';
import type { Options } from '../../../src/options.ts';
import type { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import type { MOSDFailure } from '../../../src/wire/messages/m-osd-failure.ts';
import { addrsOf } from './sim-host.ts';

/** paxos_propose_interval and mon_tick_interval, in ms. */
const proposeMs = 1000;
const tickMs = 5000;
/** The rules keep it to answer to; nobody asks here. */
const noSession = {} as MonSession;

export class SimMonitor {
  map: OSDMap;
  readonly #clock: VirtualClock;
  readonly #options: Options;
  readonly #reports = new FailureReports();
  readonly #publish: (map: OSDMap) => void;
  #pending: PendingOsdMap;
  #isProposing = false;

  constructor(map: OSDMap, clock: VirtualClock, options: Options, publish: (map: OSDMap) => void) {
    this.map = map;
    this.#clock = clock;
    this.#options = options;
    this.#publish = publish;
    this.#pending = new PendingOsdMap(map);
    const tick = (): void => {
      checkFailures(this.#context());
      this.#propose();
      clock.setTimeout(tick, tickMs);
    };
    clock.setTimeout(tick, tickMs);
  }

  report(reporter: number, failure: MOSDFailure): void {
    const sender = { osd: reporter, addrs: this.map.clientAddrs[reporter]!, session: noSession };
    reportFailure(this.#context(), sender, failure);
    this.#propose();
  }

  boot(osd: number, life: number): void {
    const { change } = this.#pending;
    change.newUpClient.set(osd, addrsOf('public', osd, life));
    change.newUpCluster.set(osd, addrsOf('cluster', osd, life));
    change.newHbBackUp.set(osd, addrsOf('back', osd, life));
    change.newHbFrontUp.set(osd, addrsOf('front', osd, life));
    this.#pending.touch();
    this.#propose();
  }

  #context(): FailureContext {
    return {
      pending: this.#pending,
      options: this.#options,
      fsid: this.map.fsid,
      reports: this.#reports,
      nowMs: this.#clock.nowMs(),
      wallMs: this.#clock.nowMs(),
      tell() {},
    };
  }

  #propose(): void {
    if (this.#isProposing || !this.#pending.isTouched) return;
    this.#isProposing = true;
    this.#clock.setTimeout(() => {
      this.#isProposing = false;
      // Not encoded: nobody reads bytes here.
      this.map = this.#pending.preview();
      this.#pending = new PendingOsdMap(this.map);
      for (const target of this.#reports.targets()) {
        if (((this.map.osdState[target] ?? 0) & 2) === 0) this.#reports.take(target);
      }
      this.#publish(this.map);
    }, proposeMs);
  }
}
