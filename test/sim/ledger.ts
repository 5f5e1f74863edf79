/**
 * The oracle's book: every message that was given to a connection, and what became of it. It knows nothing
 * of how the messenger works, only what it promises:
 *
 *      lossless   arrives exactly once, in order within its priority, unharmed; after a reset of the session,
 *                 of which the sender was told, what was sent before it may be missing, and nothing else
 *      lossy      arrives at most once, in order, unharmed; what is missing was sent on a connection that
 *                 ended with a reset
 *
 * A *link* is one connection object of one process; a *session* is a link between two resets. A receiver
 * that itself marks a connection down has forgotten the session: a lossless peer without `resetCheck` then
 * sends again what was never acknowledged (as Ceph's OSDs do), so that such a receiver may see a message
 * twice, once in each of its sessions. Within one of its sessions never; but when one of the two keeps its
 * nonce over a restart, a late attempt of the dead one may end a session without either knowing.
 */
import { Buffer } from 'node:buffer';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { Message } from '../../src/messenger/message.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import type { Link } from './link.ts';

/** Message types of the simulation; what arrives as an answer is not answered. */
export const MessageKind = { plain: 0x900, answer: 0x901 } as const;
const frontBytes = 8;
const sizeMax = 64 * 1024;
const noiseStep = 7919;

/** Payloads are windows into this: any two messages differ, and none costs anything to make. */
const noise = makeNoise(4 * sizeMax);

function makeNoise(byteLength: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(byteLength);
  let state = 0x12345678;
  for (let at = 0; at < byteLength; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, at);
  }
  return bytes;
}

/** A receiver's session: its link, and how many resets that had seen. */
interface ReceiverSession {
  readonly link: Link;
  readonly epoch: number;
}

interface Entry {
  readonly id: number;
  readonly link: Link;
  readonly type: number;
  readonly priority: number;
  readonly size: number;
  /** Resets of the link when the message was given to it. */
  readonly epoch: number;
  /** Whose process is to get it: index of the entity, and the nonce of its incarnation. */
  readonly toEntity: number;
  readonly toNonce: number;
  /** Where it was received last, before it was dispatched. */
  arrival: ReceiverSession | undefined;
  /** Where it was dispatched last. */
  delivery: ReceiverSession | undefined;
}

/** The last message that was dispatched of a link's messages of one priority. */
interface Progress {
  id: number;
  session: ReceiverSession;
}

export interface LedgerTotals {
  sent: number;
  bytes: number;
  delivered: number;
  /** Missing, and allowed to be. */
  lostWithReset: number;
  /** Dispatched again to a receiver that had marked the connection down. */
  againAfterForgetting: number;
}

export class Ledger {
  readonly violations: string[] = [];
  readonly totals: LedgerTotals = {
    sent: 0,
    bytes: 0,
    delivered: 0,
    lostWithReset: 0,
    againAfterForgetting: 0,
  };
  readonly #entries: Entry[] = [];
  /** Those that were not dispatched yet. */
  readonly #open = new Set<Entry>();
  readonly #progress = new Map<Link, Map<number, Progress>>();

  /** A new message for a link, entered in the book. `size` is that of its data segment. */
  compose(
    link: Link,
    toEntity: number,
    toNonce: number,
    priority: number,
    size: number,
    type: number,
  ): Message {
    const id = this.#entries.length;
    const { resets } = link.connection;
    const entry: Entry = {
      id,
      link,
      type,
      priority,
      size,
      epoch: resets,
      toEntity,
      toNonce,
      arrival: undefined,
      delivery: undefined,
    };
    this.#entries.push(entry);
    this.#open.add(entry);
    this.totals.sent++;
    this.totals.bytes += size;
    const front = Buffer.allocUnsafe(frontBytes);
    front.writeUInt32LE(id, 0);
    front.writeUInt32LE(size, 4);
    // Some have their bytes in the middle, so that all segments are used.
    const payload = payloadOf(id, size);
    return new Message({
      type,
      priority,
      front,
      ...(id % 5 === 0 ? { middle: payload } : { data: payload }),
    });
  }

  /** The message was received on a link, before any queue. */
  arrived(link: Link, message: ReceivedMessage): void {
    const entry = this.#entryOf(message);
    if (entry === undefined) return;
    entry.arrival = { link, epoch: link.connection.resets };
  }

