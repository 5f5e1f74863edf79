/**
 * A channel's way out: what waits, in the order in which it leaves. Control bytes go first, then
 * messages; an acknowledgement that no message carries becomes an ACK frame of its own.
 *
 * It outlives sockets as its channel does; the link that it writes to is given with each call.
 */
import { Buffer } from 'node:buffer';
import { channelQueueBytesMax, unackedBytesMax } from '../../limits.ts';
import { Tag } from '../../wire/frames/tag.ts';
import type { ChannelCounters, OutgoingMessage } from '../channel.ts';
import type { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import type { SendSlabPool } from './send-slab.ts';
import type { StreamLink } from './stream-link.ts';

/** Bytes given to the stream at once; the last message may go beyond. */
const writeBytesMax = 1024 * 1024;

/**
 * Control bytes that wait because the peer does not read; beyond, only the newest KEEPALIVE2 is answered,
 * so that a peer which only asks cannot make the queue grow.
 */
const keepaliveBacklogMax = 4096;

const ackBytes = 8;

export class Sender {
  readonly outbox: Outbox;
  /** The queue fell below half of its limit after having been at it; cleared by who tells the owner. */
  drainDue = false;
  /** The queue has been at its limit, and was not below half since. */
  #full = false;
  /** The stamp of the newest KEEPALIVE2 that is not answered. */
  #keepalive: Buffer | undefined;
  /** Messages of the present session stay until they are acknowledged. */
  #lossless = false;
  readonly #inbox: Inbox;
  readonly #counters: ChannelCounters;

  constructor(pool: SendSlabPool, inbox: Inbox, counters: ChannelCounters) {
    this.outbox = new Outbox(pool);
    this.#inbox = inbox;
    this.#counters = counters;
  }

  /** Framed bytes that are not with the system yet. */
  queuedBytes(link: StreamLink | undefined): number {
    return this.outbox.waitingBytes + (link === undefined ? 0 : link.queuedBytes);
  }

  append(message: OutgoingMessage): number {
    const inbox = this.#inbox;
    const bytes = this.outbox.append(message, inbox.seqLow, inbox.seqHigh);
    inbox.told();
    return bytes;
  }

  /** Queues a control frame; without nonces for it the link has failed, and its owner is to look. */
  control(link: StreamLink, tag: number, payload: Uint8Array): void {
    if (link.mode.isUsedUp) return link.usedUp();
    link.queue(link.mode.assembleControl(tag, payload));
    this.#counters.framesSent++;
  }

  /** Answers a KEEPALIVE2 at the next flush. */
  echoKeepalive(link: StreamLink, stamp: Buffer): void {
    if (link.controlBytes <= keepaliveBacklogMax) this.#answerKeepalive(link);
    this.#keepalive = Buffer.from(stamp);
  }

  startSession(lossless: boolean): void {
    this.#lossless = lossless;
    // The handshake told the peer what was received.
    this.#inbox.told();
  }

  /** The link is gone: what it carried is to be sent again. */
  detach(): void {
    this.#keepalive = undefined;
    this.outbox.rewind();
  }

  /** Writes until nothing waits or the stream takes no more. Messages leave in session only. */
  flush(link: StreamLink, inSession: boolean): void {
    while (!link.blocked) {
      this.#answerKeepalive(link);
      if (inSession && this.#lossless && this.#inbox.untold) this.#acknowledge(link);
      let byteLength = link.controlBytes;
      const pieces = link.takeControl();
      if (inSession && this.outbox.waitingCount > 0) byteLength += this.#gather(link, pieces);
      if (pieces.length === 0) return;
      this.#counters.bytesSent += byteLength;
      if (link.write(pieces, byteLength)) this.written();
    }
  }

  /** The stream is done with what `flush` gave it. */
  written(): void {
    this.outbox.written(this.#lossless);
  }

  /** Compares the queue with its limit; to be called when it may have grown or shrunk. */
  noteLevel(link: StreamLink | undefined): void {
    const queuedBytes = this.queuedBytes(link);
    if (queuedBytes >= channelQueueBytesMax) {
      this.#full = true;
      this.drainDue = false;
    } else if (this.#full && queuedBytes < channelQueueBytesMax / 2) {
      this.#full = false;
      this.drainDue = true;
    }
  }

  #gather(link: StreamLink, pieces: Uint8Array[]): number {
    const { outbox } = this;
    const waiting = outbox.waitingCount;
    const unackedMax = this.#lossless ? unackedBytesMax : Number.POSITIVE_INFINITY;
    const byteLength = outbox.gather(pieces, writeBytesMax, unackedMax, link.mode);
    const gathered = waiting - outbox.waitingCount;
    this.#counters.messagesSent += gathered;
    this.#counters.framesSent += gathered;
    return byteLength;
  }

  #acknowledge(link: StreamLink): void {
    const seq = Buffer.allocUnsafe(ackBytes);
    seq.writeUInt32LE(this.#inbox.seqLow, 0);
    seq.writeUInt32LE(this.#inbox.seqHigh, 4);
    this.control(link, Tag.Ack, seq);
    this.#inbox.told();
  }

  #answerKeepalive(link: StreamLink): void {
    if (this.#keepalive === undefined) return;
    this.control(link, Tag.Keepalive2Ack, this.#keepalive);
    this.#keepalive = undefined;
  }
}
