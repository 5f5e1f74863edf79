/**
 * One process at a time on an OSD's data. The lock is a listening socket in Linux's abstract namespace: the
 * kernel lets it go however the process ends, and a file that was left behind never stands in the way.
 * Elsewhere there is no lock.
 */
import { createServer, type Server } from 'node:net';
import type { Uuid } from '../../wire/uuid.ts';
import { storeError } from './meta-file.ts';

export class DataLock {
  readonly #server: Server | undefined;

  private constructor(server: Server | undefined) {
    this.#server = server;
  }

  /** @throws MsgrError ERR_MSGR_STORE when another process has it. */
  static async take(osdFsid: Uuid, folder: string): Promise<DataLock> {
    if (process.platform !== 'linux') return new DataLock(undefined);
    const server = createServer((socket) => socket.destroy());
    server.unref();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const isHeld = cause.code === 'EADDRINUSE';
        const what = isHeld ? `${folder} is in use (is another msgr2 osd still running?)` : `${folder}: lock`;
        reject(storeError(what, cause));
      });
      server.listen(`\0msgr2-osd-${osdFsid}`, resolve);
    });
    return new DataLock(server);
  }

  async release(): Promise<void> {
    const server = this.#server;
    if (server?.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
