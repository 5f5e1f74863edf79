/**
 * All connections of a messenger: those that can be found by their peer's address, and those that stand
 * alone (anonymous ones, and accepted ones of a stateless server).
 */
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import type { PeerConnection } from './peer-connection.ts';

export class ConnectionTable implements Iterable<PeerConnection> {
  /** With the key it was entered under; the peer may tell more addresses later. */
  readonly #all = new Map<PeerConnection, string>();
  readonly #byAddrs = new Map<string, PeerConnection>();

  get size(): number {
    return this.#all.size;
  }

  add(connection: PeerConnection): void {
    const { key } = connection.peerAddrs;
    this.#all.set(connection, key);
    if (!connection.isAnonymous) this.#byAddrs.set(key, connection);
  }

  find(addrs: EntityAddrVec): PeerConnection | undefined {
    return this.#byAddrs.get(addrs.key);
  }

  remove(connection: PeerConnection): void {
    const key = this.#all.get(connection);
    if (key === undefined) return;
    this.#all.delete(connection);
    if (this.#byAddrs.get(key) === connection) this.#byAddrs.delete(key);
  }

  /** A snapshot: connections may come and go while it is walked. */
  [Symbol.iterator](): Iterator<PeerConnection> {
    return [...this.#all.keys()][Symbol.iterator]();
  }
}
