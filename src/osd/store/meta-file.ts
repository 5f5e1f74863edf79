/**
 * The small files of an OSD's data folder, one value each, as ceph-osd keeps them: `whoami`, `fsid`,
 * `ceph_fsid` and so on. A file is written beside its place and moved there, so that it is whole or absent.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ErrorCode, MsgrError } from '../../errors.ts';

/** A value that is read: the longest is a keyring of a few entities. */
const fileBytesMax = 1 << 20;

/** The text without its line end; undefined when there is no such file. @throws MsgrError ERR_MSGR_STORE */
export function readMeta(folder: string, name: string): string | undefined {
  return readMetaBytes(folder, name)?.toString('utf8').trim();
}

export function readMetaBytes(folder: string, name: string): Buffer | undefined {
  const path = join(folder, name);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storeError(`${path} cannot be read`, cause);
  }
  if (bytes.byteLength > fileBytesMax) throw storeError(`${path} has ${bytes.byteLength} bytes`, undefined);
  return bytes;
}

/** Durable when it returns. @throws MsgrError ERR_MSGR_STORE */
export function writeMeta(folder: string, name: string, value: string | Uint8Array, mode = 0o600): void {
  const path = join(folder, name);
  const bytes = typeof value === 'string' ? Buffer.from(`${value}\n`) : value;
  try {
    const beside = `${path}.new`;
    const file = openSync(beside, 'w', mode);
    try {
      writeSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw storeError(`${path} cannot be written`, cause);
  }
}

/** The file's new name is durable only when its folder is. */
function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function storeError(what: string, cause: unknown): MsgrError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = code === undefined ? what : `${what}: ${code}`;
  return new MsgrError(ErrorCode.Store, reason, cause === undefined ? {} : { cause });
}
