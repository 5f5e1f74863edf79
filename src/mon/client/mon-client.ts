/**
 * A client of a cluster's monitors: one session with whichever monitor answers, and what goes over it.
 *
 *      connect() ──► searching (search.ts, hunt.ts) ──found──► in session (session.ts) ──► close()
 *                        ▲                                          │
 *                        └── connection broken, monitor silent, or gone from the map
 *
 * What outlives a session: commands and other questions (requests.ts: asked again), subscriptions
 * (subscriptions.ts: resumed after the last version that came), log entries not acknowledged
 * (cluster-log.ts), tickets (auth-renewal.ts). What does not: messages of `send` that had left.
 *
 * Facts: src/mon/MonClient.cc. Everything runs on the thread of its messenger.
 */
import { EventEmitter } from 'node:events';
import type { AuthSession } from '../../auth/auth.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { MonMap } from '../../maps/mon-map.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import type { Message } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { RequestOptions } from '../../messenger/requests.ts';
import { type Options, resolveOptions } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { EntityAuthName } from '../../wire/entity-name.ts';
import type { MgrMapHead } from '../../wire/messages/m-mgr-map.ts';
import { Uuid } from '../../wire/uuid.ts';
import type { ClusterLogLevel } from './cluster-log.ts';
import {
  commandPrefix,
  commandRequest,
  commandText,
  type MonCommand,
  type MonCommandOptions,
  type MonCommandResult,
} from './commands.ts';
import { type MonClientInit, messengerFor } from './init.ts';
import { MonLink } from './link.ts';
import { MessageRouter } from './message-router.ts';
import { parseMonHost, systemLookup } from './mon-host.ts';
import type { Monitor } from './monitors.ts';
import type { OsdMapUpdate } from './osd-map-reader.ts';
import type { OsdMapsOptions } from './osd-maps.ts';
import { ProcessHold } from './process-hold.ts';
import { Tells } from './tells.ts';
import { type MapVersions, versionRequest } from './versions.ts';

export interface MonClientEvents {
  /** A session stands: what a daemon has to say to its monitor, it says now. */
  session: [monitor: Monitor];
  sessionLost: [monitor: Monitor, cause: MsgrError];
  /** All monitors were asked and none became ours; it goes on unless all refused. */
  huntFailed: [error: MsgrError];
  monmap: [map: MonMap];
  /** All options that the monitors' database sets for this client, as text by name. */
  config: [config: ReadonlyMap<string, string>];
  mgrmap: [head: MgrMapHead];
}

/** Somebody who waits in `connect`. */
interface ConnectWaiter {
  settle(error: MsgrError | undefined): void;
}

const noInput = new Uint8Array(0);

function closedError(): MsgrError {
  return new MsgrError(ErrorCode.Closed, 'the monitor client is closed');
}

function abortedError(signal: AbortSignal): MsgrError {
  return new MsgrError(ErrorCode.Aborted, 'connecting to the monitors was aborted', { cause: signal.reason });
}

