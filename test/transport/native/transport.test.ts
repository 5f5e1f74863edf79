/** What only the native transport has: its options, memory that is recycled, and two processes. */
import { fork } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import * as limits from '../../../src/limits.ts';
import { nativeAvailable } from '../../../src/native.ts';
import type { Channel, ChannelHandler, Transport } from '../../../src/transport/channel.ts';
import {
  createNativeTransport,
  type NativeTransportOptions,
} from '../../../src/transport/native/native-transport.ts';
import type { SocketAddress } from '../../../src/transport/socket.ts';
import { limited, withTimeout } from '../../support/timeout.ts';
import { frontView, outgoing, patternBytes, Recorder } from '../recorder.ts';

const loopback: SocketAddress = { family: 4, host: '127.0.0.1', port: 0 };

/** A lossless session of a transport with itself. */
async function selfSession(
  transport: Transport,
  farHandler: ChannelHandler,
): Promise<{ near: Channel; far: Channel; events: Recorder }> {
  const events = new Recorder();
  let accepted: (channel: Channel) => void;
  const isAccepted = new Promise<Channel>((resolve) => {
    accepted = resolve;
  });
  const listener = await transport.listen(loopback, {}, (channel) => {
    channel.handler = farHandler;
    channel.startSession({ lossless: true });
    accepted(channel);
  });
  const near = transport.createChannel(events);
  near.connect(listener.address, {});
  await events.next('open');
  near.startSession({ lossless: true });
  return { near, far: await isAccepted, events };
}

async function withTransport(
  options: NativeTransportOptions,
  use: (transport: Transport) => Promise<void>,
): Promise<void> {
  const transport = createNativeTransport(options);
  try {
    await use(transport);
  } finally {
    await transport.close();
  }
}

/** Keeps a view of each message's front, and answers `keeps`. */
class Keeper extends Recorder {
  readonly views: Uint8Array[] = [];

  constructor(readonly keeps: boolean) {
    super();
    this.copyMessages = false;
  }

  override onMessages(...what: Parameters<Recorder['onMessages']>): boolean {
    const [batch, first, end] = what;
    for (let index = first; index < end; index++) this.views.push(frontView(batch, index));
    super.onMessages(...what);
    return this.keeps;
  }
}

/** Calls back once, from the handler of the first messages. */
class OnFirstMessages extends Recorder {
  constructor(readonly onFirst: () => void) {
    super();
  }

  override onMessages(...what: Parameters<Recorder['onMessages']>): boolean {
    const isFirst = this.messageCount === 0;
    const keeps = super.onMessages(...what);
    if (isFirst) this.onFirst();
    return keeps;
  }
}

for (const threads of [0, 1] as const) {
  const where = threads === 0 ? 'inline' : 'threaded';

  test(
    `what a handler, its ticks and its promise jobs send arrives in this order: ${where}`,
    limited(10_000, () =>
      withTransport({ threads }, async (transport) => {
        const send = (text: string) => far.send(outgoing({ front: Buffer.from(text) }));
        const handler = new OnFirstMessages(() => {
          send('handler');
          process.nextTick(send, 'tick');
          Promise.resolve().then(() => send('job'));
        });
        const { near, far, events } = await selfSession(transport, handler);
        near.send(outgoing({ front: patternBytes(10) }));
        const answers = await events.nextMessages(3);
        assert.equal(
          answers.map(({ front }) => Buffer.from(front).toString()),
          ['handler', 'tick', 'job'],
        );
      }),
    ),
  );

  test(
    `ticks and promise jobs of a handler that closes the transport run before anything else: ${where}`,
    limited(10_000, () =>
      withTransport({ threads }, async (transport) => {
        const done: string[] = [];
        const ended = new Promise<void>((resolve) => {
          const handler = new OnFirstMessages(() => {
            setImmediate(() => resolve(void done.push('turn')));
            process.nextTick(() => done.push('tick'));
            transport.close().then(() => done.push('job'));
          });
          selfSession(transport, handler).then(({ near }) =>
            near.send(outgoing({ front: patternBytes(10) })),
          );
        });
        await ended;
        assert.equal(done, ['tick', 'job', 'turn']);
      }),
    ),
  );
}

test('the addon is there', () => assert.ok(nativeAvailable()));

test(
  'a receiver that keeps views but says it does not sees poison',
  limited(10_000, () =>
    withTransport({ poisonRecycled: true }, async (transport) => {
      const keeper = new Keeper(false);
      const { near } = await selfSession(transport, keeper);
      near.send(outgoing({ front: patternBytes(100) }));
      await keeper.settled(() => keeper.views.length === 1, 'the message');
      await keeper.settled(() => keeper.views[0]!.every((byte) => byte === 0xa5), 'poison');
      // The large frame had a slab of its own, which is taken back: its view is empty.
      near.send(outgoing({ front: patternBytes(2 * limits.slabBytes) }));
      await keeper.settled(() => keeper.views.length === 2, 'the large message');
      await keeper.settled(() => keeper.views[1]!.length === 0, 'the memory taken back');
    }),
  ),
);

