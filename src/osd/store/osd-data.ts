/**
 * An OSD's data folder (`osd_data`): who the OSD is, and its superblock. Ours holds no objects, so there is
 * nothing else in it but the keyring.
 *
 *      type         msgr2            ceph-osd does not know it and leaves the folder alone, as ours leaves
 *                                    alone any folder whose type is another
 *      magic, whoami, ceph_fsid, fsid, created_at, ready       texts, with ceph-osd's names
 *      superblock   OSDSuperblock, in Ceph's encoding
 *      keyring      the OSD's key
 *
 * Maps are not kept: an OSD without objects has no history to look up in them, and asks the monitors for
 * the newest when it starts.
 */
import { mkdirSync } from 'node:fs';
import { type DataLock, lockDataFolder } from '../../data-lock.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { compatSetEmpty } from '../../wire/compat-set.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import {
  decodeOsdSuperblock,
  encodeOsdSuperblock,
  freshOsdSuperblock,
  type OsdSuperblock,
} from '../../wire/osd-superblock.ts';
import { Uuid } from '../../wire/uuid.ts';
import { readMeta, readMetaBytes, storeError, writeMeta } from './meta-file.ts';

const type = 'msgr2';
const magic = 'msgr2 osd volume v1';

export interface OsdIdentity {
  readonly whoami: number;
  readonly clusterFsid: Uuid;
  readonly osdFsid: Uuid;
}

/**
 * Makes the folder, or finds it made for the same OSD and leaves it as it is: mkfs may be repeated.
 *
 * @param osdFsid of the OSD; when absent that of the folder, or a new one.
 * @returns the identity, and whether it was made now.
 * @throws MsgrError ERR_MSGR_STORE when it belongs to another OSD or cluster, or is not ours.
 */
export function makeOsdData(
  folder: string,
  { whoami, clusterFsid, osdFsid }: Omit<OsdIdentity, 'osdFsid'> & { osdFsid?: Uuid | undefined },
): { identity: OsdIdentity; isNew: boolean } {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch (cause) {
    throw storeError(`${folder} cannot be made`, cause);
  }
  refuseForeign(folder);
  if (readMeta(folder, 'ready') === 'ready') {
    const identity = readIdentity(folder);
    requireSame(folder, 'osd id', identity.whoami, whoami);
    requireSame(folder, 'cluster fsid', identity.clusterFsid, clusterFsid);
    if (osdFsid !== undefined) requireSame(folder, 'osd fsid', identity.osdFsid, osdFsid);
    return { identity, isNew: false };
  }
  const identity = { whoami, clusterFsid, osdFsid: osdFsid ?? Uuid.random() };
  writeMeta(folder, 'type', type);
  writeMeta(folder, 'magic', magic);
  writeMeta(folder, 'whoami', String(whoami));
  writeMeta(folder, 'ceph_fsid', String(clusterFsid));
  writeMeta(folder, 'fsid', String(identity.osdFsid));
  writeMeta(folder, 'created_at', new Date().toISOString());
  writeMeta(folder, 'superblock', superblockBytes(freshSuperblock(identity)));
  writeMeta(folder, 'ready', 'ready');
  return { identity, isNew: true };
}

/** The folder of one running OSD. */
export class OsdData {
  readonly folder: string;
  readonly identity: OsdIdentity;
  readonly createdAt: string;
  readonly #lock: DataLock;
  #superblock: OsdSuperblock;

  private constructor(folder: string, identity: OsdIdentity, superblock: OsdSuperblock, lock: DataLock) {
    this.folder = folder;
    this.identity = identity;
    this.createdAt = readMeta(folder, 'created_at') ?? '';
    this.#superblock = superblock;
    this.#lock = lock;
  }

  /**
   * @throws MsgrError ERR_MSGR_STORE when it was not made, is another OSD's, or is in use by another process.
   */
  static async open(folder: string, whoami: number): Promise<OsdData> {
    refuseForeign(folder);
    if (readMeta(folder, 'ready') !== 'ready') {
      throw storeError(`${folder} holds no OSD: make it with 'msgr2 osd --id ${whoami} --mkfs'`, undefined);
    }
    const identity = readIdentity(folder);
    if (identity.whoami !== whoami) {
      throw storeError(`${folder}: OSD id ${identity.whoami} != my id ${whoami}`, undefined);
    }
    const lock = await lockDataFolder('OSD', folder);
    try {
      return new OsdData(folder, identity, readSuperblock(folder, identity), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get superblock(): OsdSuperblock {
    return this.#superblock;
  }

  /** Durable when it returns. */
  saveSuperblock(change: Partial<OsdSuperblock>): void {
    this.#superblock = { ...this.#superblock, ...change };
    writeMeta(this.folder, 'superblock', superblockBytes(this.#superblock));
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

function refuseForeign(folder: string): void {
  const found = readMeta(folder, 'type');
  if (found === undefined || found === type) return;
  const reason = `${folder} holds an OSD of type ${JSON.stringify(found)}, which is not for msgr2 to touch`;
  throw storeError(reason, undefined);
}

function readIdentity(folder: string): OsdIdentity {
  const text = (name: string): string => {
    const value = readMeta(folder, name);
    if (value === undefined || value === '') throw storeError(`${folder}/${name} is missing`, undefined);
    return value;
  };
  if (text('magic') !== magic) {
    throw storeError(`${folder}: magic ${JSON.stringify(text('magic'))} is not ${magic}`, undefined);
  }
  const whoami = text('whoami');
  if (!/^\d{1,9}$/.test(whoami)) throw storeError(`${folder}/whoami: ${whoami} is no OSD id`, undefined);
  try {
    return {
      whoami: Number(whoami),
      clusterFsid: Uuid.parse(text('ceph_fsid')),
      osdFsid: Uuid.parse(text('fsid')),
    };
  } catch (cause) {
    throw new MsgrError(ErrorCode.Store, `${folder}: ${(cause as Error).message}`, { cause });
  }
}

function readSuperblock(folder: string, identity: OsdIdentity): OsdSuperblock {
  const bytes = readMetaBytes(folder, 'superblock');
  if (bytes === undefined) throw storeError(`${folder}/superblock is missing`, undefined);
  let superblock: OsdSuperblock;
  try {
    superblock = decodeOsdSuperblock(new Decoder(bytes, 'superblock'), 'superblock');
  } catch (cause) {
    throw new MsgrError(ErrorCode.Store, `${folder}/superblock: ${(cause as Error).message}`, { cause });
  }
  const isOurs =
    superblock.whoami === identity.whoami &&
    superblock.osdFsid.equals(identity.osdFsid) &&
    superblock.clusterFsid.equals(identity.clusterFsid);
  if (!isOurs) throw storeError(`${folder}/superblock is of another OSD than the files beside it`, undefined);
  return superblock;
}

function freshSuperblock(identity: OsdIdentity): OsdSuperblock {
  return freshOsdSuperblock({ ...identity, compatFeatures: compatSetEmpty });
}

function superblockBytes(superblock: OsdSuperblock): Uint8Array {
  return encodeWith((encoder) => encodeOsdSuperblock(encoder, superblock));
}

function requireSame(folder: string, what: string, found: Uuid | number, given: Uuid | number): void {
  if (String(found) === String(given)) return;
  throw storeError(`${folder}: provided ${what} ${given} != superblock's ${found}`, undefined);
}
