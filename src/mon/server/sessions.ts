/**
 * The monitor's clients. A session begins with the first message of a connection and ends with it; who has
 * been silent for mon_session_timeout loses it, unless its connection showed a sign of life meanwhile.
 */
import { parseAuthName } from '../../auth/keyring.ts';
import { MsgrError } from '../../errors.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { EntityAuthName } from '../../wire/entity-name.ts';
import { MonCaps } from './caps/mon-caps.ts';
import type { MonSession } from './session.ts';
import type { Subscription } from './subscriptions.ts';

export class Session implements MonSession {
  readonly connection: Connection;
  readonly entity: EntityAuthName;
  readonly globalId: bigint;
  readonly caps: MonCaps;
  isClosed = false;
  osdEpoch = 0;
  /** By what: `osdmap`, `config`. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The host's name, as the subscriber says; empty before. */
  hostname = '';
  /** What MConfig said last. */
  config: ReadonlyMap<string, string> | undefined;
  /** When it was heard last, by the monitor's clock, and how many bytes had come by then. */
  lastHeardMs: number;
  #bytesReceived = 0;

  constructor(connection: Connection, nowMs: number) {
    this.connection = connection;
    const { auth } = connection;
    this.entity = entityOf(connection);
    this.globalId = auth?.globalId ?? 0n;
    // Where nobody has to prove anything there is nothing to look caps up by: Ceph allows all.
    this.caps = auth?.caps === undefined ? MonCaps.all : MonCaps.parseOrNone(auth.caps);
    this.lastHeardMs = nowMs;
  }

  get addrs(): EntityAddrVec {
    return this.connection.peerAddrs;
  }

  /** Whether it was silent since `sinceMs`; keepalives are signs of life as messages are. */
  isSilentSince(sinceMs: number, nowMs: number): boolean {
    const { bytesReceived } = this.connection.counters();
    if (bytesReceived !== this.#bytesReceived) {
      this.#bytesReceived = bytesReceived;
      this.lastHeardMs = nowMs;
    }
    return this.lastHeardMs < sinceMs;
  }
}

/** Who it is by its authentication; where that proves nothing, a name may be any text. */
function entityOf({ auth, peerName }: Connection): EntityAuthName {
  const bySession = new EntityAuthName(peerName.type, String(peerName.num));
  if (auth?.entity === undefined) return bySession;
  try {
    return parseAuthName(auth.entity);
  } catch (error) {
    if (error instanceof MsgrError) return bySession;
    throw error;
  }
}

export class Sessions implements Iterable<Session> {
  readonly #sessions = new Map<Connection, Session>();

  /** The connection's session, made when there is none. */
  of(connection: Connection, nowMs: number): Session {
    let session = this.#sessions.get(connection);
    if (session === undefined) {
      session = new Session(connection, nowMs);
      this.#sessions.set(connection, session);
    }
    session.lastHeardMs = nowMs;
    return session;
  }

  end(connection: Connection): void {
    const session = this.#sessions.get(connection);
    if (session === undefined) return;
    session.isClosed = true;
    session.subscriptions.clear();
    this.#sessions.delete(connection);
  }

  /** Ends those that were silent for `timeoutMs`; answers who they were. */
  endSilent(timeoutMs: number, nowMs: number): Session[] {
    const silent = [...this].filter((session) => session.isSilentSince(nowMs - timeoutMs, nowMs));
    for (const session of silent) {
      this.end(session.connection);
      session.connection.markDown();
    }
    return silent;
  }

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }
}
