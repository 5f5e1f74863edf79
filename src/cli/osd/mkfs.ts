/** `msgr2 osd --mkfs` and `--mkkey`: an OSD's identity, made as ceph-osd makes it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CryptoKey } from '../../auth/cephx/crypto-key.ts';
import { KeyType } from '../../auth/cephx/key-type.ts';
import { Keyring } from '../../auth/keyring.ts';
import type { CephConfig } from '../../config/ceph-config.ts';
import { makeOsdData } from '../../osd/store/osd-data.ts';
import { Uuid } from '../../wire/uuid.ts';
import { CliError } from '../cli-error.ts';

/** A line for standard error. A key that is there is kept: the cluster knows the OSD by it. */
export function makeKey(config: CephConfig): string {
  const [path] = config.keyringPaths;
  if (path === undefined) throw new CliError('the option keyring is empty: there is no place for the key');
  const keyring = existsSync(path) ? Keyring.load([path]) : new Keyring(path);
  if (keyring.get(config.name) !== undefined) return `already have key in keyring ${path}`;
  keyring.set(config.name, { key: CryptoKey.generate(KeyType.Aes), caps: new Map() });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    writeFileSync(path, keyring.format(), { mode: 0o600 });
  } catch (cause) {
    throw new CliError(`unable to write keyring ${path}: ${(cause as Error).message}`, { cause });
  }
  return `created new key in keyring ${path}`;
}

/** A line for standard error. @throws CliError; MsgrError as `makeOsdData` */
export function makeFolder(config: CephConfig, osdUuid: string | undefined): string {
  const fsid = config.get('fsid');
  if (fsid === undefined || fsid === '') {
    throw new CliError("the cluster's fsid is not known: ceph.conf or --fsid must say it");
  }
  const folder = config.get('osd_data')!;
  const whoami = Number(config.name.id);
  const { isNew, identity } = makeOsdData(folder, {
    whoami,
    clusterFsid: Uuid.parse(fsid),
    osdFsid: osdUuid === undefined ? undefined : Uuid.parse(osdUuid),
  });
  const what = isNew ? 'created object store' : 'object store is there already:';
  return `${what} ${folder} for osd.${whoami} fsid ${identity.clusterFsid} (osd fsid ${identity.osdFsid})`;
}
