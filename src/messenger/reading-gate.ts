/**
 * Which connections are not read from, and what each of them waits for. A connection is stopped when a
 * message of it meets a throttle that is full, and is read from again when every throttle that it met so
 * has had room since; the throttle itself calls, whoever made the room.
 */
import type { PeerConnection } from './peer-connection.ts';
import type { Throttle } from './throttle.ts';

export class ReadingGate {
  readonly #waits = new Map<PeerConnection, Set<Throttle>>();

  /** Stops reading the connection when the throttle is full. */
  check(connection: PeerConnection, throttle: Throttle | undefined): void {
    if (throttle === undefined || throttle.max === 0 || throttle.current < throttle.max) return;
    let throttles = this.#waits.get(connection);
    if (throttles === undefined) {
      throttles = new Set();
      this.#waits.set(connection, throttles);
      connection.pauseReading();
    }
    if (throttles.has(throttle)) return;
    throttles.add(throttle);
    throttle.onAvailable(() => this.#hadRoom(connection, throttle));
  }

  #hadRoom(connection: PeerConnection, throttle: Throttle): void {
    const throttles = this.#waits.get(connection)!;
    throttles.delete(throttle);
    if (throttles.size !== 0) return;
    this.#waits.delete(connection);
    connection.resumeReading();
  }
}
