/** A small cluster's authentication without sockets: a monitor's side, and entities that have keys there. */
import type { AuthClient, AuthOutcome, AuthReply, AuthServer } from '../../../src/auth/auth.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { MemoryKeyServer } from '../../../src/auth/cephx/memory-key-server.ts';
import { MonAuth } from '../../../src/auth/cephx/mon-auth.ts';
import { CephxSession, type CephxSessionInit } from '../../../src/auth/cephx/session.ts';
import { parseAuthName } from '../../../src/auth/keyring.ts';
import { type Options, resolveOptions } from '../../../src/options.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';

export const monAddr = EntityAddr.parse('v2:127.0.0.1:3300/0');

const osdCaps = { mon: 'allow profile osd', osd: 'allow *' };
const clientCaps = { mon: 'allow r', osd: 'allow rw pool=data' };

export interface CephxWorldInit {
  /** Of all entities, and of the rotating secrets. */
  readonly keyType?: KeyType;
  readonly options?: Partial<Options>;
}

export class CephxWorld {
  readonly keyType: KeyType;
  readonly options: Options;
  readonly keys: MemoryKeyServer;
  readonly mon: MonAuth;
  /** Wall clock in ms; tests move it. */
  time = Date.UTC(2026, 0, 1);
  lastGlobalId = 4096n;
  readonly #secrets = new Map<string, CryptoKey>();

  constructor(init: CephxWorldInit = {}) {
    this.keyType = init.keyType ?? KeyType.Aes256k;
    this.options = resolveOptions({
      auth_service_cipher: this.keyType === KeyType.Aes ? 'aes' : 'aes256k',
      ...init.options,
    });
    this.keys = new MemoryKeyServer(this.options, this.now);
    this.mon = new MonAuth({
      keys: this.keys,
      options: this.options,
      assignGlobalId: () => ++this.lastGlobalId,
      now: this.now,
    });
  }

  readonly now = (): number => this.time;

  /** The entity's key; the entity is made when it is new. */
  key(name: string, keyType: KeyType = this.keyType): CryptoKey {
    let key = this.#secrets.get(name);
    if (key === undefined) {
      key = CryptoKey.generate(keyType);
      this.#secrets.set(name, key);
      const caps = name.startsWith('osd.') ? osdCaps : clientCaps;
      this.keys.set(parseAuthName(name), { key, caps: new Map(Object.entries(caps)) });
    }
    return key;
  }

  session(name: string, init: Partial<CephxSessionInit> = {}): CephxSession {
    const entity = parseAuthName(name);
    return new CephxSession({
      name: entity,
      key: init.key ?? this.key(name),
      options: this.options,
      isDaemon: entity.type === EntityType.Osd,
      now: this.now,
      ...init,
    });
  }

  /** A session that has been let in, with all that it wants. */
  member(name: string, init: Partial<CephxSessionInit> = {}): CephxSession {
    const session = this.session(name, init);
    this.renewAll(session, this.join(session));
    return session;
  }

  /** Goes through the handshake with the monitor; answers what the monitor knows then. */
  join(session: CephxSession, addr: EntityAddr = monAddr): AuthOutcome {
    const { acceptor } = handshake(session.client(EntityType.Mon, addr), this.mon.server(EntityType.Client));
    session.choose(addr);
    return acceptor;
  }

  /** All requests that are due, answered. */
  renewAll(session: CephxSession, { globalId, requests }: AuthOutcome): number {
    for (let count = 0; ; count++) {
      const request = session.nextRequest(this.time);
      if (request === undefined) return count;
      session.handleReply({ globalId, ...requests!.handleRequest(request) });
    }
  }
}

/** One of the acceptor's answers, which must be of this kind. */
export function expectReply<Kind extends AuthReply['kind']>(
  reply: AuthReply,
  kind: Kind,
): Extract<AuthReply, { kind: Kind }> {
  if (reply.kind !== kind) throw new Error(`the acceptor answers ${reply.kind}, not ${kind}`);
  return reply as Extract<AuthReply, { kind: Kind }>;
}

/** Both ends in turn until both are done. A refusal is handed to the connector, which throws. */
export function handshake(
  client: AuthClient,
  server: AuthServer,
): { connector: AuthOutcome; acceptor: AuthOutcome } {
  let reply = server.handleRequest(client.start());
  for (;;) {
    switch (reply.kind) {
      case 'more':
        reply = server.handleRequestMore(client.handleReplyMore(reply.payload));
        break;
      case 'refused':
        reply = server.handleRequest(client.handleBadMethod(reply));
        break;
      case 'done': {
        const { globalId, connectionMode } = reply.outcome;
        const connector = client.handleDone(globalId, connectionMode, reply.payload);
        return { connector, acceptor: reply.outcome };
      }
    }
  }
}

/** Every kind of key that both sides can have. */
export const keyTypes: readonly KeyType[] = [KeyType.Aes, KeyType.Aes256k];