  /** The message is in the dispatcher's hands. Answers its id, or -1 for one that is not known. */
  dispatched(link: Link, message: ReceivedMessage): number {
    const entry = this.#entryOf(message);
    if (entry === undefined) {
      this.#violate(`unexpected: ${link.name} got a message of type ${message.type} that nobody sent`);
      return -1;
    }
    this.#checkContent(entry, link, message);
    this.#checkAddressee(entry, link);
    const session = entry.arrival;
    if (session === undefined || session.link !== link) {
      this.#violate(
        `unexpected: ${nameOf(entry)} was dispatched on ${link.name} without having arrived there`,
      );
      return entry.id;
    }
    // A session that is over has taken along what it had not delivered.
    if (hasEnded(session))
      this.#violate(`late: ${nameOf(entry)} was dispatched after the end of ${link.name}`);
    if (entry.delivery !== undefined) this.#again(entry, session);
    else {
      this.totals.delivered++;
      this.#open.delete(entry);
    }
    this.#checkOrder(entry, session);
    entry.delivery = session;
    return entry.id;
  }

  /**
   * Whether everything that must arrive has; what is missing with good reason is not waited for, nor what
   * was given to a connection that `mayWait`.
   */
  isComplete(mayWait: (connection: PeerConnection) => boolean): boolean {
    for (const entry of this.#open) {
      if (excuseOf(entry) === undefined && !mayWait(entry.link.connection)) return false;
    }
    return true;
  }

  /** Looks at every message, when nothing moves any more. */
  close(): void {
    for (const entry of this.#open) {
      if (excuseOf(entry) === undefined) {
        const where = entry.arrival === undefined ? '' : `, received on ${entry.arrival.link.name}`;
        this.#violate(`lost: ${nameOf(entry)}${where}, and nobody was told of a reset`);
      } else this.totals.lostWithReset++;
    }
  }

  #entryOf(message: ReceivedMessage): Entry | undefined {
    if (message.front.length !== frontBytes) return undefined;
    return this.#entries[message.front.readUInt32LE(0)];
  }

  #checkContent(entry: Entry, link: Link, message: ReceivedMessage): void {
    const payload = entry.id % 5 === 0 ? message.middle : message.data;
    const isRight =
      message.type === entry.type &&
      message.priority === entry.priority &&
      message.front.readUInt32LE(4) === entry.size &&
      message.byteLength === frontBytes + entry.size &&
      payload.equals(payloadOf(entry.id, entry.size));
    if (!isRight) this.#violate(`damaged: ${nameOf(entry)} on ${link.name}`);
  }

  #checkAddressee(entry: Entry, link: Link): void {
    const { process } = link;
    if (process.entity === entry.toEntity && process.nonce === entry.toNonce) {
      const { num } = link.connection.peerName;
      if (num === BigInt(entry.link.process.entity)) return;
    }
    this.#violate(`unexpected: ${nameOf(entry)} was dispatched on ${link.name}`);
  }

  #again(entry: Entry, session: ReceiverSession): void {
    if (this.#mayRepeat(entry, entry.delivery!, session)) this.totals.againAfterForgetting++;
    else
      this.#violate(`duplicate: ${nameOf(entry)} on ${entry.delivery!.link.name}, then ${session.link.name}`);
  }

  #checkOrder(entry: Entry, session: ReceiverSession): void {
    let byPriority = this.#progress.get(entry.link);
    if (byPriority === undefined) {
      byPriority = new Map();
      this.#progress.set(entry.link, byPriority);
    }
    const last = byPriority.get(entry.priority);
    if (last === undefined) {
      byPriority.set(entry.priority, { id: entry.id, session });
      return;
    }
    if (entry.id < last.id && !this.#mayRepeat(entry, last.session, session)) {
      this.#violate(`reorder: ${nameOf(entry)} on ${session.link.name} after message ${last.id}`);
    }
    last.id = entry.id;
    last.session = session;
  }

  /** Whether the receiver has forgotten the session `before`, and the sender repeats for those who do. */
  #mayRepeat({ link: { policy, process } }: Entry, before: ReceiverSession, now: ReceiverSession): boolean {
    if (policy.lossy || policy.resetCheck) return false;
    if (process.keepsNonce || now.link.process.keepsNonce) return true;
    if (before.link === now.link) return false;
    return before.link.markedDownBySelf || !before.link.process.isAlive;
  }

  #violate(text: string): void {
    this.violations.push(text);
  }
}

function payloadOf(id: number, size: number): Buffer {
  const offset = (id * noiseStep) % (noise.length - sizeMax);
  return noise.subarray(offset, offset + size);
}

function nameOf({ id, link, priority, size }: Entry): string {
  return `message ${id} (${size} bytes, priority ${priority}) of ${link.name}`;
}

/** Why a message may be missing; undefined when it may not. */
function excuseOf({ link, epoch, arrival }: Entry): string | undefined {
  const { resets } = link.connection;
  if (arrival !== undefined) {
    // It was received, and acknowledged perhaps: only its receiver can have dropped it.
    if (!hasEnded(arrival)) return undefined;
    if (arrival.link.markedDownBySelf || !arrival.link.process.isAlive) return 'forgotten by its receiver';
  }
  if (!link.process.isAlive) return 'its sender is gone';
  if (link.markedDownBySelf) return 'marked down by its sender';
  if (resets > epoch && link.resetEvents >= resets) return 'reset';
  return undefined;
}

function hasEnded({ link, epoch }: ReceiverSession): boolean {
  const { connection, process } = link;
  return !process.isAlive || connection.state === 'closed' || connection.resets > epoch;
}
