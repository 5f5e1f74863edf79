/**
 * A TCP proxy on loopback that follows the handshake of what it passes on: it keeps the bytes of each
 * connection, to be played again, and can break a connection right behind a given frame.
 *
 * Directions are those of the dialler: `up` is what it sends, `down` what it receives. Up to AUTH_DONE frames
 * are in the clear in both modes; AUTH_SIGNATURE, the last one that is known here, is one block in secure mode.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ConnectionMode } from '../../src/auth/auth.ts';
import type { SocketAddress } from '../../src/transport/socket.ts';
import { authDoneFrame } from '../../src/wire/frames/auth-done.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import type { Direction } from './byte-proxy.ts';

/** The connection breaks when this frame has passed: its receiver has it, and then the end of the stream. */
export interface FrameCut {
  readonly direction: Direction;
  /** `Tag` of a frame of the handshake. */
  readonly after: number;
}

/** Every frame of a handshake with cephx, in the order in which they are sent. */
export const handshakeCuts: readonly FrameCut[] = [
  { direction: 'up', after: Tag.Hello },
  { direction: 'down', after: Tag.Hello },
  { direction: 'up', after: Tag.AuthRequest },
  { direction: 'down', after: Tag.AuthReplyMore },
  { direction: 'up', after: Tag.AuthRequestMore },
  { direction: 'down', after: Tag.AuthDone },
  { direction: 'down', after: Tag.AuthSignature },
  { direction: 'up', after: Tag.AuthSignature },
];

const bannerHeadBytes = 10;
const preambleBytes = 32;
const segmentCrcBytes = 4;
/** AUTH_SIGNATURE in secure mode: preamble and signature sealed in the first block of a stream. */
const sealedSignatureBytes = 96;

/** Finds the ends of frames in one direction of a stream. */
class FrameScanner {
  #pending = Buffer.alloc(0);
  #scanned = 0;
  #isBanner = true;
  #isOver = false;

  /** Calls `onFrame` for each frame that is complete now: its bytes, and the stream's offset behind it. */
  push(
    chunk: Buffer,
    isSealed: () => boolean,
    onFrame: (tag: number, raw: Buffer, end: number) => void,
  ): void {
    if (this.#isOver) return;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const sealed = !this.#isBanner && isSealed();
      const size = this.#sizeOf(sealed);
      if (size === 0 || this.#pending.length < size) return;
      const raw = this.#pending.subarray(0, size);
      this.#pending = this.#pending.subarray(size);
      this.#scanned += size;
      if (this.#isBanner) {
        this.#isBanner = false;
        continue;
      }
      const tag = sealed ? Tag.AuthSignature : raw[0]!;
      this.#isOver = tag === Tag.AuthSignature;
      onFrame(tag, raw, this.#scanned);
      if (this.#isOver) return;
    }
  }

  /** Bytes of the next frame, or 0 while too little of it is there to know. */
  #sizeOf(isSealed: boolean): number {
    const { length } = this.#pending;
    if (this.#isBanner) {
      return length < bannerHeadBytes ? 0 : bannerHeadBytes + this.#pending.readUInt16LE(8);
    }
    if (isSealed) return sealedSignatureBytes;
    if (length < preambleBytes) return 0;
    const payloadBytes = this.#pending.readUInt32LE(2);
    return preambleBytes + (payloadBytes === 0 ? 0 : payloadBytes + segmentCrcBytes);
  }
}

/** One proxied connection. */
export class HandshakeConnection {
  readonly cut: FrameCut | undefined;
  /** Tags of the handshake's frames that passed. */
  readonly frames: Record<Direction, number[]> = { up: [], down: [] };
  readonly #chunks: Record<Direction, Buffer[]> = { up: [], down: [] };
  readonly #near: Socket;
  readonly #far: Socket;
  #isSealed = false;
  #isCut = false;

  constructor(near: Socket, far: Socket, cut: FrameCut | undefined) {
    this.cut = cut;
    this.#near = near;
    this.#far = far;
    this.#pump(near, far, 'up');
    this.#pump(far, near, 'down');
  }

  /** Whether it broke where it was told to. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get isOver(): boolean {
    return this.#near.destroyed && this.#far.destroyed;
  }

  /** What passed in one direction so far. */
  bytes(direction: Direction): Buffer {
    return Buffer.concat(this.#chunks[direction]);
  }

  /** Breaks both sides now. */
  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    const scanner = new FrameScanner();
    let passed = 0;
    from.on('data', (chunk: Buffer) => {
      if (this.#isCut || to.destroyed) return;
      let end = chunk.length;
      scanner.push(
        chunk,
        () => this.#isSealed,
        (tag, raw, frameEnd) => {
          if (this.#isCut) return;
          this.frames[direction].push(tag);
          if (tag === Tag.AuthDone) this.#authDone(raw);
          if (this.cut?.direction !== direction || this.cut.after !== tag) return;
          this.#isCut = true;
          end = frameEnd - passed;
        },
      );
      passed += chunk.length;
      const piece = chunk.subarray(0, end);
      this.#chunks[direction].push(piece);
      if (!to.write(piece) && !this.#isCut) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      // The receiver reads all of it before it sees the end.
      if (this.#isCut) to.end(() => this.#destroy());
    });
    from.on('error', () => {});
    // What was sent before the end is still on its way.
    from.on('close', () => this.#isCut || to.destroySoon());
  }

  #authDone(raw: Buffer): void {
    const payload = raw.subarray(preambleBytes, raw.length - segmentCrcBytes);
    this.#isSealed = authDoneFrame.decode(payload).connectionMode === ConnectionMode.Secure;
  }

  #destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

export class HandshakeProxy implements AsyncDisposable {
  /** Where connections that come next break. Asked once for each, counted from 0. */
  nextCut: (index: number) => FrameCut | undefined = () => undefined;
  readonly address: SocketAddress;
  readonly connections: HandshakeConnection[] = [];
  readonly #server: Server;

  private constructor(server: Server, address: SocketAddress, target: SocketAddress) {
    this.#server = server;
    this.address = address;
    server.on('connection', (near) => {
      near.setNoDelay();
      const far = connect({ host: target.host, port: target.port, noDelay: true });
      const cut = this.nextCut(this.connections.length);
      this.connections.push(new HandshakeConnection(near, far, cut));
    });
  }

  /** Passes on to `target` what comes to `at`, by default a free port of 127.0.0.1. */
  static async start(
    target: SocketAddress,
    at: SocketAddress = { family: 4, host: '127.0.0.1', port: 0 },
  ): Promise<HandshakeProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: at.host, port: at.port }, resolve);
    });
    const { port } = server.address() as { port: number };
    return new HandshakeProxy(server, { ...at, port }, target);
  }

  /** The newest connection. */
  get last(): HandshakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error('nobody connected');
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.connections) connection.reset();
    await closed;
  }
}
