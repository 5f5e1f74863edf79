/**
 * A monitor in the box: one, durable, and what clients, tools and daemons of Ceph 16.2.15 take for theirs.
 *
 *      messages ──► MonDispatcher ──► services (osd, auth, config, log), commands
 *                        ▲                  │ pending, propose()
 *                   sessions            Proposals ──► store ──► committed
 *                        ▲                                          │
 *      maps, logs ◄── Subscriptions ◄───────────────────────────────┘
 *
 * Nothing is answered that a kill -9 could take back. When the store fails the monitor ends, and says why in
 * `ended`.
 */

import type { DataLock } from '../../data-lock.ts';
import type { MsgrError } from '../../errors.ts';
import type { MonMap } from '../../maps/mon-map.ts';
import { isUp, type OSDMap } from '../../maps/osdmap.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import { type Clock, systemClock } from '../../transport/clock.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { type EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { ProcessHold } from '../client/process-hold.ts';
import { AuthService } from './auth/auth-service.ts';
import { admits } from './caps/requirements.ts';
import { CommandServer } from './command-server.ts';
import { ConfigService } from './config/config-service.ts';
import { writeKeyrings } from './first-start.ts';
import { HealthService } from './health/health-service.ts';
import { LogService } from './log/log-service.ts';
import { MonDispatcher } from './mon-dispatcher.ts';
import type { MonitorInit } from './monitor-init.ts';
import type { MonitorState } from './monitor-state.ts';
import { bindAndIdentify, type MonitorParts, makeMessenger, monitorRank, openStore } from './opening.ts';
import { OsdMapSender } from './osd-map-sender.ts';
import { OsdMonitor } from './osdmap/osd-monitor.ts';
import type { PendingOsdMap } from './osdmap/pending-osd-map.ts';
import { ownOptions } from './own-options.ts';
import { Proposals } from './proposals.ts';
import {
  configPublisher,
  logPublisher,
  mgrMapPublisher,
  monMapPublisher,
  osdMapPublisher,
  pgCreatesPublisher,
} from './publishers.ts';
import type { MonService } from './service.ts';
import type { MonSession } from './session.ts';
import { Sessions } from './sessions.ts';
import type { MonStore } from './store/mon-store.ts';
import { Subscriptions } from './subscriptions.ts';

export class Monitor implements MonitorState, AsyncDisposable {
  readonly name: string;
  readonly fsid: Uuid;
  readonly clock: Clock;
  readonly monMap: MonMap;
  readonly store: MonStore;
  readonly osd: OsdMonitor;
  readonly auth: AuthService;
  readonly config: ConfigService;
  readonly log: LogService;
  readonly health: HealthService;
  readonly messenger: Messenger;
  readonly startedMs: number;
  /** Resolves when the monitor has ended: with undefined after `close`, or with what ended it. */
  readonly ended: Promise<MsgrError | undefined>;

  #options: Options;
  readonly #sessions = new Sessions();
  readonly #subscriptions: Subscriptions;
  readonly #services: readonly MonService[];
  readonly #proposals: Proposals;
  readonly #sender: OsdMapSender;
  readonly #lock: DataLock | undefined;
  readonly #wallMs: () => number;
  #tickTimer: unknown;
  /** The osdmap that subscribers were told of last. */
  #toldEpoch = 0;
  #closed: Promise<void> | undefined;
  #failure: MsgrError | undefined;
  #end!: (failure: MsgrError | undefined) => void;

  private constructor(parts: MonitorParts) {
    const { auth, config, messenger, monMap, options, store } = parts;
    this.name = parts.name;
    this.fsid = monMap.fsid;
    this.#options = options;
    this.clock = parts.clock;
    this.startedMs = parts.clock.nowMs();
    this.monMap = monMap;
    this.store = store;
    this.auth = auth;
    this.messenger = messenger;
    this.#lock = parts.lock;
    this.#wallMs = parts.wallMs;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const proposer = { propose: () => this.propose() };
    this.config = config;
    config.onCommit(() => {
      this.#options = ownOptions(this.name, parts.given, config);
    });
    this.log = new LogService({
      store,
      proposer,
      options,
      name: this.name,
      rank: monitorRank,
      addrs: monMap.monitors.get(this.name)!.publicAddrs,
      wallMs: this.#wallMs,
    });
    const maps = {
      sendOsdMaps: (session: MonSession, first: number) => this.#sender.send(session, first),
    };
    this.osd = OsdMonitor.open({ store, monitor: this, maps });
    this.#sender = new OsdMapSender(this.fsid, options, this.osd);
    this.health = new HealthService(this, store);
    this.#services = [auth, this.config, this.osd, this.health, this.log];
    this.#proposals = new Proposals({
      store,
      clock: this.clock,
      options,
      services: this.#services,
      onCommit: () => this.#committed(),
      onFailure: (error) => void this.#fail(error),
    });
    this.#subscriptions = new Subscriptions([
      monMapPublisher(() => this.monMap),
      osdMapPublisher(this.osd, this.#sender),
      pgCreatesPublisher(this.osd),
      mgrMapPublisher(),
      configPublisher(this.config),
      logPublisher(this.log, this.fsid),
    ]);
  }

  /**
   * Opens or makes its store, binds and serves; resolves when clients can come.
   * @throws MsgrError ERR_MSGR_STORE, ERR_MSGR_BIND, ERR_MSGR_INVALID_ARGUMENT
   */
  static async start(init: MonitorInit): Promise<Monitor> {
    const name = init.name ?? 'a';
    const wallMs = init.wallMs ?? Date.now;
    const cleanUp: (() => Promise<unknown>)[] = [];
    // Between two attempts to bind there is no socket that would keep the process.
    const hold = new ProcessHold(init.clock ?? systemClock);
    hold.take();
    try {
      const { lock, store } = await openStore(init);
      cleanUp.push(
        () => store.close(),
        async () => lock?.release(),
      );
      let monitor: Monitor;
      const config = new ConfigService({ store, wallMs, proposer: { propose: () => monitor.propose() } });
      const given = init.options ?? {};
      const options = ownOptions(name, given, config);
      const auth = new AuthService({ store, options, now: wallMs });
      const messenger = makeMessenger(init, options, auth, wallMs);
      cleanUp.unshift(() => messenger.shutdown());
      const found = { name, options, given, config, wallMs, store, auth, messenger };
      const monMap = await bindAndIdentify(init, found);
      monitor = new Monitor({ ...found, clock: init.clock ?? systemClock, lock, monMap });
      if (init.data !== undefined) writeKeyrings(init.data, auth);
      await monitor.#begin();
      return monitor;
    } catch (error) {
      for (const undo of cleanUp) await undo();
      throw error;
    } finally {
      hold.release();
    }
  }

  // ── State ──────────────────────────────────────────────────────────────────────────────────────

  /** With what the configuration database says, from the commit of a change on. */
  get options(): Options {
    return this.#options;
  }

  wallMs(): number {
    return this.#wallMs();
  }

  get osdMap(): OSDMap {
    return this.osd.map;
  }

  get pendingOsdMap(): PendingOsdMap {
    return this.osd.pending;
  }

  get osdMapFirstCommitted(): number {
    return this.osd.firstCommitted;
  }

  get sessions(): Iterable<MonSession> {
    return this.#sessions;
  }

  /** Its addresses as monmap and clients have them. */
  get publicAddrs(): EntityAddrVec {
    return this.monMap.monitors.get(this.name)!.publicAddrs;
  }

  propose(): Promise<void> {
    return this.#proposals.propose();
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────

  /** Ends it: sessions first, then what is on its way to the store. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(): Promise<void> {
    this.auth.tick();
    // Nobody is let in before there are secrets to seal tickets with, and ids to give.
    await this.#proposals.flush();
    if (this.#failure !== undefined) throw this.#failure;
    this.messenger.addDispatcherTail(
      new MonDispatcher({
        monitor: this,
        sessions: this.#sessions,
        subscriptions: this.#subscriptions,
        osdMapSender: this.#sender,
        admits,
        commands: new CommandServer(this),
        onStoreFailure: (error) => void this.#fail(error),
      }),
    );
    this.messenger.start();
    this.#tickLater();
  }

  /** Everyone who asked for it is told; OSDs, who ask for one map at a time, hear it from one another. */
  #committed(): void {
    this.#subscriptions.publish(this.#sessions);
    const latest = this.osd.lastCommitted;
    if (this.#toldEpoch === latest) return;
    this.#toldEpoch = latest;
    // Who subscribes has it by now, and would be told twice.
    const osds = [...this.#sessions].filter(
      ({ entity, osdEpoch }) => osdEpoch < latest && this.#isUpOsd(entity),
    );
    const chosen = osds[this.messenger.random.u32() % osds.length];
    if (chosen !== undefined) this.#sender.share(chosen);
  }

  #isUpOsd({ id, type }: EntityAuthName): boolean {
    return type === EntityType.Osd && isUp(this.osdMap, Number(id));
  }

  #tickLater(): void {
    this.#tickTimer = this.clock.setTimeout(() => this.#tick(), 1000 * this.options.mon_tick_interval);
  }

  #tick(): void {
    for (const service of this.#services) service.tick?.();
    if (this.#services.some((service) => service.hasPending)) void this.propose();
    this.#sessions.endSilent(1000 * this.options.mon_session_timeout, this.clock.nowMs());
    this.#tickLater();
  }

  async #fail(error: MsgrError): Promise<void> {
    this.#failure = error;
    await this.close();
  }

  async #close(): Promise<void> {
    const hold = new ProcessHold(this.clock);
    hold.take();
    this.clock.clearTimeout(this.#tickTimer);
    await this.messenger.shutdown();
    await this.#proposals.stop();
    await this.store.close();
    await this.#lock?.release();
    hold.release();
    this.#end(this.#failure);
  }
}
