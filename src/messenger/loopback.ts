/**
 * The connection of a messenger to itself: what is sent arrives through the same dispatch, without a
 * byte on any wire. Its messages are never throttled, as in Ceph.
 */
import { EventEmitter } from 'node:events';
import { Field, recordFields } from '../transport/message-batch.ts';
import { EntityAddrVec } from '../wire/entity-addrvec.ts';
import type { EntityName } from '../wire/entity-name.ts';
import { supportedDefault } from '../wire/features.ts';
import {
  type Connection,
  type ConnectionCounters,
  type ConnectionEvents,
  type ConnectionState,
  noCounters,
} from './connection.ts';
import type { DispatchLimits } from './dispatch-queue.ts';
import { type Message, ReceivedMessage } from './message.ts';
import type { Messenger } from './messenger.ts';
import { type RequestOptions, RequestTable } from './requests.ts';

export class LoopbackConnection extends EventEmitter<ConnectionEvents> implements Connection {
  readonly isLoopback = true;
  readonly auth = undefined;
  readonly features = supportedDefault;
  readonly #messenger: Messenger;
  readonly #requests: RequestTable;
  #seq = 0;
  #bytes = 0;
  #lastKeepaliveAck = 0;
  priv: unknown;

  constructor(messenger: Messenger) {
    super();
    this.#messenger = messenger;
    this.#requests = new RequestTable(messenger, (request) =>
      this.#messenger.deliverOne(undefined, this.#receive(request)),
    );
  }

  get state(): ConnectionState {
    return this.#messenger.isShutDown ? 'closed' : 'open';
  }

  get isConnected(): boolean {
    return this.state === 'open';
  }

  get peerName(): EntityName {
    return this.#messenger.name;
  }

  get peerAddrs(): EntityAddrVec {
    return this.#messenger.myAddrs ?? new EntityAddrVec();
  }

  get queuedBytes(): number {
    return 0;
  }

  get unframedCount(): number {
    return 0;
  }

  get lastKeepaliveAck(): number {
    return this.#lastKeepaliveAck;
  }

  send(message: Message | ReceivedMessage): boolean {
    if (this.state === 'closed') return false;
    const received = this.#receive(message);
    if (this.#requests.size !== 0 && this.#isReply(message) && this.#requests.settle(received)) return true;
    this.#messenger.deliverOne(undefined, received);
    return true;
  }

  /** A request comes back to its own sender first; only what its handler answers is the reply. */
  request(message: Message, options: RequestOptions = {}): Promise<ReceivedMessage> {
    return this.#requests.start(message, options);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  sendKeepalive(): void {
    this.#lastKeepaliveAck = Date.now();
  }

  /** The loopback connection lives as long as its messenger. */
  markDown(): void {}

  counters(): ConnectionCounters {
    return {
      ...noCounters(),
      messagesReceived: this.#seq,
      messagesSent: this.#seq,
      bytesReceived: this.#bytes,
      bytesSent: this.#bytes,
      connects: 1,
    };
  }

  hold(bytes: number, limits?: DispatchLimits): () => void {
    return this.#messenger.dispatchQueue.hold(bytes, limits);
  }

  #isReply(message: Message | ReceivedMessage): boolean {
    return (message.tidLow | message.tidHigh) !== 0;
  }

  /** Copies the payload, as a wire would: the sender may go on to use its buffers. */
  #receive(message: Message | ReceivedMessage): ReceivedMessage {
    const { front, middle, data } = message;
    const slab = new ArrayBuffer(message.byteLength);
    const bytes = new Uint8Array(slab);
    bytes.set(front, 0);
    bytes.set(middle, front.byteLength);
    bytes.set(data, front.byteLength + middle.byteLength);
    this.#seq++;
    this.#bytes += message.byteLength;
    const record = new Int32Array(recordFields);
    record[Field.typeAndPriority] = message.type | (message.priority << 16);
    record[Field.versions] = message.version | (message.compatVersion << 16);
    record[Field.tidLow] = message.tidLow;
    record[Field.tidHigh] = message.tidHigh;
    record[Field.seqLow] = this.#seq;
    record[Field.frontLength] = front.byteLength;
    record[Field.middleOffset] = front.byteLength;
    record[Field.middleLength] = middle.byteLength;
    record[Field.dataOffset] = front.byteLength + middle.byteLength;
    record[Field.dataLength] = data.byteLength;
    return new ReceivedMessage(this, record, 0, slab);
  }
}
