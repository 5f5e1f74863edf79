/** ws: WebSocket messages, binary, without compression. A message is u16 type and payload. */
import { Buffer } from 'node:buffer';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { LinkEnds, LinkHandler } from '../../src/cli/bench/link.ts';
import { linkPeer } from '../peer.ts';

export const peers = [
  linkPeer(
    {
      name: 'ws',
      title: 'ws',
      order: 31,
      scenarios: ['stream', 'requests', 'gc', 'fan-in'],
      does: 'message boundaries, the client masks its bytes; no CRC, no acks, no reconnect',
    },
    import.meta.url,
  ),
];

const headBytes = 2;
/** What may wait in a socket before `send` asks for a pause; as ms_send_high_water_mark. */
const highWaterBytes = 1024 * 1024;
const payloadMax = 256 * 1024 * 1024;

class WsLink {
  readonly #socket: WebSocket;
  #isPaused = false;
  onDrain: () => void = () => {};

  constructor(socket: WebSocket, handler: LinkHandler<WsLink>) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => handler(data.readUInt16LE(0), data.subarray(headBytes), this));
    socket.on('error', () => {});
  }

  send(type: number, payload: Uint8Array): boolean {
    const message = Buffer.allocUnsafe(headBytes + payload.length);
    message.writeUInt16LE(type, 0);
    message.set(payload, headBytes);
    if (this.#isPaused || this.#socket.bufferedAmount < highWaterBytes) {
      this.#socket.send(message);
      return !this.#isPaused;
    }
    this.#isPaused = true;
    this.#socket.send(message, () => {
      this.#isPaused = false;
      this.onDrain();
    });
    return false;
  }
}

class WsEnds implements LinkEnds<WsLink> {
  #server: WebSocketServer | undefined;
  readonly #sockets: WebSocket[] = [];

  listen(handler: LinkHandler<WsLink>): Promise<string> {
    return new Promise((resolve, reject) => {
      const server = new WebSocketServer({
        host: '127.0.0.1',
        port: 0,
        perMessageDeflate: false,
        maxPayload: payloadMax,
      });
      this.#server = server;
      server.on('connection', (socket) => void new WsLink(socket, handler));
      server.once('error', reject);
      server.once('listening', () => resolve(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`));
    });
  }

  connect(address: string, handler: LinkHandler<WsLink>): Promise<WsLink> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: payloadMax });
      this.#sockets.push(socket);
      socket.once('error', reject);
      socket.once('open', () => resolve(new WsLink(socket, handler)));
    });
  }

  send(link: WsLink, type: number, payload: Uint8Array): boolean {
    return link.send(type, payload);
  }

  onDrain(link: WsLink, listener: () => void): void {
    link.onDrain = listener;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#server?.close();
  }
}

export function makeEnds(): LinkEnds<WsLink> {
  return new WsEnds();
}
