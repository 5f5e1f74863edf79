/**
 * What a user of the messenger implements: a chain of dispatchers sees every message and every event.
 * All methods are optional, so that a dispatcher says only what it cares for. Names and order are Ceph's.
 */
import type { Connection } from './connection.ts';
import type { ReceivedMessage } from './message.ts';

export interface Dispatcher {
  /**
   * True: a message and its payload are read only until the handler returns, so both may be used again at once:
   * who keeps the object finds another message in it. It holds for messages that are fast-dispatched; faster
   * by about a quarter.
   */
  readonly borrowsPayload?: boolean;
  /** True: `fastDispatch` takes it at once, in the loop turn it arrived in, before the queue. */
  canFastDispatch?(message: ReceivedMessage): boolean;
  fastDispatch?(message: ReceivedMessage): void;
  /** Seen for every message as it arrives, before it is queued. */
  fastPreprocess?(message: ReceivedMessage): void;
  /** From the queue, by priority. True: taken; the chain ends. A message that nobody takes is counted and dropped. */
  dispatch?(message: ReceivedMessage): boolean;
  /** This side's connect, or reconnect, succeeded. Goes to all. */
  handleConnect?(connection: Connection): void;
  /** A peer's connect, or reconnect, was accepted. Goes to all. */
  handleAccept?(connection: Connection): void;
  /** The connection is gone, and with it what it had not delivered. True ends the chain. Not for this side's own `markDown`. */
  handleReset?(connection: Connection): boolean | void;
  /** The peer lost our session: what it had not acknowledged may be lost. Goes to all. */
  handleRemoteReset?(connection: Connection): void;
  /** Nothing listens at the peer's address. True ends the chain. */
  handleRefused?(connection: Connection): boolean | void;
}
