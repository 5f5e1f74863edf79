/** What users of the messenger see of a connection, be it to a peer or to the messenger itself. */
import type { EventEmitter } from 'node:events';
import type { AuthFacts } from '../auth/auth.ts';
import type { MsgrError } from '../errors.ts';
import type { ChannelCounters } from '../transport/channel.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import type { EntityName } from '../wire/entity-name.ts';
import type { DispatchLimits } from './dispatch-queue.ts';
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
  /** Where the socket in use comes from or goes to; `peerAddrs` is what the peer says of itself. */
  readonly remoteHost?: string | undefined;
  /** Whether the session has left its socket for memory that both ends share (`ms_shared_memory`). */
  readonly usesSharedMemory?: boolean;
  /** Feature bits both sides have; 0 before the first connect. */
  readonly features: bigint;
  /**
   * What authentication established on the socket in use, or on the last one: who an accepted peer proved to
   * be and what it may do, and whether the connection is encrypted. Undefined before the first time, and of
   * the loopback connection. `peerName` is what the peer says of itself; this is what it has proven.
   */
  readonly auth: AuthFacts | undefined;
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
  /**
   * Messages that wait until there is room to frame them. While it is 0, all that was sent has been copied and
   * is the sender's again, but for segments of 16 KiB and more, which may be lent.
   */
  readonly unframedCount: number;
  /**
   * For dispatchers that queue. Called from inside `dispatch` with the payload bytes of the message in hand:
   * it stays in the throttles of the dispatch queue and of the policy after `dispatch` has returned, and is
   * in those of `limits`, until the function that this gives is called.
   */
  hold(bytes: number, limits?: DispatchLimits): () => void;
  counters(): ConnectionCounters;
}

export interface ConnectionEvents {
  drain: [];
  /** The state changed; the cause is there when an error was it. */
  state: [state: ConnectionState, cause: MsgrError | undefined];
}

/** Totals of one connection, over all its sockets, and the depth of its queues. */
export interface ConnectionCounters extends ChannelCounters {
  /** Sockets that reached the session. */
  connects: number;
  /** Sockets that failed, for whatever reason. */
  faults: number;
  /** Sessions that ended with a reset or a remote reset. */
  resets: number;
  /** How often a full throttle stopped the reading. */
  throttleWaits: number;
  /** Messages given to `send` after the end. */
  messagesDropped: number;
  /** Of this moment: messages not yet sent or (lossless) not yet acknowledged. */
  queuedMessages: number;
  /** Of this moment: bytes that wait to be sent, framed or not. */
  queuedBytes: number;
  /** Of this moment: framed bytes that the peer has not acknowledged (lossless sessions). */
  unackedBytes: number;
}

export function noCounters(): ConnectionCounters {
  return {
    framesReceived: 0,
    framesSent: 0,
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    messagesReplayed: 0,
    duplicatesDropped: 0,
    connects: 0,
    faults: 0,
    resets: 0,
    throttleWaits: 0,
    messagesDropped: 0,
    queuedMessages: 0,
    queuedBytes: 0,
    unackedBytes: 0,
  };
}

/** Adds the counters that `sum` has. */
export function addCounters<Name extends string>(
  sum: Record<Name, number>,
  more: Readonly<Record<Name, number>>,
): void {
  for (const name of Object.keys(sum) as Name[]) sum[name] += more[name];
}