test(
  'a receiver that says it keeps views keeps them, poison or not',
  limited(10_000, () =>
    withTransport({ poisonRecycled: true }, async (transport) => {
      const keeper = new Keeper(true);
      const { near, events } = await selfSession(transport, keeper);
      for (let index = 0; index < 50; index++) {
        near.send(outgoing({ front: patternBytes(index === 7 ? 3 * limits.slabBytes : 50_000, index) }));
      }
      await keeper.settled(() => keeper.views.length === 50, 'all messages');
      await events.settled(() => near.outboxCount === 0, 'all acknowledged');
      keeper.views.forEach((view, index) => {
        assert.ok(Buffer.compare(view, patternBytes(view.length, index)) === 0, `message ${index}`);
      });
    }),
  ),
);

test(
  'lent payloads are let go of when the peer has them, or when the session is reset',
  limited(10_000, () =>
    withTransport({}, async (transport) => {
      const { sendTable } = transport as unknown as { sendTable: { readonly lentCount: number } };
      const { near, far, events } = await selfSession(transport, new Keeper(false));
      for (let index = 0; index < 20; index++) {
        near.send(outgoing({ front: patternBytes(100_000), data: patternBytes(300_000) }));
      }
      assert.ok(sendTable.lentCount > 0);
      await events.settled(() => sendTable.lentCount === 0, 'all payloads back');
      far.disconnect();
      await events.next('closed');
      near.send(outgoing({ data: patternBytes(300_000) }));
      assert.is(sendTable.lentCount, 1);
      near.resetSession();
      await events.settled(() => sendTable.lentCount === 0, 'the payload of the dropped message back');
    }),
  ),
);

test(
  'a message above the limit is refused by the sender, and by the receiver whose limit is lower',
  limited(10_000, () =>
    withTransport({ messageBytesMax: 200_000 }, async (transport) => {
      const { near } = await selfSession(transport, new Recorder());
      assert.throws(
        () => near.send(outgoing({ data: patternBytes(200_001) })),
        (error: MsgrError) => error.code === ErrorCode.MessageTooLarge,
      );
      await withTransport({}, async (other) => {
        const far = new Recorder();
        const listener = await transport.listen(loopback, {}, (channel) => {
          channel.handler = far;
          channel.startSession({ lossless: false });
        });
        const events = new Recorder();
        const channel = other.createChannel(events);
        channel.connect(listener.address, {});
        await events.next('open');
        channel.startSession({ lossless: false });
        channel.send(outgoing({ data: patternBytes(200_001) }));
        assert.is((await far.next('closed')).error.code, ErrorCode.BadFrame);
      });
    }),
  ),
);

test(
  'channels on one transport are used again, and their counters begin at 0',
  limited(20_000, () =>
    withTransport({}, async (transport) => {
      const ids = new Set<number>();
      for (let round = 0; round < 50; round++) {
        const { near, far } = await selfSession(transport, new Recorder());
        ids.add((near as unknown as { id: number }).id);
        assert.is(near.outboxCount, 0);
        assert.is(near.counters().messagesSent, 0);
        near.send(outgoing({ front: patternBytes(10) }));
        near.destroy();
        far.destroy();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(ids.size < 25, `${ids.size} numbers for 50 channels`);
    }),
  ),
);

test(
  'between two processes; the end of one is seen by the other',
  limited(30_000, async () => {
    const child = fork(new URL('./support/echo.ts', import.meta.url), { execArgv: process.execArgv });
    try {
      const port = await withTimeout(
        new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number))),
        20_000,
        'the other process',
      );
      await withTransport({}, async (transport) => {
        const events = new Recorder();
        const channel = transport.createChannel(events);
        channel.connect({ ...loopback, port }, {});
        await events.next('open');
        channel.startSession({ lossless: true });
        const count = 5000;
        for (let index = 0; index < count; index++) {
          const size = index % 500 === 0 ? 400_000 : index % 300;
          channel.send(outgoing({ tidLow: index, front: patternBytes(size, index) }));
          if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        const answers = await events.nextMessages(count, 20_000);
        answers.forEach((answer, index) => {
          assert.is(answer.tidLow, index);
          assert.ok(Buffer.compare(answer.front, patternBytes(answer.front.length, index)) === 0);
        });
        child.kill('SIGKILL');
        assert.ok((await events.next('closed')).error.code.startsWith('ERR_MSGR_'));
      });
    } finally {
      child.kill('SIGKILL');
    }
  }),
);

test.run();
