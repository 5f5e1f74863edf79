/**
 * node:net with a length prefix, written by hand and as well as one can: no CRC, no sequence numbers, no
 * acks, no reconnect. What is left when all that a messenger does is left out.
 *
 *      u32 length | u16 type | payload            little-endian, length counts the payload
 *
 * Small messages are gathered into one buffer per write, large ones are written without a copy.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { LinkEnds, LinkHandler } from '../../src/cli/bench/link.ts';
import { linkPeer } from '../peer.ts';

export const peers = [
  linkPeer(
    {
      name: 'node:net',
      title: 'node:net, length prefix, no CRC',
      order: 30,
      scenarios: ['stream', 'rotating', 'requests', 'gc', 'fan-in'],
      does: 'a length and a type; no CRC, no acks, no reconnect',
    },
    import.meta.url,
  ),
];

const headBytes = 6;
/** One write; what a handler or a loop sends in one go is gathered up to this. */
const gatherBytes = 256 * 1024;
/** Payloads from here on are written as they are. */
const gatherPayloadMax = 64 * 1024;

/** What the handler gets, as a user of a messenger does. */
class Received {
  readonly connection: NetLink;
  readonly type: number;
  readonly payload: Uint8Array;

  constructor(connection: NetLink, type: number, payload: Uint8Array) {
    this.connection = connection;
    this.type = type;
    this.payload = payload;
  }
}

class NetLink {
  readonly #socket: Socket;
  readonly #handler: LinkHandler<NetLink>;
  /** Filled from front to back; from `#unsent` to `#filled` waits to be written. Never written to twice. */
  #gather = Buffer.allocUnsafeSlow(gatherBytes);
  #unsent = 0;
  #filled = 0;
  #isFlushScheduled = false;
  /** The message whose end has not come yet: its head, then its payload. */
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  onDrain: () => void = () => {};

  constructor(socket: Socket, handler: LinkHandler<NetLink>) {
    this.#socket = socket;
    this.#handler = handler;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk as Buffer));
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
    });
  }

  send(type: number, payload: Uint8Array): boolean {
    const { length } = payload;
    const gathers = length < gatherPayloadMax;
    if (this.#filled + headBytes + (gathers ? length : 0) > gatherBytes) this.#turnBuffer();
    const gather = this.#gather;
    const at = this.#filled;
    gather[at] = length;
    gather[at + 1] = length >>> 8;
    gather[at + 2] = length >>> 16;
    gather[at + 3] = length >>> 24;
    gather[at + 4] = type;
    gather[at + 5] = type >>> 8;
    this.#filled = at + headBytes;
    if (gathers) {
      gather.set(payload, this.#filled);
      this.#filled += length;
    } else {
      this.#socket.cork();
      this.#flush();
      this.#socket.write(payload);
      this.#socket.uncork();
    }
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      process.nextTick(() => {
        this.#isFlushScheduled = false;
        this.#flush();
      });
    }
    return !this.#socket.writableNeedDrain;
  }

  #flush(): void {
    if (this.#filled === this.#unsent) return;
    this.#socket.write(this.#gather.subarray(this.#unsent, this.#filled));
    this.#unsent = this.#filled;
  }

  /** The socket keeps what it was given until it is sent, so a full buffer is left to it. */
  #turnBuffer(): void {
    this.#flush();
    this.#gather = Buffer.allocUnsafeSlow(gatherBytes);
    this.#unsent = 0;
    this.#filled = 0;
  }

  #receive(chunk: Buffer): void {
    let at = 0;
    const end = chunk.length;
    const { buffer, byteOffset } = chunk;
    while (at < end) {
      if (this.#payload !== undefined || this.#headFilled > 0 || end - at < headBytes) {
        at = this.#receivePart(chunk, at);
        continue;
      }
      const length = chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24);
      if (end - at < headBytes + length) {
        at = this.#receivePart(chunk, at);
        continue;
      }
      const type = chunk[at + 4]! | (chunk[at + 5]! << 8);
      this.#deliver(type, new Uint8Array(buffer, byteOffset + at + headBytes, length));
      at += headBytes + length;
    }
  }

  /** A message that does not lie in one chunk: gathers it piece by piece. Answers how far it came. */
  #receivePart(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#payload === undefined) {
      const count = Math.min(headBytes - this.#headFilled, chunk.length - at);
      chunk.copy(this.#head, this.#headFilled, at, at + count);
      this.#headFilled += count;
      at += count;
      if (this.#headFilled < headBytes) return at;
      this.#payload = Buffer.allocUnsafeSlow(this.#head.readUInt32LE(0));
      this.#payloadFilled = 0;
    }
    const payload = this.#payload;
    const count = Math.min(payload.length - this.#payloadFilled, chunk.length - at);
    chunk.copy(payload, this.#payloadFilled, at, at + count);
    this.#payloadFilled += count;
    if (this.#payloadFilled === payload.length) {
      this.#payload = undefined;
      this.#headFilled = 0;
      this.#deliver(this.#head.readUInt16LE(4), payload);
    }
    return at + count;
  }

  #deliver(type: number, payload: Uint8Array): void {
    const message = new Received(this, type, payload);
    this.#handler(message.type, message.payload, message.connection);
  }
}

class NetEnds implements LinkEnds<NetLink> {
  #server: Server | undefined;
  readonly #sockets: Socket[] = [];

  listen(handler: LinkHandler<NetLink>): Promise<string> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => void new NetLink(socket, handler));
      this.#server = server;
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(String((server.address() as { port: number }).port)));
    });
  }

  connect(address: string, handler: LinkHandler<NetLink>): Promise<NetLink> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port: Number(address) });
      this.#sockets.push(socket);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new NetLink(socket, handler)));
    });
  }

  send(link: NetLink, type: number, payload: Uint8Array): boolean {
    return link.send(type, payload);
  }

  onDrain(link: NetLink, listener: () => void): void {
    link.onDrain = listener;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
  }
}

export function makeEnds(): LinkEnds<NetLink> {
  return new NetEnds();
}