export class MonClient extends EventEmitter<MonClientEvents> implements AsyncDisposable {
  readonly name: EntityAuthName;
  readonly messenger: Messenger;
  readonly auth: AuthSession;
  readonly options: Options;
  readonly #clock: Clock;
  readonly #ownsMessenger: boolean;
  readonly #link: MonLink;
  readonly #router: MessageRouter;
  readonly #tells: Tells;
  readonly #hold: ProcessHold;
  readonly #waiters = new Set<ConnectWaiter>();
  #config: ReadonlyMap<string, string> = new Map();
  #isClosed = false;

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for a name, option or `monHost` that cannot be used. */
  constructor(init: MonClientInit) {
    super();
    const hosts = parseMonHost(init.monHost);
    this.name = typeof init.name === 'string' ? EntityAuthName.parse(init.name) : init.name;
    this.options = resolveOptions(init.options);
    const fsid = typeof init.fsid === 'string' ? Uuid.parse(init.fsid) : init.fsid;
    const { auth, isOwn, messenger } = messengerFor(init, this.name);
    this.messenger = messenger;
    this.auth = auth;
    this.#ownsMessenger = isOwn;
    this.#clock = init.clock ?? messenger.clock;
    this.#hold = new ProcessHold(this.#clock);
    this.#link = new MonLink({
      messenger,
      auth,
      name: this.name,
      hosts,
      lookup: init.lookup ?? systemLookup,
      options: this.options,
      clock: this.#clock,
      wallClock: init.wallClock ?? Date.now,
      fsid,
      onSession: (monitor) => this.#sessionStands(monitor),
      onLost: (monitor, cause) => this.emit('sessionLost', monitor, cause),
      onSearchFailed: (error, isFinal) => this.#searchFailed(error, isFinal),
      onMonMap: (map) => this.emit('monmap', map),
      onAuthProgress: () => this.#checkConnected(),
    });
    this.#tells = new Tells({
      messenger,
      clock: this.#clock,
      options: this.options,
      monitors: this.#link.monitors,
      requests: this.#link.requests,
    });
    this.#router = new MessageRouter(this.#link, this.#tells, {
      onConfig: (config) => {
        this.#config = config;
        this.emit('config', config);
      },
      onMgrMap: (head) => this.emit('mgrmap', head),
    });
    this.#router.passesMapsOn = !isOwn;
    messenger.addDispatcherHead(this.#router);
    this.#link.subscriptions.want('config', 0n);
  }

  // ── What is known ──────────────────────────────────────────────────────────────────────────────

  /** The newest map of the monitors that was seen; undefined before the first session. */
  get monMap(): MonMap | undefined {
    return this.#link.monitors.map;
  }

  /** Options that the monitors' database sets for this client; empty before they came. */
  get config(): ReadonlyMap<string, string> {
    return this.#config;
  }

  /** The monitor that the session is with; undefined while one is searched for. */
  get currentMon(): Monitor | undefined {
    return this.#link.session?.monitor;
  }

  /** The cluster's; undefined before the first session, unless it was given. */
  get fsid(): Uuid | undefined {
    return this.#link.fsid;
  }

  /** The number that the cluster knows this client by, over all its sessions; 0 before the first. */
  get globalId(): bigint {
    return this.auth.globalId;
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves when a session with a monitor stands and everything that authentication wants is held. From
   * then on the client keeps a session by itself until it is closed. May be called again after a rejection.
   *
   * Rejects with ERR_MSGR_TIMEOUT (`client_mount_timeout` by default) and with what each monitor answered;
   * when monitors refuse, at the end of the first round: ERR_MSGR_AUTH for a key, ERR_MSGR_PEER_MISMATCH for
   * another cluster or address; ERR_MSGR_ABORTED, ERR_MSGR_CLOSED.
   */
  connect(options: RequestOptions = {}): Promise<void> {
    const { signal, timeoutMs = this.options.client_mount_timeout * 1000 } = options;
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(abortedError(signal));
    this.#start();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.settle(abortedError(signal!));
      const timer =
        timeoutMs > 0
          ? this.#clock.setTimeout(() => waiter.settle(this.#late(timeoutMs)), timeoutMs)
          : undefined;
      const waiter: ConnectWaiter = {
        settle: (error) => {
          if (!this.#waiters.delete(waiter)) return;
          this.#clock.clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) return resolve();
          this.#giveUpIfIdle();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#checkConnected();
    });
  }

  /**
   * Ends the session and everything that waits: questions reject with ERR_MSGR_CLOSED, iterations end. Log
   * entries that matter are seen off with {@link flushLog} before. Idempotent.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = closedError();
    for (const waiter of [...this.#waiters]) waiter.settle(error);
    this.#link.stop(error);
    this.#hold.release();
    this.messenger.removeDispatcher(this.#router);
    if (this.#ownsMessenger) await this.messenger.shutdown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── Questions ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Has the monitors carry out a command; a string is the JSON that is sent. It is asked again, with the same
   * id, in every session until it is answered; when only the answer was lost it is so carried out twice, as
   * with Ceph's own tools.
   *
   * Rejects with {@link MonCommandError} when the monitor answers with an errno; ERR_MSGR_TIMEOUT,
   * ERR_MSGR_ABORTED, ERR_MSGR_CLOSED, ERR_MSGR_OVERLOADED; ERR_MSGR_AUTH and the like when all monitors
   * refuse this client; ERR_MSGR_INVALID_ARGUMENT for a target that is not in the map.
   */
  async command(command: MonCommand | string, options: MonCommandOptions = {}): Promise<MonCommandResult> {
    const { input = noInput, target } = options;
    const text = commandText(command);
    this.#start();
    const request = commandRequest(commandPrefix(command), text, input, () => this.#link.fsid!);
    const waiting = { ...this.#defaultTimeout(), ...options };
    if (target === undefined) return this.#link.requests.start(request, waiting);
    return this.#tells.start(
      request,
      { command: [text], input, fsid: () => this.#link.fsid! },
      target,
      waiting,
    );
  }

  /**
   * Which versions of a map the monitors hold: `osdmap`, `monmap`, `mdsmap`, `mgrmap`. Asked again in the
   * next session, as commands are. A name that they do not know is never answered. Rejects as `command`.
   */
  async getVersion(what: string, options: RequestOptions = {}): Promise<MapVersions> {
    this.#start();
    return this.#link.requests.start(versionRequest(what), { ...this.#defaultTimeout(), ...options });
  }

  // ── Maps ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * The OSDMaps, each epoch once and in order, over all sessions, for as long as the caller asks for more;
   * ends when the client is closed. A slow reader is not run over: what he is behind is fetched again.
   */
  osdMaps(options: OsdMapsOptions = {}): AsyncGenerator<OsdMapUpdate, void, void> {
    this.#start();
    return this.#link.maps.follow(options);
  }

  /**
   * Has the monitors send `what` (`mgrmap`, `osdmap`, `osd_pg_creates`, …) from version `start` on (0: the
   * newest, whole); in the next session from where it stands. For maps that this client does not know, the
   * receiver says with {@link received} where that is. `monmap` and `config` are subscribed to always.
   */
  subscribe(what: string, options: { start?: bigint; isOneTime?: boolean } = {}): void {
    this.#start();
    this.#link.subscriptions.want(what, options.start ?? 0n, options.isOneTime ?? false);
    this.#link.subscribe();
  }

  /** Version `version` of a subscribed map has come. */
  received(what: string, version: bigint): void {
    this.#link.subscriptions.got(what, version);
  }

  unsubscribe(what: string): void {
    this.#link.subscriptions.drop(what);
    this.#link.subscribe();
  }

  // ── Cluster log ────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds an entry to the cluster log: kept and sent again until a monitor acknowledges it. Beyond
   * `clusterLogEntriesMax` entries are dropped, and the log says how many.
   *
   * @param channel `cluster`, as daemons use it, or `audit`.
   */
  log(channel: string, level: ClusterLogLevel, text: string): void {
    if (this.#isClosed) throw closedError();
    this.#start();
    this.#link.log.add(channel, level, text);
  }

  /** Resolves when the monitors have acknowledged all entries so far. Rejects with ERR_MSGR_CLOSED. */
  flushLog(): Promise<void> {
    return this.#link.log.flush();
  }

  // ── For daemons ────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends to the monitor of the session, once: what the session's end overtakes is lost, and the daemon
   * says it again on the event `session`. Without a session it waits for the next. Answers as
   * `Connection.send`.
   *
   * @throws MsgrError ERR_MSGR_OVERLOADED when too many wait, ERR_MSGR_CLOSED.
   */
  send(message: Message): boolean {
    if (this.#isClosed) throw closedError();
    this.#start();
    return this.#link.send(message);
  }

  /** For what the monitor sends besides the client's own affairs; maps go to it too. */
  addDispatcher(dispatcher: Dispatcher): void {
    this.#router.passesMapsOn = true;
    this.messenger.addDispatcherTail(dispatcher);
  }

  // ── Inside ─────────────────────────────────────────────────────────────────────────────────────

  #start(): void {
    if (this.#isClosed) throw closedError();
    this.#hold.take();
    this.#link.start();
  }

  #defaultTimeout(): RequestOptions {
    const { rados_mon_op_timeout: seconds } = this.options;
    return seconds > 0 ? { timeoutMs: seconds * 1000 } : {};
  }

  #sessionStands(monitor: Monitor): void {
    this.#tells.mapIsKnown();
    this.emit('session', monitor);
    this.#checkConnected();
  }

  #checkConnected(): void {
    if (this.#link.session === undefined || !this.auth.isComplete) return;
    for (const waiter of [...this.#waiters]) waiter.settle(undefined);
  }

  #searchFailed(error: MsgrError, isFinal: boolean): void {
    this.emit('huntFailed', error);
    if (!isFinal) return;
    this.#hold.release();
    for (const waiter of [...this.#waiters]) waiter.settle(error);
  }

  /** A first search that nobody waits for any more must not hold the process. */
  #giveUpIfIdle(): void {
    if (this.#waiters.size > 0 || this.monMap !== undefined || this.#link.requests.size > 0) return;
    this.#link.giveUp();
    this.#hold.release();
  }

  #late(timeoutMs: number): MsgrError {
    const { session } = this.#link;
    const excuse =
      session === undefined
        ? this.#link.error
        : new MsgrError(ErrorCode.Timeout, `authentication with mon.${session.monitor.name} is not complete`);
    const text = `not connected within ${timeoutMs} ms: ${excuse.message}`;
    return new MsgrError(ErrorCode.Timeout, text, { cause: excuse });
  }
}
