/**
 * A channel's way in, once in session: frames of the link become records of the batch, acknowledgements
 * trim the outbox, keepalives are answered. What is left for the owner is told by the result.
 */

import type { Frame } from '../../wire/frame.ts';
import { Tag, tagName } from '../../wire/frames/tag.ts';
import { badFrame } from '../../wire/preamble.ts';
import type { ChannelCounters } from '../channel.ts';
import type { BatchTable } from './batch-table.ts';
import type { Inbox } from './inbox.ts';
import type { Sender } from './sender.ts';
import type { StreamLink } from './stream-link.ts';

/** Why `read` stopped. In each case the batch may hold messages, which came before it. */
export const ReadResult = {
  /** Bytes are missing, or the stream broke: `link.failure`. */
  End: 0,
  /** The batch is full. */
  Full: 1,
  /** The reader stands at a control frame for the owner. */
  Frame: 2,
} as const;
export type ReadResult = (typeof ReadResult)[keyof typeof ReadResult];

/** Bytes of a KEEPALIVE2 (a timestamp) and of an ACK (a sequence number). */
const stampBytes = 8;

/** Offsets in ceph_msg_header2. */
const seqOffset = 0;
const ackSeqOffset = 28;

export class Receiver {
  /** The peer acknowledged more; cleared by who tells the owner. */
  acknowledgedDue = false;
  /** Something is to be sent for what was received. */
  answerDue = false;
  readonly #batch: BatchTable;
  readonly #inbox: Inbox;
  readonly #sender: Sender;
  readonly #counters: ChannelCounters;
  #lossless = false;
  #ackedLow = 0;
  #ackedHigh = 0;

  constructor(batch: BatchTable, inbox: Inbox, sender: Sender, counters: ChannelCounters) {
    this.#batch = batch;
    this.#inbox = inbox;
    this.#sender = sender;
    this.#counters = counters;
  }

  /** The last that the peer acknowledged. */
  get ackedSeq(): bigint {
    return (BigInt(this.#ackedHigh) << 32n) | BigInt(this.#ackedLow);
  }

  startSession(lossless: boolean): void {
    this.#lossless = lossless;
  }

  resetSession(): void {
    this.#ackedLow = 0;
    this.#ackedHigh = 0;
    this.acknowledgedDue = false;
  }

  read(link: StreamLink, channelId: number, generation: number): ReadResult {
    const batch = this.#batch;
    const { frame } = link.reader;
    while (link.next()) {
      this.#counters.framesReceived++;
      if (frame.tag === Tag.Message) {
        if (!frame.aborted && this.#accept(frame)) batch.add(channelId, generation, frame);
        if (batch.full) return ReadResult.Full;
      } else if (frame.tag === Tag.Ack || frame.tag === Tag.Keepalive2) {
        this.#takeControl(link, frame);
        if (link.failure !== undefined) return ReadResult.End;
      } else return ReadResult.Frame;
    }
    return ReadResult.End;
  }

  /** False for a message that was received before. */
  #accept({ headView, headStart }: Frame): boolean {
    this.#peerHas(headView, headStart + ackSeqOffset);
    const at = headStart + seqOffset;
    // A duplicate is acknowledged too: its sender does not know that it arrived.
    if (this.#lossless) this.answerDue = true;
    if (!this.#inbox.accept(headView.getUint32(at, true), headView.getUint32(at + 4, true))) {
      this.#counters.duplicatesDropped++;
      return false;
    }
    this.#counters.messagesReceived++;
    return true;
  }

  #takeControl(link: StreamLink, frame: Frame): void {
    const length = frame.preamble.lengths[0]!;
    if (length !== stampBytes) {
      link.fail(badFrame(tagName(frame.tag), `has ${length} bytes, not ${stampBytes}`));
    } else if (frame.tag === Tag.Ack) {
      this.#peerHas(frame.headView, frame.headStart);
    } else {
      this.#sender.echoKeepalive(link, frame.payload());
      this.answerDue = true;
    }
  }

  /** Notes an acknowledgement; of many in a turn the last counts. */
  #peerHas(view: DataView, at: number): void {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (high < this.#ackedHigh || (high === this.#ackedHigh && low <= this.#ackedLow)) return;
    if (!this.#lossless) return;
    this.#ackedLow = low;
    this.#ackedHigh = high;
    this.acknowledgedDue = true;
    const { outbox } = this.#sender;
    outbox.acknowledge(high * 0x1_0000_0000 + low);
    // What waited for acknowledgements may leave now.
    if (outbox.waitingCount > 0) this.answerDue = true;
  }
}
