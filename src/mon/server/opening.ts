/**
 * What a start of the monitor does before there is one: the store is opened under its lock, a messenger is
 * made, an address bound, and the monmap that names it found or made.
 */
import { keyTypeOf } from '../../auth/cephx/key-type.ts';
import { type DataLock, lockDataFolder } from '../../data-lock.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { MonMap } from '../../maps/mon-map.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import { Throttle } from '../../messenger/throttle.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { AddrType, EntityAddr } from '../../wire/entity-addr.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { EntityName, EntityType } from '../../wire/entity-name.ts';
import { supportedDefault } from '../../wire/features.ts';
import { cephMessages } from '../../wire/messages/ceph-messages.ts';
import { MessageRegistry } from '../../wire/messages/registry.ts';
import { Uuid } from '../../wire/uuid.ts';
import { monPort } from '../client/mon-host.ts';
import type { AuthService } from './auth/auth-service.ts';
import { MonAuthProvider } from './auth/mon-auth-provider.ts';
import type { ConfigService } from './config/config-service.ts';
import { checkIdentity, firstStart, moveMonitor, storedMonMap } from './first-start.ts';
import type { MonitorInit } from './monitor-init.ts';
import { LmdbStore } from './store/lmdb-store.ts';
import { MemoryStore } from './store/memory-store.ts';
import type { MonStore } from './store/mon-store.ts';
import { checkOsdMaps } from './store/osd-map-history.ts';

/** It is the only one, so it has the first rank. */
export const monitorRank = 0;

export interface MonitorParts {
  readonly name: string;
  readonly options: Options;
  /** What the start was told. */
  readonly given: Partial<Options>;
  readonly config: ConfigService;
  readonly wallMs: () => number;
  readonly clock: Clock;
  readonly store: MonStore;
  readonly lock: DataLock | undefined;
  readonly auth: AuthService;
  readonly messenger: Messenger;
  readonly monMap: MonMap;
}

export async function openStore(init: MonitorInit): Promise<{ store: MonStore; lock: DataLock | undefined }> {
  if (init.store !== undefined) return { store: init.store, lock: undefined };
  if (init.data === undefined) return { store: new MemoryStore(), lock: undefined };
  LmdbStore.makeFolder(init.data);
  const lock = await lockDataFolder('monitor', init.data);
  try {
    return { store: await LmdbStore.open(init.data), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Ceph's policies of a monitor; clients and daemons have throttles of their own. */
export function makeMessenger(
  init: MonitorInit,
  options: Options,
  auth: AuthService,
  wallMs: () => number,
): Messenger {
  const messenger = Messenger.create({
    name: EntityName.mon(monitorRank),
    label: `mon.${init.name ?? 'a'}`,
    nonce: 0,
    options,
    auth: new MonAuthProvider({ auth, options, now: wallMs }),
    messageTypes: new MessageRegistry(cephMessages),
    ...(init.transport === undefined ? {} : { transport: init.transport }),
    ...(init.clock === undefined ? {} : { clock: init.clock }),
    ...(init.random === undefined ? {} : { random: init.random }),
  });
  const ofClients = new Throttle({ name: 'mon_client_bytes', max: options.mon_client_bytes });
  const ofDaemons = new Throttle({ name: 'mon_daemon_bytes', max: options.mon_daemon_bytes });
  messenger.setDefaultPolicy(Policy.statelessServer());
  messenger.setPolicy(EntityType.Mon, Policy.losslessPeerReuse());
  messenger.setPolicy(EntityType.Client, Policy.statelessServer({ throttlerBytes: ofClients }));
  for (const type of [EntityType.Osd, EntityType.Mds, EntityType.Mgr]) {
    messenger.setPolicy(
      type,
      Policy.statelessServer({ throttlerBytes: ofDaemons, featuresSupported: supportedDefault }),
    );
  }
  return messenger;
}

type Found = Omit<MonitorParts, 'clock' | 'lock' | 'monMap'>;

/** Binds, and finds or makes the monmap that says so. */
export async function bindAndIdentify(init: MonitorInit, found: Found): Promise<MonMap> {
  const { auth, messenger, name, options, store } = found;
  const fsid = init.fsid === undefined ? undefined : Uuid.parse(init.fsid);
  const stored = storedMonMap(store);
  const hasOsdMaps = checkOsdMaps(store) !== undefined;
  if (hasOsdMaps !== (stored !== undefined)) {
    throw new MsgrError(ErrorCode.Store, 'the store has a monmap without an osdmap, or the other way round');
  }
  if (stored !== undefined) checkIdentity(stored, name, fsid);
  const known = stored?.monitors.get(name)?.publicAddrs;
  const addrs = await messenger.bind(publicAddress(init.publicAddr, known));
  const now = found.wallMs();
  if (stored === undefined) {
    const keyType = keyTypeOf(init.keyType ?? 'aes')!;
    return firstStart({ store, auth, options, name, addrs, fsid, keyring: init.keyring, keyType, now });
  }
  return addrs.equals(known!) ? stored : moveMonitor(store, stored, name, addrs, now);
}

/** Of a start without a port, or without an address: the one that clients know. */
function publicAddress(text: string | undefined, known: EntityAddrVec | undefined): EntityAddr {
  const before = known?.front;
  if (text === undefined) {
    if (before !== undefined) return before;
    throw new MsgrError(ErrorCode.InvalidArgument, 'a new monitor needs a public address');
  }
  const addrs = EntityAddrVec.parse(text);
  const wanted = addrs.v2() ?? addrs.front;
  if (wanted === undefined) throw new MsgrError(ErrorCode.InvalidArgument, `${text} has no msgr2 address`);
  const isAnyPort = /:0(?:$|[/,\]])/.test(text);
  const kept = before?.host === wanted.host ? before.port : isAnyPort ? 0 : monPort;
  return new EntityAddr({ type: AddrType.Msgr2, host: wanted.host, port: wanted.port || kept, nonce: 0 });
}
