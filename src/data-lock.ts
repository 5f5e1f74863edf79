/**
 * One daemon per data folder. On Linux the lock is a listening socket without a file, named after the
 * folder's device and inode: the system lets one process have it, and takes it back however that one ends.
 * Elsewhere it is a file with the process's id, taken over when there is no such process any more.
 *
 * The socket's name is seen within one network namespace; two containers that share a folder and not their
 * network are not kept apart.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ErrorCode, MsgrError } from './errors.ts';

export interface DataLock {
  release(): Promise<void>;
}

/** @param kind what locks it, for people: `monitor`, `OSD`. @throws MsgrError ERR_MSGR_STORE when another one has it. */
export function lockDataFolder(kind: string, folder: string): Promise<DataLock> {
  return process.platform === 'linux' ? lockBySocket(kind, folder) : lockByFile(kind, folder);
}

function lockBySocket(kind: string, folder: string): Promise<DataLock> {
  const { dev, ino } = statSync(folder);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(inUse(kind, folder, cause)));
    server.listen(`\0msgr2-data-${dev}-${ino}`, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

async function lockByFile(kind: string, folder: string): Promise<DataLock> {
  const path = join(folder, 'lock');
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return { release: async () => rmSync(path, { force: true }) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0 || isAlive(path)) {
        throw inUse(kind, folder, cause);
      }
      rmSync(path, { force: true });
    }
  }
}

function isAlive(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(kind: string, folder: string, cause: unknown): MsgrError {
  return new MsgrError(ErrorCode.Store, `another ${kind} is running on ${folder}`, { cause });
}
