/**
 * What a benchmark needs of a messenger: two ends, one of which listens. Everything in a run that is
 * written in JavaScript stands behind this interface, so that all of them are driven and counted by the
 * same loops (server-role.ts, client-role.ts), in processes of their own.
 */

/** Kinds of messages on a link. As msgr2 types they are numbers of a user's own, above all of Ceph's. */
export const BenchType = {
  /** Counted by the server. */
  Data: 0x1001,
  /** Answered by Pong. */
  Ping: 0x1002,
  Pong: 0x1003,
  /** Counters to zero; the payload is two u32: the size of the answers to come, and how many End there will be. */
  Start: 0x1004,
  /** The last one of a connection; after that of each the server says what it counted. */
  End: 0x1005,
  /** Answers Start: nothing is sent before, as connections beside this one have an order of their own. */
  Started: 0x1006,
} as const;

/** First byte of every Data payload, so that the reader's sum proves what it read. */
export const dataByte = 0x5a;

/** Called for every message. The payload is valid until it returns. */
export type LinkHandler<Connection> = (type: number, payload: Uint8Array, connection: Connection) => void;

/** Both ends of one kind of link; an instance plays one of the two parts. */
export interface LinkEnds<Connection> {
  /** Listens on loopback; resolves with the address for `connect`, in whatever form it has there. */
  listen(handler: LinkHandler<Connection>): Promise<string>;
  /** Resolves when messages flow. Each call makes a connection of its own, where the link can have several. */
  connect(address: string, handler: LinkHandler<Connection>): Promise<Connection>;
  /** Makes one message of the payload, which is never changed afterwards, and sends it. False: wait for `onDrain`. */
  send(connection: Connection, type: number, payload: Uint8Array): boolean;
  /** The one listener for the end of a pause that `send` asked for. */
  onDrain(connection: Connection, listener: () => void): void;
  close(): Promise<void>;
}

/** What a module exports that a bench process can load: see child.ts. */
export interface LinkModule {
  makeEnds(options: unknown): LinkEnds<unknown> | Promise<LinkEnds<unknown>>;
}
