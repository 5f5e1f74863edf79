/**
 * What a new cluster begins with, in one transaction: its fsid and monmap, the first osdmap, and the keys of
 * the monitor and of client.admin. Later starts read it back and check what they are told against it.
 */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CryptoKey } from '../../auth/cephx/crypto-key.ts';
import type { KeyType } from '../../auth/cephx/key-type.ts';
import { Keyring } from '../../auth/keyring.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { decodeMonMap, encodeMonMap, type MonMap } from '../../maps/mon-map.ts';
import type { Options } from '../../options.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import { utimeFromMs } from '../../wire/utime.ts';
import { Uuid } from '../../wire/uuid.ts';
import { type AuthService, monitorName } from './auth/auth-service.ts';
import { initialMonMap, initialOsdMap } from './initial-maps.ts';
import { type MonStore, StoreTransaction } from './store/mon-store.ts';
import { putFirstOsdMap } from './store/osd-map-history.ts';
import { encodeVersion, readVersion } from './store/values.ts';

export const adminName = new EntityAuthName(EntityType.Client, 'admin');

const prefix = 'monmap';

export interface FirstStartInit {
  readonly store: MonStore;
  readonly auth: AuthService;
  readonly options: Options;
  readonly name: string;
  readonly addrs: EntityAddrVec;
  readonly fsid: Uuid | undefined;
  /** Entities that the cluster begins with; those of the monitor and of client.admin are made when missing. */
  readonly keyring: Keyring | undefined;
  readonly keyType: KeyType;
  /** Wall clock in ms. */
  readonly now: number;
}

/** Tools that set up a daemon begin with one of these keys, which lets them make its own. */
const bootstrapKinds = ['mds', 'mgr', 'osd', 'rbd', 'rbd-mirror', 'rgw'];

/** The monmap of the store; undefined in a new one. @throws MsgrError ERR_MSGR_STORE */
export function storedMonMap(store: MonStore): MonMap | undefined {
  const last = readVersion(store, prefix, 'last_committed');
  if (last === 0) return undefined;
  const bytes = store.get(prefix, String(last));
  if (bytes === undefined) throw new MsgrError(ErrorCode.Store, `the store's monmap ${last} is missing`);
  return decodeMonMap(bytes);
}

/** Makes the cluster. */
export async function firstStart(init: FirstStartInit): Promise<MonMap> {
  const { store, auth, options, name, addrs, keyring, keyType, now } = init;
  const fsid = init.fsid ?? Uuid.random();
  const monMap = initialMonMap(name, addrs, { fsid, now });
  const transaction = new StoreTransaction();
  putMonMap(transaction, monMap);
  putFirstOsdMap(transaction, initialOsdMap({ fsid, now, options }));
  for (const entity of keyring?.names() ?? []) auth.set(entity, keyring!.require(entity));
  const mayAll = new Map([['mon', 'allow *']]);
  const created = utimeFromMs(now);
  if (auth.pendingEntity(monitorName) === undefined) {
    auth.set(monitorName, { key: CryptoKey.generate(keyType, created), caps: mayAll });
  }
  if (auth.pendingEntity(adminName) === undefined) {
    const caps = new Map(['mds', 'mgr', 'mon', 'osd'].map((service) => [service, 'allow *']));
    auth.set(adminName, { key: CryptoKey.generate(keyType, created), caps });
  }
  for (const kind of bootstrapKinds) {
    const name = new EntityAuthName(EntityType.Client, `bootstrap-${kind}`);
    if (auth.pendingEntity(name) !== undefined) continue;
    const caps = new Map([['mon', `allow profile bootstrap-${kind}`]]);
    auth.set(name, { key: CryptoKey.generate(keyType, created), caps });
  }
  auth.tick();
  const applyAuth = auth.propose(transaction);
  await store.commit(transaction);
  applyAuth();
  return monMap;
}

/** The monitor has moved to another address, which its one monmap says from now on. */
export async function moveMonitor(
  store: MonStore,
  monMap: MonMap,
  name: string,
  publicAddrs: EntityAddrVec,
  now: number,
): Promise<MonMap> {
  const monitor = monMap.monitors.get(name)!;
  const moved = {
    ...monMap,
    epoch: monMap.epoch + 1,
    lastChanged: utimeFromMs(now),
    monitors: new Map([[name, { ...monitor, publicAddrs }]]),
  };
  const transaction = new StoreTransaction();
  putMonMap(transaction, moved);
  await store.commit(transaction);
  return moved;
}

function putMonMap(transaction: StoreTransaction, monMap: MonMap): void {
  transaction
    .put(prefix, String(monMap.epoch), encodeMonMap(monMap))
    .put(prefix, 'first_committed', encodeVersion(1))
    .put(prefix, 'last_committed', encodeVersion(monMap.epoch));
}

/**
 * Checks what the store has against what this start was told.
 * @throws MsgrError ERR_MSGR_STORE when the folder is another monitor's or another cluster's.
 */
export function checkIdentity(monMap: MonMap, name: string, fsid: Uuid | undefined): void {
  if (!monMap.monitors.has(name)) {
    const names = [...monMap.monitors.keys()].join(', ');
    throw new MsgrError(ErrorCode.Store, `the store is of monitor ${names}, not of ${name}`);
  }
  if (fsid !== undefined && !fsid.equals(monMap.fsid)) {
    throw new MsgrError(ErrorCode.Store, `the store is of cluster ${monMap.fsid}, not of ${fsid}`);
  }
}

/** For tools: the keys of the monitor and of client.admin, mode 0600, where they are missing. */
export function writeKeyrings(folder: string, auth: AuthService): void {
  for (const [file, name] of [
    ['keyring', monitorName],
    ['ceph.client.admin.keyring', adminName],
  ] as const) {
    const entity = auth.entity(name);
    const path = join(folder, file);
    if (entity === undefined || existsSync(path)) continue;
    const keyring = new Keyring(path);
    keyring.set(name, entity);
    writeFileSync(path, keyring.format(), { mode: 0o600 });
    chmodSync(path, 0o600);
  }
}
