/**
 * Tells whether a monitor still lives, by the bytes that come from it and by the monotonic clock.
 *
 * As Ceph's client does, a KEEPALIVE2 goes out every `mon_client_ping_interval`, and when nothing has come
 * for `mon_client_ping_timeout` after one, the session ends. That is long for somebody who waits for an
 * answer, so a question (`asked()`) that meets silence for `mon_client_hunt_interval` has a KEEPALIVE2 sent at
 * once, and silence for as long again ends the session. A monitor that is merely slow to answer echoes the
 * keepalive from another thread, and is waited for.
 *
 * Silence counts only while this process runs: a timer that fires late tells that it stood still, and then
 * the monitor is asked anew.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';

export interface LifeWatchInit {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly options: Options;
  /** Whether somebody waits for an answer of this monitor. */
  isAnswerDue(): boolean;
  onSilence(error: MsgrError): void;
  /** Every `mon_client_ping_interval` in which the monitor was heard. */
  onAlive?(): void;
}

/** What is known while an answer is due. */
interface Listening {
  readonly bytes: number;
  /** When `bytes` was seen first. */
  readonly heardMs: number;
  /** When a keepalive went out since. */
  readonly probedMs: number | undefined;
}

const looksPerInterval = 4;

export class LifeWatch {
  readonly #init: LifeWatchInit;
  #bytes: number;
  /** When the first keepalive went out that nothing came after; undefined when there is none. */
  #unansweredMs: number | undefined;
  #pingTimer: unknown;
  #questionTimer: unknown;
  #isStopped = false;

  constructor(init: LifeWatchInit) {
    this.#init = init;
    this.#bytes = this.#bytesReceived();
    this.#schedulePing();
  }

  /** A question was sent. */
  asked(): void {
    if (this.#isStopped || this.#questionTimer !== undefined) return;
    const now = this.#init.clock.nowMs();
    this.#question({ bytes: this.#bytesReceived(), heardMs: now, probedMs: undefined });
  }

  stop(): void {
    this.#isStopped = true;
    const { clock } = this.#init;
    clock.clearTimeout(this.#pingTimer);
    clock.clearTimeout(this.#questionTimer);
  }

  #bytesReceived(): number {
    return this.#init.connection.counters().bytesReceived;
  }

  /** Looks a few times in each hunting interval, for as long as an answer is due. */
  #question({ bytes, heardMs, probedMs }: Listening): void {
    const { clock, connection, isAnswerDue, options } = this.#init;
    const seconds = options.mon_client_hunt_interval;
    const intervalMs = seconds * 1000;
    this.#questionTimer = this.#after(intervalMs / looksPerInterval, (isLate) => {
      this.#questionTimer = undefined;
      if (!isAnswerDue()) return;
      const now = clock.nowMs();
      const bytesNow = this.#bytesReceived();
      if (bytesNow !== bytes) {
        return this.#question({ bytes: bytesNow, heardMs: now, probedMs: undefined });
      }
      if (probedMs !== undefined && !isLate && now - probedMs >= intervalMs) {
        return this.#silence(`no answer for ${seconds} s, and none to a keepalive for ${seconds} s more`);
      }
      const mustProbe = probedMs === undefined ? now - heardMs >= intervalMs : isLate;
      if (mustProbe) connection.sendKeepalive();
      this.#question({ bytes, heardMs, probedMs: mustProbe ? now : probedMs });
    });
  }

  #schedulePing(): void {
    const { clock, connection, onAlive, options } = this.#init;
    const { mon_client_ping_interval: interval, mon_client_ping_timeout: timeout } = options;
    this.#pingTimer = this.#after(interval * 1000, (isLate) => {
      const bytes = this.#bytesReceived();
      if (bytes !== this.#bytes) {
        this.#bytes = bytes;
        this.#unansweredMs = undefined;
        onAlive?.();
      }
      const now = clock.nowMs();
      if (isLate || this.#unansweredMs === undefined) this.#unansweredMs = now;
      const silentMs = now - this.#unansweredMs;
      if (timeout > 0 && silentMs >= timeout * 1000) {
        const seconds = Math.round(silentMs / 1000);
        this.#silence(`no answer to keepalives for ${seconds} s (mon_client_ping_timeout ${timeout} s)`);
        return;
      }
      connection.sendKeepalive();
      this.#schedulePing();
    });
  }

  /**
   * Runs after so long, once the sockets were read: what the monitor said may lie in the kernel. `isLate`:
   * this process stood still for at least half that time.
   */
  #after(delayMs: number, run: (isLate: boolean) => void): unknown {
    const { clock } = this.#init;
    const dueMs = clock.nowMs() + delayMs;
    return clock.setTimeout(() => {
      const isLate = clock.nowMs() > dueMs + delayMs / 2;
      clock.setImmediate(() => {
        if (!this.#isStopped) run(isLate);
      });
    }, delayMs);
  }

  #silence(reason: string): void {
    this.stop();
    const { connection, onSilence } = this.#init;
    onSilence(new MsgrError(ErrorCode.Timeout, reason, { peer: String(connection.peerAddrs) }));
  }
}
