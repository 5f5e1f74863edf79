/** What users of the messenger see of a connection, be it to a peer or to the messenger itself. */
import type { EventEmitter } from 'node:events';
import type { MsgrError } from '../errors.ts';
import type { ChannelCounters } from '../transport/channel.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import type { EntityName } from '../wire/entity-name.ts';
import type { Message, ReceivedMessage } from './message.ts';
import type { RequestOptions } from './requests.ts';

/** Where a connection stands; drawn above `PeerConnection`. */
export type ConnectionState = 'connecting' | 'open' | 'backoff' | 'wait' | 'standby' | 'closed';

/** What a user of the messenger may do with a connection, to a peer or to itself. */
export interface Connection extends EventEmitter<ConnectionEvents> {
  readonly state: ConnectionState;
  readonly isConnected: boolean;
  /** The peer's entity type and number; the number is known once connected. */
  readonly peerName: EntityName;
  readonly peerAddrs: EntityAddrVec;
  /** Feature bits both sides have; 0 before the first connect. */
  readonly features: bigint;
  /** Whether this is the messenger's own loopback connection. */
  readonly isLoopback: boolean;
  /** Free for the user; the messenger never touches it. */
  priv: unknown;
  /**
   * Queues a message; it leaves when the peer is connected, in order within its priority. Answers false
   * when more than `ms_send_high_water_mark` bytes wait: `'drain'` says when to go on. On a closed
   * connection the message is dropped and counted, and the answer is false.
   */
  send(message: Message | ReceivedMessage): boolean;
  /**
   * Sends a message with a fresh transaction id and resolves with the message that carries it back.
   * Rejects with ERR_MSGR_TIMEOUT, ERR_MSGR_ABORTED, ERR_MSGR_CLOSED or ERR_MSGR_SESSION_RESET.
   */
  request(message: Message, options?: RequestOptions): Promise<ReceivedMessage>;
  /** Resolves when `send` may go on; at once when nothing holds it. Rejects when the connection closes. */
  drained(): Promise<void>;
  /** Asks the peer for a sign of life; `lastKeepaliveAck` then moves. */
  sendKeepalive(): void;
  /** Wall clock of the last KEEPALIVE2 that the peer answered, in ms; 0 before. */
  readonly lastKeepaliveAck: number;
  /** Ends the connection at once, without a reset event; what was not sent is dropped. */
  markDown(): void;
  /** Bytes that wait to be sent, framed or not. */
  readonly queuedBytes: number;
  counters(): ConnectionCounters;
}

export interface ConnectionEvents {
  drain: [];
  /** The state changed; the cause is there when an error was it. */
  state: [state: ConnectionState, cause: MsgrError | undefined];
}

/** Totals of one connection, over all its sockets. */
export interface ConnectionCounters extends ChannelCounters {
  /** Sockets that reached the session. */
  connects: number;
  /** Sockets that failed, for whatever reason. */
  faults: number;
  /** Messages given to `send` after the end. */
  messagesDropped: number;
}
