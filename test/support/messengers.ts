/** Messengers for tests: made on any transport, shut down together, with a dispatcher that remembers. */
import type { Connection } from '../../src/messenger/connection.ts';
import type { Dispatcher } from '../../src/messenger/dispatcher.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { Messenger, type MessengerInit } from '../../src/messenger/messenger.ts';
import { nativeAvailable } from '../../src/native.ts';
import { withTimeout } from './timeout.ts';

export type TestTransport = 'async' | 'simple';

/**
 * Ports of this process alone. A messenger takes the first free port of its range, so test files that run side
 * by side would take over each other's as soon as they are released, and where a test expects nobody somebody
 * would answer. Processes that run together have numbers near each other, and so ranges of their own; they lie
 * above Ceph's (6800 to 7568) and below the system's own choice (32768).
 */
const portsPerProcess = 100;
const testPortMin = 8_000 + (process.pid % 240) * portsPerProcess;
const testPorts = { ms_bind_port_min: testPortMin, ms_bind_port_max: testPortMin + portsPerProcess - 1 };

/** Both, or `simple` alone where the native core is not built (CI requires it: MSGR2_NATIVE=force). */
export function testTransports(): TestTransport[] {
  return nativeAvailable() || process.env.MSGR2_NATIVE === 'force' ? ['async', 'simple'] : ['simple'];
}

/** Keeps what it is given, and answers waits for it. */
export class Recorder implements Dispatcher {
  readonly messages: ReceivedMessage[] = [];
  readonly events: string[] = [];
  lastConnection: Connection | undefined;
  /** Called for each message after it was kept. */
  onMessage: ((message: ReceivedMessage) => void) | undefined;
  readonly #waits = new Set<() => void>();

  dispatch(message: ReceivedMessage): boolean {
    this.messages.push(message);
    this.lastConnection = message.connection;
    this.onMessage?.(message);
    this.#changed();
    return true;
  }

  handleConnect(connection: Connection): void {
    this.#event('connect', connection);
  }

  handleAccept(connection: Connection): void {
    this.#event('accept', connection);
  }

  handleReset(connection: Connection): boolean {
    this.#event('reset', connection);
    return true;
  }

  handleRemoteReset(connection: Connection): void {
    this.#event('remoteReset', connection);
  }

  handleRefused(connection: Connection): boolean {
    this.#event('refused', connection);
    return true;
  }

  count(event: string): number {
    return this.events.filter((other) => other === event).length;
  }

  until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waits.delete(check);
        resolve();
      };
      this.#waits.add(check);
      check();
    });
    return withTimeout(reached, ms, what);
  }

  untilMessages(count: number, ms?: number): Promise<void> {
    return this.until(() => this.messages.length >= count, `${count} messages`, ms);
  }

  untilEvent(event: string, count = 1, ms?: number): Promise<void> {
    return this.until(() => this.count(event) >= count, `event ${event}`, ms);
  }

  #event(event: string, connection: Connection): void {
    this.events.push(event);
    this.lastConnection = connection;
    this.#changed();
  }

  #changed(): void {
    for (const check of [...this.#waits]) check();
  }
}

/** The messengers of one test; `await using` shuts them down. */
export class Messengers implements AsyncDisposable {
  readonly #all: Messenger[] = [];
  readonly transport: TestTransport;

  constructor(transport: TestTransport) {
    this.transport = transport;
  }

  create(init: MessengerInit): Messenger {
    const { options } = init;
    const messenger = Messenger.create({
      transport: this.transport,
      ...init,
      options: { ...testPorts, ...options },
    });
    this.#all.push(messenger);
    return messenger;
  }

  /** Bound to a free port of 127.0.0.1 and started, with a recorder. */
  async server(init: MessengerInit): Promise<{ messenger: Messenger; recorder: Recorder }> {
    const messenger = this.create(init);
    const recorder = new Recorder();
    messenger.addDispatcherTail(recorder);
    await messenger.bind('v2:127.0.0.1:0');
    messenger.start();
    return { messenger, recorder };
  }

  client(init: MessengerInit): { messenger: Messenger; recorder: Recorder } {
    const messenger = this.create(init);
    const recorder = new Recorder();
    messenger.addDispatcherTail(recorder);
    messenger.start();
    return { messenger, recorder };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((messenger) => messenger.shutdown()));
  }
}
