/**
 * The search for a monitor, from the loss of one session to the next: sweep after sweep, each one a `Hunt`,
 * with the intervals and the backoff of Ceph's client.
 *
 *      start() ──► sweep ──► found ──► the session is the client's; searching ends
 *                    ▲  └── nobody ──► onSweepFailed ──► pause
 *                    └───────────────────────────────────┘
 */
import type { MsgrError } from '../../errors.ts';
import type { ReceivedMessage } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { Hunt, type HuntFailure, type HuntFound, huntError } from './hunt.ts';
import { type LookupHost, type MonHost, resolveMonHosts } from './mon-host.ts';
import type { Monitors } from './monitors.ts';

export interface SearchInit {
  readonly messenger: Messenger;
  readonly monitors: Monitors;
  readonly hosts: readonly MonHost[];
  readonly lookup: LookupHost;
  readonly clock: Clock;
  readonly options: Options;
  fsid(): Uuid | undefined;
  onFound(found: HuntFound): void;
  /** A sweep found nobody; it may call {@link Search.stop}, else the next sweep follows. */
  onSweepFailed(error: MsgrError, failures: readonly HuntFailure[]): void;
}

export class Search {
  readonly #init: SearchInit;
  #hunt: Hunt | undefined;
  #timer: unknown;
  #isRunning = false;
  /** Counts runs: what an earlier one waited for is void. */
  #run = 0;
  #multiple: number;
  #hadSession = false;
  #shortSessions = 0;
  #lookupFailures: readonly MsgrError[] = [];
  #lastError: MsgrError | undefined;

  constructor(init: SearchInit) {
    this.#init = init;
    this.#multiple = init.options.mon_client_hunt_interval_min_multiple;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Why no monitor is found yet. */
  get error(): MsgrError {
    const failures = this.#hunt?.failures ?? [];
    if (failures.length === 0 && this.#lastError !== undefined) return this.#lastError;
    return huntError(failures, this.#lookupFailures);
  }

  /** How long a batch of monitors has, in ms. */
  get intervalMs(): number {
    return this.#init.options.mon_client_hunt_interval * this.#multiple * 1000;
  }

  /**
   * Begins at once, unless two sessions one after the other lasted less than a hunting interval: then after
   * `ms_initial_backoff`, doubled each time, so that monitors that hang up at once cost little.
   *
   * @param livedMs how long the session lasted that was lost; undefined for the first search.
   */
  start(livedMs: number | undefined): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#lastError = undefined;
    if (livedMs !== undefined) this.#backOff();
    this.#schedule(this.#pauseAfter(livedMs));
  }

  stop(): void {
    this.#isRunning = false;
    this.#run++;
    this.#init.clock.clearTimeout(this.#timer);
    this.#hunt?.stop();
    this.#hunt = undefined;
  }

  /** The session goes well: the next search may hurry again. */
  ease(): void {
    const { mon_client_hunt_interval_backoff, mon_client_hunt_interval_min_multiple } = this.#init.options;
    this.#multiple = Math.max(
      mon_client_hunt_interval_min_multiple,
      this.#multiple / mon_client_hunt_interval_backoff,
    );
  }

  /** True when the message came from a monitor that is being hunted. */
  dispatch(message: ReceivedMessage): boolean {
    return this.#hunt?.dispatch(message) ?? false;
  }

  #pauseAfter(livedMs: number | undefined): number {
    const { mon_client_hunt_interval, ms_initial_backoff } = this.#init.options;
    if (livedMs === undefined || livedMs >= mon_client_hunt_interval * 1000) {
      this.#shortSessions = 0;
      return 0;
    }
    const shortBefore = this.#shortSessions++;
    if (shortBefore === 0) return 0;
    const pause = ms_initial_backoff * 2 ** Math.min(shortBefore - 1, 16);
    return Math.min(pause, mon_client_hunt_interval) * 1000;
  }

  /** As Ceph: not before the first session. */
  #backOff(): void {
    if (!this.#hadSession) return;
    const { mon_client_hunt_interval_backoff, mon_client_hunt_interval_max_multiple } = this.#init.options;
    this.#multiple = Math.min(
      mon_client_hunt_interval_max_multiple,
      this.#multiple * mon_client_hunt_interval_backoff,
    );
  }

  #schedule(delayMs: number): void {
    const run = ++this.#run;
    this.#timer = this.#init.clock.setTimeout(() => void this.#sweep(run), delayMs);
  }

  async #sweep(run: number): Promise<void> {
    const { clock, fsid, messenger, monitors, onFound, options } = this.#init;
    const lookedUp = this.#lookUp();
    // Names are waited for only while they are all there is.
    if (monitors.map === undefined && lookedUp !== undefined) await lookedUp;
    if (run !== this.#run) return;
    const startedMs = clock.nowMs();
    const { intervalMs } = this;
    this.#hunt = new Hunt({
      messenger,
      monitors,
      clock,
      parallel: options.mon_client_hunt_parallel,
      intervalMs,
      fsid: fsid(),
      onFound: (found) => {
        this.stop();
        this.#hadSession = true;
        this.ease();
        onFound(found);
      },
      onSweepOver: (failures) => this.#failed(failures, startedMs + intervalMs),
    });
    this.#hunt.start();
  }

  #failed(failures: readonly HuntFailure[], nextMs: number): void {
    const { clock, onSweepFailed, options } = this.#init;
    this.#lastError = huntError(failures, this.#lookupFailures);
    this.#hunt = undefined;
    const run = this.#run;
    onSweepFailed(this.#lastError, failures);
    if (run !== this.#run) return;
    this.#backOff();
    this.#schedule(Math.max(nextMs - clock.nowMs(), options.ms_initial_backoff * 1000));
  }

  /** Sets the monitors of mon_host; a promise when DNS has to be asked first. */
  #lookUp(): Promise<void> | undefined {
    const { hosts, lookup, monitors } = this.#init;
    if (hosts.every((host) => 'addr' in host)) {
      monitors.setSeeds(hosts.map(({ addr }) => addr));
      return undefined;
    }
    return resolveMonHosts(hosts, lookup).then(({ addrs, failures }) => {
      this.#lookupFailures = failures;
      // Addresses of before are better than none.
      if (addrs.length > 0) monitors.setSeeds(addrs);
    });
  }
}
