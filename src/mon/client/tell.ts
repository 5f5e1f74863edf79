/**
 * A command to one monitor, as `ceph tell mon.a` sends it: over a connection of its own, whatever monitor
 * the session is with. Tried again, over another connection, `mon_client_directed_command_retry` times when
 * the monitor cannot be reached or the connection breaks; so it may reach the monitor more than once.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection, ConnectionState } from '../../messenger/connection.ts';
import type { Message } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { EntityType } from '../../wire/entity-name.ts';
import { isRefusal } from './hunt.ts';
import { LifeWatch } from './life-watch.ts';
import { type Monitor, monitorText } from './monitors.ts';

export interface TellInit {
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly options: Options;
  readonly monitor: Monitor;
  readonly message: () => Message;
  /** All attempts failed. */
  onFailed(error: MsgrError): void;
}

export class Tell {
  readonly #init: TellInit;
  #connection: Connection | undefined;
  #watch: LifeWatch | undefined;
  #timer: unknown;
  #attempts = 0;
  #isStopped = false;

  constructor(init: TellInit) {
    this.#init = init;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  start(): void {
    this.#attempts++;
    const { clock, message, messenger, monitor, options } = this.#init;
    let connection: Connection;
    try {
      connection = messenger.getConnection(monitor.addrs, { peerType: EntityType.Mon, isAnonymous: true });
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      return this.#fail(error);
    }
    this.#connection = connection;
    connection.on('state', this.#onState);
    connection.send(message());
    const { mon_client_hunt_interval: seconds } = options;
    this.#timer = clock.setTimeout(() => {
      this.#again(new MsgrError(ErrorCode.Timeout, `no session within ${seconds} s`));
    }, seconds * 1000);
  }

  stop(): void {
    this.#isStopped = true;
    this.#hangUp();
  }

  readonly #onState = (state: ConnectionState, cause: MsgrError | undefined): void => {
    if (state === 'open') {
      const { clock, options } = this.#init;
      clock.clearTimeout(this.#timer);
      this.#watch = new LifeWatch({
        connection: this.#connection!,
        clock,
        options,
        isAnswerDue: () => true,
        onSilence: (error) => this.#again(error),
      });
      this.#watch.asked();
    } else if (state === 'closed') {
      this.#again(cause ?? new MsgrError(ErrorCode.Closed, 'the connection was closed'));
    } else if (state === 'backoff' && cause !== undefined && isRefusal(cause)) {
      this.#again(cause);
    }
  };

  #again(error: MsgrError): void {
    this.#hangUp();
    if (this.#isStopped) return;
    if (isRefusal(error) || this.#attempts > this.#init.options.mon_client_directed_command_retry) {
      return this.#fail(error);
    }
    this.#init.clock.setImmediate(() => {
      if (!this.#isStopped) this.start();
    });
  }

  #fail(cause: MsgrError): void {
    this.#isStopped = true;
    const { monitor, onFailed } = this.#init;
    onFailed(
      new MsgrError(cause.code, `${monitorText(monitor)} cannot be asked: ${cause.message}`, {
        cause,
        peer: String(monitor.target),
      }),
    );
  }

  #hangUp(): void {
    this.#init.clock.clearTimeout(this.#timer);
    this.#watch?.stop();
    this.#watch = undefined;
    this.#connection?.off('state', this.#onState);
    this.#connection?.markDown();
    this.#connection = undefined;
  }
}
