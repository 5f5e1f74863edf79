/**
 * A TCP proxy on loopback that breaks connections: after a given byte of one direction, or when it is told
 * to. It stands between two real sockets, so both ends see what a failing network shows them.
 *
 * Directions are those of the dialler: `up` is what it sends, `down` what it receives. The bytes before a
 * cut are delivered: the receiver has exactly that many, and then the end of the stream.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../../src/transport/socket.ts';

export type Direction = 'up' | 'down';

/** Where one connection breaks. */
export interface Cut {
  readonly direction: Direction;
  /** Bytes of that direction that still pass. */
  readonly afterBytes: number;
}

/** How a connection ends: `close` sends FIN on both sides, `reset` sends RST. */
export type Ending = 'close' | 'reset';

/** One proxied connection. */
export class ProxiedConnection {
  /** Bytes that passed, by direction. */
  readonly passed: Record<Direction, number> = { up: 0, down: 0 };
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #cut: Cut | undefined;
  readonly #onGone: (connection: ProxiedConnection) => void;
  #isCut = false;
  #isOver = false;

  /** `near` is the dialler's socket, `far` the one to the target. */
  constructor(
    near: Socket,
    far: Socket,
    cut: Cut | undefined,
    onGone: (connection: ProxiedConnection) => void,
  ) {
    this.#near = near;
    this.#far = far;
    this.#cut = cut;
    this.#onGone = onGone;
    this.#pump(near, far, 'up');
    this.#pump(far, near, 'down');
    if (cut?.afterBytes === 0) this.#endAfter(cut.direction);
  }

  /** Whether the cut that was asked for has come. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Breaks both sides now; what is in the proxy is lost. */
  end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const socket of [this.#near, this.#far]) {
      if (ending === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
    this.#onGone(this);
  }

  /** Breaks the target's side now and the dialler's `delayMs` later: the target notices first. */
  endFarFirst(delayMs: number): void {
    if (this.#isOver || this.#isCut) return;
    this.#isCut = true;
    this.#near.pause();
    this.#far.resetAndDestroy();
    setTimeout(() => this.end('reset'), delayMs);
    this.#onGone(this);
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk: Buffer) => {
      if (this.#isOver || this.#isCut || to.destroyed) return;
      const left =
        this.#cut?.direction === direction
          ? this.#cut.afterBytes - this.passed[direction]
          : Number.POSITIVE_INFINITY;
      const piece = chunk.length > left ? chunk.subarray(0, left) : chunk;
      this.passed[direction] += piece.length;
      if (piece.length > 0 && !to.write(piece)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      if (piece.length === left) this.#endAfter(direction);
    });
    from.on('error', () => {});
    from.on('close', () => {
      if (this.#isCut) return;
      // What `from` sent before it closed is still on its way.
      if (!this.#isOver) to.destroySoon();
      this.#isOver = true;
      this.#onGone(this);
    });
  }

  /** The receiver of `direction` gets what was written to it, then both sides end. */
  #endAfter(direction: Direction): void {
    this.#isCut = true;
    const receiver = direction === 'up' ? this.#far : this.#near;
    receiver.end(() => this.end('close'));
  }
}

export interface ByteProxyOptions {
  /** The cut for the connection with this number, counted from 0. */
  readonly cutOf?: (index: number) => Cut | undefined;
}

export class ByteProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #connections: ProxiedConnection[] = [];
  readonly #living = new Set<ProxiedConnection>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port of 127.0.0.1 and passes everything on to `target`. */
  static async start(target: SocketAddress, options: ByteProxyOptions = {}): Promise<ByteProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new ByteProxy(server);
    server.on('connection', (near) => {
      const far = connect({ host: target.host, port: target.port, noDelay: true });
      const connection = new ProxiedConnection(
        near,
        far,
        options.cutOf?.(proxy.#connections.length),
        (gone) => proxy.#living.delete(gone),
      );
      proxy.#connections.push(connection);
      proxy.#living.add(connection);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    return proxy;
  }

  get address(): SocketAddress {
    const { port } = this.#server.address() as { port: number };
    return { family: 4, host: '127.0.0.1', port };
  }

  /** All connections so far, in the order in which they came. */
  get connections(): readonly ProxiedConnection[] {
    return this.#connections;
  }

  /** Those that pass bytes now. */
  get living(): ProxiedConnection[] {
    return [...this.#living];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#living) connection.end('reset');
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
