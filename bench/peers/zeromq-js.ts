/**
 * zeromq.js: DEALER to DEALER, so that the same sockets carry stream and pings. A message is one frame, u16 type
 * and payload. Its `send` is a promise and one at a time; a loop here keeps the next messages ready for it.
 */
import { Buffer } from 'node:buffer';
import { Dealer } from 'zeromq';
import type { LinkEnds, LinkHandler } from '../../src/cli/bench/link.ts';
import { linkPeer } from '../peer.ts';

export const peers = [
  linkPeer(
    {
      name: 'zeromq.js',
      title: 'zeromq.js, DEALER',
      order: 32,
      scenarios: ['stream', 'requests', 'gc'],
      does: 'reconnects; no CRC, no acks: what a broken connection held is lost',
    },
    import.meta.url,
  ),
];

const headBytes = 2;
const waitingMax = 1000;
/** Bytes that may wait, as ms_send_high_water_mark. */
const waitingBytesMax = 1024 * 1024;

/** In each end's own queue. The default of 1000 would be a gigabyte of the largest, and made nothing faster. */
const queuedMax = 200;

class ZmqLink {
  readonly #socket: Dealer;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isSending = false;
  #isPaused = false;
  onDrain: () => void = () => {};

  constructor(socket: Dealer) {
    this.#socket = socket;
  }

  send(type: number, payload: Uint8Array): boolean {
    const message = Buffer.allocUnsafe(headBytes + payload.length);
    message.writeUInt16LE(type, 0);
    message.set(payload, headBytes);
    this.#waiting.push(message);
    this.#waitingBytes += message.length;
    if (!this.#isSending) void this.#sendAll();
    if (this.#waiting.length < waitingMax && this.#waitingBytes < waitingBytesMax) return true;
    this.#isPaused = true;
    return false;
  }

  async receiveAll(handler: LinkHandler<ZmqLink>): Promise<void> {
    for await (const [message] of this.#socket) {
      handler(message!.readUInt16LE(0), message!.subarray(headBytes), this);
    }
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const messages = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      for (const message of messages) await this.#socket.send(message);
      if (!this.#isPaused) continue;
      this.#isPaused = false;
      this.onDrain();
    }
    this.#isSending = false;
  }
}

class ZmqEnds implements LinkEnds<ZmqLink> {
  readonly #socket = new Dealer({ linger: 0, sendHighWaterMark: queuedMax, receiveHighWaterMark: queuedMax });

  async listen(handler: LinkHandler<ZmqLink>): Promise<string> {
    await this.#socket.bind('tcp://127.0.0.1:*');
    void new ZmqLink(this.#socket).receiveAll(handler);
    return this.#socket.lastEndpoint!;
  }

  async connect(address: string, handler: LinkHandler<ZmqLink>): Promise<ZmqLink> {
    this.#socket.connect(address);
    const link = new ZmqLink(this.#socket);
    void link.receiveAll(handler);
    return link;
  }

  send(link: ZmqLink, type: number, payload: Uint8Array): boolean {
    return link.send(type, payload);
  }

  onDrain(link: ZmqLink, listener: () => void): void {
    link.onDrain = listener;
  }

  async close(): Promise<void> {
    this.#socket.close();
  }
}

export function makeEnds(): LinkEnds<ZmqLink> {
  return new ZmqEnds();
}
