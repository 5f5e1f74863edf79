/** Two transports with a connected pair of channels: the set-up of every conformance test. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Listener, Transport } from '../../src/transport/channel.ts';
import type { SocketAddress, SocketOptions } from '../../src/transport/socket.ts';
import { secretPair } from '../support/stream-secrets.ts';
import { withTimeout } from '../support/timeout.ts';
import { type RecordedChannel, Recorder } from './recorder.ts';

/** How the frames of every connection are protected. */
export type SceneMode = 'crc' | 'secure';

export const loopback: SocketAddress = { family: 4, host: '127.0.0.1', port: 0 };

/** What one test works with; closed after it, however it ends. */
export class Scene {
  readonly client: Transport;
  readonly server: Transport;
  readonly mode: SceneMode;
  readonly recorders: Recorder[] = [];
  #connections = 0;
  #accepted: RecordedChannel[] = [];
  #acceptWaiting: (() => void) | undefined;

  constructor(makeTransport: () => Transport, mode: SceneMode) {
    this.mode = mode;
    this.client = makeTransport();
    this.server = makeTransport();
  }

  recorder(): Recorder {
    const recorder = new Recorder();
    this.recorders.push(recorder);
    return recorder;
  }

  idle(transport: Transport = this.client): RecordedChannel {
    const events = this.recorder();
    return { channel: transport.createChannel(events), events };
  }

  listen(options: SocketOptions = {}, address: SocketAddress = loopback): Promise<Listener> {
    return this.server.listen(address, options, (channel) => {
      const events = this.recorder();
      channel.handler = events;
      this.#accepted.push({ channel, events });
      this.#acceptWaiting?.();
    });
  }

  async accepted(): Promise<RecordedChannel> {
    if (this.#accepted.length === 0) {
      await withTimeout(
        new Promise<void>((resolve) => {
          this.#acceptWaiting = resolve;
        }),
        5000,
        'an accepted channel',
      );
    }
    return this.#accepted.shift()!;
  }

  /** Connects an idle channel and waits for both ends, which in secure mode get secrets of their own. */
  async connect(
    near: RecordedChannel,
    listener: Listener,
    options: SocketOptions = {},
  ): Promise<RecordedChannel> {
    const far = await this.connectClear(near, listener, options);
    if (this.mode === 'secure') this.secure(near, far);
    return far;
  }

  /** The same without secrets. */
  async connectClear(
    near: RecordedChannel,
    listener: Listener,
    options: SocketOptions = {},
  ): Promise<RecordedChannel> {
    near.events.call(() => near.channel.connect(listener.address, options));
    const far = await this.accepted();
    await near.events.next('open');
    return far;
  }

  /** Gives both ends of a connection secrets that no other connection of the scene has. */
  secure(near: RecordedChannel, far: RecordedChannel): void {
    const { connector, acceptor } = secretPair(++this.#connections);
    near.events.call(() => near.channel.secure(connector));
    far.events.call(() => far.channel.secure(acceptor));
  }

  async pair(): Promise<{ near: RecordedChannel; far: RecordedChannel; listener: Listener }> {
    const listener = await this.listen();
    const near = this.idle();
    const far = await this.connect(near, listener);
    return { near, far, listener };
  }

  /** A pair in session. */
  async session(
    lossless = true,
  ): Promise<{ near: RecordedChannel; far: RecordedChannel; listener: Listener }> {
    const pair = await this.pair();
    pair.near.channel.startSession({ lossless });
    pair.far.channel.startSession({ lossless });
    return pair;
  }

  async close(): Promise<void> {
    await withTimeout(
      Promise.all([this.client.close(), this.server.close()]),
      5000,
      'both transports to close',
    );
    for (const recorder of this.recorders) {
      assert.equal(recorder.reentrant, [], 'no event fires from inside a call');
    }
  }
}

export interface ConformanceSuite {
  readonly mode: SceneMode;
  test(name: string, body: (scene: Scene) => Promise<void>): void;
  run(): void;
}

export function conformanceSuite(
  name: string,
  makeTransport: () => Transport,
  mode: SceneMode = 'crc',
): ConformanceSuite {
  const tests = suite(mode === 'crc' ? name : `${name}, ${mode} mode`);
  return {
    mode,
    test(title, body) {
      tests(title, async () => {
        const scene = new Scene(makeTransport, mode);
        try {
          await withTimeout(body(scene), 30_000, title);
        } finally {
          await scene.close();
        }
      });
    },
    run: () => tests.run(),
  };
}
