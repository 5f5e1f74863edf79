/** The session with the one monitor that was found: its connection, and whether it still lives. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection, ConnectionState } from '../../messenger/connection.ts';
import type { Message } from '../../messenger/message.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { LifeWatch } from './life-watch.ts';
import type { Monitor } from './monitors.ts';

export interface MonSessionInit {
  readonly monitor: Monitor;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly options: Options;
  isAnswerDue(): boolean;
  onAlive(livedMs: number): void;
  /** The connection broke, or the monitor fell silent. Not for {@link MonSession.close}. */
  onLost(cause: MsgrError): void;
}

export class MonSession {
  readonly monitor: Monitor;
  readonly connection: Connection;
  readonly #init: MonSessionInit;
  readonly #startedMs: number;
  readonly #watch: LifeWatch;

  constructor(init: MonSessionInit) {
    this.#init = init;
    this.monitor = init.monitor;
    this.connection = init.connection;
    this.#startedMs = init.clock.nowMs();
    this.#watch = new LifeWatch({
      connection: init.connection,
      clock: init.clock,
      options: init.options,
      isAnswerDue: init.isAnswerDue,
      onSilence: init.onLost,
      onAlive: () => init.onAlive(this.livedMs),
    });
    this.connection.on('state', this.#onState);
  }

  get livedMs(): number {
    return this.#init.clock.nowMs() - this.#startedMs;
  }

  /** Answers as `Connection.send`. */
  send(message: Message): boolean {
    const mayGoOn = this.connection.send(message);
    if (this.#init.isAnswerDue()) this.#watch.asked();
    return mayGoOn;
  }

  close(): void {
    this.#watch.stop();
    this.connection.off('state', this.#onState);
    this.connection.markDown();
  }

  readonly #onState = (state: ConnectionState, cause: MsgrError | undefined): void => {
    // A monitor's sessions are lossy: what is not open any more will not be the same session again.
    if (state === 'open') return;
    this.#init.onLost(cause ?? new MsgrError(ErrorCode.Closed, 'the connection was closed'));
  };
}
