/**
 * The way out of a connection: a message goes straight into the channel while that has room, else into a queue,
 * highest priority first, until it has.
 *
 *      send() ──► room left? ──► channel.send()                                  (nearly always)
 *                     │
 *                     └──► OutgoingQueue ── pump(): drained, acknowledged, open ──► channel.send()
 *
 * Three limits stop it: what one channel has as a backlog (`channelQueueBytesMax`), what its peer has not acknowledged
 * (`unackedBytesMax`, lossless only), and the sender's own high-water mark (`ms_send_high_water_mark`), at which
 * `send` answers false and `onDrained` is called once later.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import { channelQueueBytesMax, messageBytesMaxDefault, unackedBytesMax } from '../limits.ts';
import type { Channel } from '../transport/channel.ts';
import type { Message, ReceivedMessage } from './message.ts';
import { OutgoingQueue } from './outgoing-queue.ts';
import type { Policy } from './policy.ts';

/** The connection whose messages these are. */
export interface SendingConnection {
  readonly channel: Channel;
  readonly policy: Policy;
  /** In session: only then does the channel get messages. */
  readonly isConnected: boolean;
}

export class SendPath {
  readonly #connection: SendingConnection;
  readonly #highWaterMark: number;
  readonly #onDrained: () => void;
  readonly #waiting = new OutgoingQueue<Message | ReceivedMessage>();
  /**
   * Bytes that may go to the channel before it is asked for its figures again. Above 0 only while the
   * connection is open, nothing waits, and the next message is below every limit.
   */
  #room = 0;
  #mustDrain = false;

  /** `highWaterMark` in bytes. */
  constructor(connection: SendingConnection, highWaterMark: number, onDrained: () => void) {
    this.#connection = connection;
    this.#highWaterMark = highWaterMark;
    this.#onDrained = onDrained;
  }

  /** The next message goes straight into the channel, whose connection is open then. False says nothing. */
  get goesStraight(): boolean {
    return this.#room > 0;
  }

  /** Messages that wait before the channel. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Payload bytes that wait before the channel, and framed ones that wait in it. */
  get queuedBytes(): number {
    return this.#waiting.bytes + this.#connection.channel.queuedBytes;
  }

  /** The same, counted as the channel's backlog: what `send` answers by. */
  get #backlogBytes(): number {
    return this.#waiting.bytes + this.#connection.channel.backlogBytes;
  }

  /** `send` answered false, and `onDrained` was not called yet. */
  get mustDrain(): boolean {
    return this.#mustDrain;
  }

  /**
   * False: the sender is to wait for `onDrained`; the message is taken all the same.
   * @throws MsgrError ERR_MSGR_MESSAGE_TOO_LARGE when no frame can hold it; it is not taken.
   */
  send(message: Message | ReceivedMessage): boolean {
    const { channel } = this.#connection;
    if (this.#room > 0) {
      this.#room -= channel.send(message);
      if (this.#room > 0) return true;
    } else if (this.#waiting.length === 0 && this.#hasRoom()) {
      channel.send(message);
    } else {
      return this.#queue(message);
    }
    return this.#takeRoom();
  }

  /** Hands what waits to the channel, as far as that has room. */
  pump(): void {
    const { channel } = this.#connection;
    while (this.#waiting.length !== 0 && this.#hasRoom()) channel.send(this.#waiting.shift()!);
    // Below the channel's own limit nothing more is heard of it: what waits there must not hold the sender.
    const drainedBytes = Math.max(this.#highWaterMark / 2, channelQueueBytesMax);
    if (this.#mustDrain && this.#backlogBytes <= drainedBytes) {
      this.#mustDrain = false;
      this.#onDrained();
    }
  }

  /** The connection's state has changed: what the channel was found to have room for is void. */
  forgetRoom(): void {
    this.#room = 0;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Whether the channel takes a message now, when none waits before it. */
  #hasRoom(): boolean {
    const { isConnected, channel } = this.#connection;
    return (
      isConnected && channel.backlogBytes < channelQueueBytesMax && this.#unackedBytes() < unackedBytesMax
    );
  }

  /** What counts towards `unackedBytesMax`: in a lossy session nothing waits for the peer's word. */
  #unackedBytes(): number {
    const { policy, channel } = this.#connection;
    return policy.lossy ? 0 : channel.unackedBytes;
  }

  /** Asks the channel on behalf of the next many messages. False: the sender is to wait. */
  #takeRoom(): boolean {
    const { backlogBytes } = this.#connection.channel;
    const room = Math.min(
      channelQueueBytesMax - backlogBytes,
      this.#highWaterMark - backlogBytes,
      unackedBytesMax - this.#unackedBytes(),
    );
    // A small integer for as long as it lives.
    this.#room = Math.max(room, 0) | 0;
    if (backlogBytes < this.#highWaterMark) return true;
    this.#mustDrain = true;
    return false;
  }

  #queue(message: Message | ReceivedMessage): boolean {
    if (message.byteLength > messageBytesMaxDefault) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `a message of ${message.byteLength} bytes; a frame holds ${messageBytesMaxDefault}`,
      );
    }
    this.#waiting.push(message.priority, message.byteLength, message);
    this.#room = 0;
    if (this.#backlogBytes < this.#highWaterMark) return true;
    this.#mustDrain = true;
    return false;
  }
}
