/**
 * Tells whether a monitor still lives, by the bytes that come from it and by the monotonic clock.
 *
 * As Ceph's client does, a KEEPALIVE2 goes out every `mon_client_ping_interval`, and silence for
 * `mon_client_ping_timeout` ends the session. Thirty seconds are long for somebody who waits for an answer,
 * so a question (`asked()`) that meets silence for `mon_client_hunt_interval` has a KEEPALIVE2 sent at once,
 * and silence for as long again ends the session. A monitor that is merely slow to answer echoes the
 * keepalive from another thread and is waited for.
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
  /** Every `mon_client_ping_interval` that the monitor was heard in. */
  onAlive?(): void;
}

export class LifeWatch {
  readonly #init: LifeWatchInit;
  #bytes = -1;
  #heardMs: number;
  #pingTimer: unknown;
  #questionTimer: unknown;
  #isStopped = false;

  constructor(init: LifeWatchInit) {
    this.#init = init;
    this.#heardMs = init.clock.nowMs();
    this.#schedulePing();
  }

  /** A question was sent. */
  asked(): void {
    if (this.#isStopped || this.#questionTimer !== undefined) return;
    const { clock, options } = this.#init;
    this.#hear();
    const intervalMs = options.mon_client_hunt_interval * 1000;
    const askedMs = clock.nowMs();
    this.#questionTimer = clock.setTimeout(() => {
      if (this.#endQuestion(askedMs)) return;
      this.#init.connection.sendKeepalive();
      this.#questionTimer = clock.setTimeout(() => this.#whenRead(() => this.#judge(askedMs)), intervalMs);
    }, intervalMs);
  }

  stop(): void {
    this.#isStopped = true;
    const { clock } = this.#init;
    clock.clearTimeout(this.#pingTimer);
    clock.clearTimeout(this.#questionTimer);
  }

  /** When the monitor was last known to have sent something; looks now. */
  #hear(): number {
    const { clock, connection } = this.#init;
    const bytes = connection.counters().bytesReceived;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#heardMs = clock.nowMs();
    }
    return this.#heardMs;
  }

  /** Heard since, or nobody waits any more: the question is over, and the next one begins if there is one. */
  #endQuestion(askedMs: number): boolean {
    const isHeard = this.#hear() > askedMs;
    if (!isHeard && this.#init.isAnswerDue()) return false;
    this.#questionTimer = undefined;
    if (this.#init.isAnswerDue()) this.asked();
    return true;
  }

  #judge(askedMs: number): void {
    if (this.#endQuestion(askedMs)) return;
    const { mon_client_hunt_interval: seconds } = this.#init.options;
    this.#silence(`no answer for ${seconds} s and none to a keepalive for ${seconds} s more`);
  }

  #schedulePing(): void {
    const { clock, connection, options } = this.#init;
    this.#pingTimer = clock.setTimeout(() => {
      this.#whenRead(() => {
        const { mon_client_ping_timeout: timeout } = options;
        const silentMs = clock.nowMs() - this.#hear();
        if (timeout > 0 && silentMs > timeout * 1000) {
          this.#silence(
            `no sign of life for ${Math.round(silentMs / 1000)} s (mon_client_ping_timeout ${timeout} s)`,
          );
          return;
        }
        connection.sendKeepalive();
        if (silentMs <= options.mon_client_ping_interval * 1000) this.#init.onAlive?.();
        this.#schedulePing();
      });
    }, options.mon_client_ping_interval * 1000);
  }

  /**
   * After the sockets were read: this process may have stood still, and what the monitor said meanwhile
   * may still lie in the kernel.
   */
  #whenRead(run: () => void): void {
    this.#init.clock.setImmediate(() => {
      if (!this.#isStopped) run();
    });
  }

  #silence(reason: string): void {
    this.stop();
    const { connection, onSilence } = this.#init;
    onSilence(new MsgrError(ErrorCode.Timeout, reason, { peer: String(connection.peerAddrs) }));
  }
}
