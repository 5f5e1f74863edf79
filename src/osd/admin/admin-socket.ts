/**
 * The admin socket: a Unix socket that speaks Ceph's protocol, so that `ceph daemon osd.3 …` works.
 *
 *      client ── JSON of the command, then a byte 0 ──►  daemon
 *             ◄── u32 big-endian length, the answer ──
 *
 * One command per connection. A command that fails is answered with `ERROR: (errno) …`, as Ceph does, which
 * `ceph daemon` prints. Only the daemon's own user may connect. Facts: src/common/admin_socket.cc.
 */
import { once } from 'node:events';
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { adminCommandBytesMax, adminCommandTimeoutMs, adminConnectionsMax } from '../../limits.ts';
import type { CommandAnswer, CommandTable } from '../daemon/command-table.ts';

/** Ends a command; Ceph takes either. */
const terminators = [0, 0x0a];
/** What clients of before Giant sent for `version`. */
const legacyVersion = '0';

export class AdminSocket implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  /**
   * Listens at a path. A socket that a dead daemon left there is taken over.
   * @throws MsgrError ERR_MSGR_BIND when another daemon answers there, or the system refuses the path.
   */
  static async listen(path: string, commands: Pick<CommandTable, 'run'>): Promise<AdminSocket> {
    if (await isAnswered(path)) {
      throw new MsgrError(ErrorCode.Bind, `another daemon listens at the admin socket ${path}`);
    }
    const server = createServer((socket) => serve(socket, commands));
    server.maxConnections = adminConnectionsMax;
    try {
      await unlink(path).catch(() => undefined);
      server.listen(path);
      await once(server, 'listening');
      await chmod(path, 0o600);
    } catch (cause) {
      server.close();
      throw new MsgrError(ErrorCode.Bind, `the admin socket ${path} cannot be made`, { cause });
    }
    return new AdminSocket(path, server);
  }

  /** Node takes the socket's file away with the server. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Whether somebody accepts connections at the path. */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function serve(socket: Socket, commands: Pick<CommandTable, 'run'>): void {
  const received: Buffer[] = [];
  let bytes = 0;
  socket.setTimeout(adminCommandTimeoutMs, () => socket.destroy());
  // A client that goes away before its answer costs nobody anything.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const end = chunk.findIndex((byte) => terminators.includes(byte));
    received.push(end < 0 ? chunk : chunk.subarray(0, end));
    bytes += chunk.byteLength;
    if (bytes > adminCommandBytesMax) socket.destroy();
    else if (end >= 0) {
      socket.removeAllListeners('data').resume();
      socket.setTimeout(0);
      void answer(socket, Buffer.concat(received).toString(), commands);
    }
  });
}

async function answer(socket: Socket, text: string, commands: Pick<CommandTable, 'run'>): Promise<void> {
  const command = text === legacyVersion ? JSON.stringify({ prefix: legacyVersion }) : text;
  const output = outputOf(await commands.run(command));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(output.byteLength);
  socket.end(Buffer.concat([length, output]));
}

function outputOf({ result, status, output }: CommandAnswer): Buffer {
  if (result >= 0) return output;
  const [name, description] = getSystemErrorMap().get(result) ?? ['unknown', `error ${-result}`];
  return Buffer.from(`ERROR: (${-result}) ${name}: ${description}\n${status}\n${output}`);
}
