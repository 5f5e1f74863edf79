/**
 * What a monitor's client has of the monitors: either a search for one or a session with one, and what is
 * resumed whenever the one becomes the other. A session begins with, in this order: authentication that is
 * due, subscriptions, messages that waited, questions, log entries.
 */
import type { AuthSession } from '../../auth/auth.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { MonMap } from '../../maps/mon-map.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { type EntityAuthName, EntityName, EntityType } from '../../wire/entity-name.ts';
import { MMonSubscribe } from '../../wire/messages/m-mon-subscribe.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { AuthRenewal } from './auth-renewal.ts';
import { ClusterLog } from './cluster-log.ts';
import { type HuntFailure, type HuntFound, isRefusal, readMonMap } from './hunt.ts';
import type { LookupHost, MonHost } from './mon-host.ts';
import { type Monitor, Monitors, monitorText } from './monitors.ts';
import { OsdMaps } from './osd-maps.ts';
import { MonRequests } from './requests.ts';
import { Search } from './search.ts';
import { MonSession } from './session.ts';
import { shortHostName } from './short-host-name.ts';
import { Subscriptions } from './subscriptions.ts';
import { versionRequest } from './versions.ts';
import { WaitingMessages } from './waiting-messages.ts';

export interface MonLinkInit {
  readonly messenger: Messenger;
  readonly auth: AuthSession;
  readonly name: EntityAuthName;
  readonly hosts: readonly MonHost[];
  readonly lookup: LookupHost;
  readonly options: Options;
  readonly clock: Clock;
  readonly wallClock: () => number;
  readonly fsid: Uuid | undefined;
  /** A session stands, and what waited is on its way. */
  onSession(monitor: Monitor): void;
  onLost(monitor: Monitor, cause: MsgrError): void;
  /** `isFinal`: the search has ended; somebody must change something before it can succeed. */
  onSearchFailed(error: MsgrError, isFinal: boolean): void;
  onMonMap(map: MonMap): void;
  /** Authentication got a step further. */
  onAuthProgress(): void;
}

export class MonLink {
  readonly monitors = new Monitors();
  readonly subscriptions = new Subscriptions();
  readonly requests: MonRequests;
  readonly log: ClusterLog;
  readonly maps: OsdMaps;
  readonly renewal: AuthRenewal;
  readonly #init: MonLinkInit;
  readonly #search: Search;
  readonly #waiting = new WaitingMessages();
  #session: MonSession | undefined;
  #fsid: Uuid | undefined;
  #hadSession = false;

  constructor(init: MonLinkInit) {
    this.#init = init;
    this.#fsid = init.fsid;
    const { auth, clock, messenger, name, options, wallClock } = init;
    const send = (message: Message): void => void this.#session?.send(message);
    const blame = (error: MsgrError): void => this.lose(error);
    this.#search = new Search({
      messenger,
      monitors: this.monitors,
      hosts: init.hosts,
      lookup: init.lookup,
      clock,
      options,
      fsid: () => this.#fsid,
      onFound: (found) => this.#found(found),
      onSweepFailed: (error, failures) => this.#searchFailed(error, failures),
    });
    this.requests = new MonRequests({
      clock,
      send: (make) => void this.#session?.send(make()),
      excuse: () => (this.#session === undefined ? this.#search.error : undefined),
    });
    this.renewal = new AuthRenewal({
      auth,
      clock,
      wallClock,
      monmapEpoch: () => this.monitors.map?.epoch ?? 0,
      send,
      onFailed: blame,
      onProgress: () => init.onAuthProgress(),
    });
    this.log = new ClusterLog({
      clock,
      options,
      author: () => ({ name, rank: this.#entityName(), addrs: messenger.myAddrs }),
      send: (make) => {
        if (this.#session === undefined) return false;
        this.#session.send(make(this.#fsid!));
        return true;
      },
    });
    this.maps = new OsdMaps({
      clock,
      fsid: () => this.#fsid,
      newest: (signal) =>
        this.requests.start(versionRequest('osdmap'), signal === undefined ? {} : { signal }),
      subscribe: (start, isRenewal) => this.#subscribeToOsdMaps(start, isRenewal),
      send,
      blame,
    });
  }

  get session(): MonSession | undefined {
    return this.#session;
  }

  get isSearching(): boolean {
    return this.#search.isRunning;
  }

  get fsid(): Uuid | undefined {
    return this.#fsid;
  }

  /** Of the present search. */
  get error(): MsgrError {
    return this.#search.error;
  }

  /** Begins to search, if there is neither a session nor a search. */
  start(): void {
    if (this.#session === undefined) this.#search.start(undefined);
  }

  /** For good. */
  stop(error: MsgrError): void {
    this.#search.stop();
    this.#endSession();
    this.#waiting.clear();
    this.maps.stop();
    this.log.stop(error);
    this.requests.rejectAll(error);
  }

  /** Ends a search that nobody waits for. */
  giveUp(): void {
    this.#search.stop();
  }

  /**
   * Sends on the session; without one the message waits for the next.
   *
   * @throws MsgrError ERR_MSGR_OVERLOADED when too many wait.
   */
  send(message: Message): boolean {
    if (this.#session !== undefined) return this.#session.send(message);
    this.#waiting.push(message);
    return false;
  }

  /** Tells the monitor of subscriptions that it does not know. */
  subscribe(): void {
    if (this.#session === undefined) return;
    const what = this.subscriptions.take();
    if (what.size > 0) this.#session.send(Message.of(MMonSubscribe, { what, hostname: shortHostName() }));
  }

  /** True when the message came from a monitor that is being hunted. */
  dispatchToHunt(message: ReceivedMessage): boolean {
    return this.#search.dispatch(message);
  }

  /** The session's monitor sent a map of the monitors. @throws MsgrError as `readMonMap` */
  handleMonMap(bytes: Uint8Array): void {
    const map = readMonMap(bytes, this.#fsid);
    this.#adopt(map);
    this.subscriptions.got('monmap', BigInt(map.epoch));
    const { monitor } = this.#session ?? {};
    if (monitor === undefined || this.monitors.find(monitor.target) !== undefined) return;
    this.lose(new MsgrError(ErrorCode.Closed, `${monitorText(monitor)} is not in monmap ${map.epoch}`));
  }

  /** The session is of no use any more: another monitor is searched for. */
  lose(cause: MsgrError): void {
    const session = this.#session;
    if (session === undefined) return;
    const { livedMs, monitor } = session;
    this.#endSession();
    this.monitors.blame(monitor);
    this.#search.start(livedMs);
    this.#init.onLost(monitor, cause);
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.close();
    this.renewal.end();
  }

  #found({ connection, map, monitor: dialled }: HuntFound): void {
    const { auth, clock, onSession, options } = this.#init;
    // Places of mon_host are tried after all monitors of the map failed: its word is worth less than theirs.
    const isMapDoubted = dialled.rank < 0;
    this.#adopt(map, isMapDoubted);
    const monitor = this.monitors.find(dialled.target);
    if (monitor === undefined) {
      // It is not among the monitors any more, by its own word or by that of a newer map.
      connection.markDown();
      this.monitors.blame(dialled);
      this.#search.start(0);
      return;
    }
    this.#hadSession = true;
    auth.choose(dialled.target);
    const session = new MonSession({
      monitor,
      connection,
      clock,
      options,
      isAnswerDue: () => this.requests.isAnswerDue || this.log.isAckDue || this.renewal.isAnswerDue,
      onAlive: (livedMs) => {
        this.#search.ease();
        if (livedMs >= options.mon_client_ping_timeout * 1000) this.monitors.forgive();
      },
      onLost: (cause) => this.lose(cause),
    });
    this.#session = session;
    this.renewal.begin();
    this.subscriptions.reload();
    this.subscriptions.want('monmap', BigInt(this.monitors.map!.epoch + 1));
    this.subscribe();
    for (const message of this.#waiting.takeAll()) session.send(message);
    this.requests.resendAll();
    this.log.resendAll();
    this.maps.sessionChanged();
    if (this.#session === session) onSession(monitor);
  }

  /** A newer map than ours is ours from now on; if ours is doubted, any other. */
  #adopt(map: MonMap, isMapDoubted = false): void {
    const mine = this.monitors.map?.epoch;
    this.#fsid ??= map.fsid;
    if (mine !== undefined && map.epoch <= mine && !isMapDoubted) return;
    this.monitors.setMap(map);
    this.#init.onMonMap(map);
  }

  /**
   * Refusals end a first search, and later fail what waits if there was nothing else but refusals: a
   * monitor that cannot be reached may yet say something else.
   */
  #searchFailed(error: MsgrError, failures: readonly HuntFailure[]): void {
    const refusals = failures.filter((failure) => isRefusal(failure.error)).length;
    const isFirst = !this.#hadSession;
    if (isFirst && refusals > 0) this.#search.stop();
    if (refusals > 0 && (isFirst || refusals === failures.length)) this.requests.rejectAll(error);
    this.#init.onSearchFailed(error, isFirst && refusals > 0);
  }

  /** Who log entries are from: a client's number is its global id. */
  #entityName(): EntityName {
    const { auth, messenger } = this.#init;
    const { name } = messenger;
    return name.type === EntityType.Client ? EntityName.client(auth.globalId) : name;
  }

  #subscribeToOsdMaps(start: number | undefined, isRenewal: boolean): void {
    if (start === undefined) this.subscriptions.drop('osdmap');
    else if (isRenewal) this.subscriptions.renew('osdmap', BigInt(start));
    else this.subscriptions.advance('osdmap', BigInt(start));
    this.subscribe();
  }
}
