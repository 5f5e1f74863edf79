/** The messenger's public behaviour, on every transport. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../src/errors.ts';
import { Message, Policy, Priority } from '../../src/index.ts';
import { channelQueueBytesMax } from '../../src/limits.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import type { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { defineMessage, MessageRegistry } from '../../src/wire/messages/registry.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';

const type = 0x1001;

for (const transport of testTransports()) {
  const check = (name: string, body: () => Promise<void>): void => {
    test(`${transport}: ${name}`, () => withTimeout(body(), 20_000, name));
  };

  check('send by destination, reply on the connection the message came on', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.1' });
    server.recorder.onMessage = (message) => {
      message.reply(new Message({ type: type + 1, data: Buffer.from(`got ${message.data}`) }));
    };
    const wasTaken = client.messenger.send(
      new Message({ type, data: Buffer.from('hello') }),
      server.messenger.myAddrs,
    );
    assert.is(wasTaken, true);
    await client.recorder.untilMessages(1);
    assert.is(client.recorder.messages[0]!.data.toString(), 'got hello');
    assert.is(client.recorder.messages[0]!.type, type + 1);
    assert.is(String(server.recorder.messages[0]!.connection.peerName), 'client.1');
    assert.equal(client.recorder.events, ['connect']);
    assert.equal(server.recorder.events, ['accept']);
  });

  check('all header fields and three segments arrive as they were sent', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.1' });
    const sizes = [0, 1, 7, 48, 49, 4096, 70_000, 300_000];
    const sent: Message[] = [];
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    for (const front of sizes) {
      for (const data of sizes) {
        const message = new Message({
          type,
          priority: Priority.High,
          version: 3,
          compatVersion: 2,
          tid: 0xfedc_ba98_7654_3210n,
          front: Buffer.alloc(front, 1),
          middle: Buffer.alloc(front % 11, 2),
          data: Buffer.alloc(data, 3),
        });
        sent.push(message);
        connection.send(message);
      }
    }
    await server.recorder.untilMessages(sent.length);
    for (const [index, message] of server.recorder.messages.entries()) {
      const want = sent[index]!;
      assert.is(message.seq, BigInt(index + 1));
      assert.is(message.tid, want.tid);
      assert.equal(
        [message.type, message.priority, message.version, message.compatVersion],
        [type, Priority.High, 3, 2],
      );
      assert.ok(message.front.equals(want.front), `front of message ${index}`);
      assert.ok(message.middle.equals(want.middle), `middle of message ${index}`);
      assert.ok(message.data.equals(want.data), `data of message ${index}`);
    }
  });

  check("the messenger's own address gives the loopback connection", async () => {
    await using all = new Messengers(transport);
    const { messenger, recorder } = await all.server({ name: 'osd.3' });
    const connection = messenger.getConnection(messenger.myAddrs);
    assert.is(connection, messenger.loopbackConnection);
    assert.is(connection.isLoopback, true);
    connection.send(new Message({ type, data: Buffer.from('to myself') }));
    await recorder.untilMessages(1);
    assert.is(recorder.messages[0]!.data.toString(), 'to myself');
    assert.is(messenger.connections().length, 0);
  });

  check(
    'request resolves with the reply, times out, aborts, and fails when the connection ends',
    async () => {
      await using all = new Messengers(transport);
      const server = await all.server({ name: 'osd.0' });
      server.messenger.setDefaultPolicy(Policy.statelessServer());
      const client = all.client({ name: 'client.1' });
      client.messenger.setDefaultPolicy(Policy.lossyClient());
      server.recorder.onMessage = (message) => {
        if (message.data.length > 0) message.reply(new Message({ type, data: message.data }));
      };
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      const replies = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          connection.request(new Message({ type, data: Buffer.of(index) })),
        ),
      );
      assert.equal(
        replies.map((reply) => reply.data[0]),
        Array.from({ length: 100 }, (_, index) => index),
      );
      const codeOf = (promise: Promise<ReceivedMessage>): Promise<string> =>
        promise.then(
          () => 'resolved',
          (error: MsgrError) => error.code,
        );
      assert.is(
        await codeOf(connection.request(new Message({ type }), { timeoutMs: 20 })),
        ErrorCode.Timeout,
      );
      const controller = new AbortController();
      const aborted = codeOf(connection.request(new Message({ type }), { signal: controller.signal }));
      controller.abort(new Error('enough'));
      assert.is(await aborted, ErrorCode.Aborted);
      const pending = codeOf(connection.request(new Message({ type })));
      connection.markDown();
      assert.is(await pending, ErrorCode.Closed);
      assert.is(await codeOf(connection.request(new Message({ type }))), ErrorCode.Closed);
      assert.is(client.recorder.messages.length, 0, 'replies are not dispatched');
    },
  );

  check('fast dispatch runs before the queue; the first dispatcher that can, does', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const order: string[] = [];
    server.messenger.addDispatcherHead({
      fastPreprocess: (message) => order.push(`pre ${message.data}`),
      canFastDispatch: (message) => message.data.toString() === 'fast',
      fastDispatch: (message) => order.push(`fast ${message.data}`),
    });
    server.recorder.onMessage = (message) => order.push(`queue ${message.data}`);
    const client = all.client({ name: 'client.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    connection.send(new Message({ type, data: Buffer.from('slow') }));
    connection.send(new Message({ type, data: Buffer.from('fast') }));
    await server.recorder.untilMessages(1);
    assert.equal(order, ['pre slow', 'pre fast', 'fast fast', 'queue slow']);
  });

  check('backpressure: send answers false above the high-water mark, and drain follows', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.1', options: { ms_send_high_water_mark: 1 << 20 } });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const data = Buffer.alloc(100_000, 5);
    let sent = 0;
    let isOpen = true;
    while (isOpen && sent < 1000) {
      isOpen = connection.send(new Message({ type, data }));
      sent++;
    }
    assert.is(isOpen, false, 'the mark is reached before 1000 messages of 100 kB');
    assert.ok(
      connection.queuedBytes >= 1 << 20 && connection.queuedBytes < 2 << 20,
      `${connection.queuedBytes}`,
    );
    await connection.drained();
    assert.ok(connection.queuedBytes <= channelQueueBytesMax, `${connection.queuedBytes} after drain`);
    await server.recorder.untilMessages(sent);
  });

  check('a message larger than a frame is refused when it is given, connected or not', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const third = Buffer.allocUnsafe(90 * 1024 * 1024);
    const tooLarge = new Message({ type, front: third, middle: third, data: third });
    const isRefused = (error: MsgrError): boolean => error.code === ErrorCode.MessageTooLarge;
    assert.throws(() => connection.send(tooLarge), isRefused);
    await client.recorder.untilEvent('connect');
    assert.throws(() => connection.send(tooLarge), isRefused);
    connection.send(new Message({ type, data: Buffer.from('fine') }));
    await server.recorder.untilMessages(1);
  });

  check('a connection refused is told, retried, and ends with markDown', async () => {
    await using all = new Messengers(transport);
    const probe = await all.server({ name: 'osd.9' });
    const address = probe.messenger.myAddrs;
    await probe.messenger.shutdown();
    const client = all.client({
      name: 'client.1',
      options: { ms_initial_backoff: 0.01, ms_max_backoff: 0.02 },
    });
    const connection = client.messenger.getConnection(address);
    connection.send(new Message({ type }));
    await client.recorder.untilEvent('refused', 3);
    assert.ok(connection.state === 'backoff' || connection.state === 'connecting');
    connection.markDown();
    assert.is(connection.state, 'closed');
    assert.is(connection.send(new Message({ type })), false);
    assert.is(connection.counters().messagesDropped, 1);
    assert.is(client.recorder.count('reset'), 0);
  });

  check('a lossy client hears exactly one reset when the server goes', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    server.messenger.setDefaultPolicy(Policy.statelessServer());
    const client = all.client({ name: 'client.1' });
    client.messenger.setPolicy(EntityType.Osd, Policy.lossyClient());
    const connection = client.messenger.getConnection(server.messenger.myAddrs, { peerType: EntityType.Osd });
    await client.recorder.untilEvent('connect');
    server.recorder.lastConnection!.markDown();
    await client.recorder.untilEvent('reset');
    assert.is(connection.state, 'closed');
    assert.equal(client.recorder.events, ['connect', 'reset']);
    assert.equal(server.recorder.events, ['accept'], 'markDown is told to nobody');
  });

  check('the wrong nonce, the wrong type and missing features end the attempt, not the process', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    server.messenger.setPolicy(EntityType.Client, Policy.statelessServer({ featuresRequired: 1n << 62n }));
    server.messenger.setPolicy(EntityType.Mds, Policy.statelessServer());
    const quick = { ms_initial_backoff: 0.01, ms_max_backoff: 0.02 };
    const [addr] = [...server.messenger.myAddrs];
    const faultOf = async (name: string, target: EntityAddr, peerType: number): Promise<MsgrError> => {
      const { messenger } = all.client({ name, options: quick });
      messenger.setDefaultPolicy(Policy.lossyClient());
      const connection = messenger.getConnection(target, { peerType });
      const fault = await new Promise<MsgrError>((resolve) => {
        connection.on('state', (_state, cause) => cause && resolve(cause));
      });
      connection.markDown();
      return fault;
    };
    const wrongNonce = await faultOf('mds.1', addr!.with({ nonce: (addr!.nonce ^ 1) >>> 0 }), EntityType.Osd);
    assert.is(wrongNonce.code, ErrorCode.PeerClosed, 'the acceptor closes without a word');
    assert.is(server.messenger.counters().acceptFailures, 1);
    const wrongType = await faultOf('mds.1', addr!, EntityType.Mon);
    assert.is(wrongType.code, ErrorCode.PeerMismatch);
    assert.match(wrongType.message, /osd answers where a mon/);
    const features = await faultOf('client.1', addr!, EntityType.Osd);
    assert.is(features.code, ErrorCode.MissingFeatures);
    assert.match(features.message, /0x4000000000000000/);
    const fine = all.client({ name: 'mds.2' });
    fine.messenger.setDefaultPolicy(Policy.lossyClient());
    fine.messenger.send(new Message({ type }), server.messenger.myAddrs);
    await server.recorder.untilMessages(1);
  });

  check('messages that are kept stay what they were, however many come after them', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const sizes = [0, 1, 64, 2000, 70_000];
    const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    const count = 5000;
    for (let index = 0; index < count; index++) {
      const data = payloads[index % 100 === 0 ? 4 : index % 4]!;
      const init = { type: type + (index % 7), version: 1 + (index % 3), tid: BigInt(index), data };
      if (!connection.send(new Message(init))) await connection.drained();
    }
    await server.recorder.untilMessages(count);
    for (const [index, message] of server.recorder.messages.entries()) {
      const data = payloads[index % 100 === 0 ? 4 : index % 4]!;
      const { type: itsType, version, tid, seq } = message;
      assert.equal(
        [itsType, version, tid, seq],
        [type + (index % 7), 1 + (index % 3), BigInt(index), BigInt(index + 1)],
      );
      assert.ok(message.data.equals(data), `message ${index} has its payload`);
    }
  });

  check('a payload of a known type that does not decode costs its connection only', async () => {
    await using all = new Messengers(transport);
    const Number32 = defineMessage<{ value: number }>({
      type,
      name: 'number32',
      headVersion: 1,
      compatVersion: 1,
      encode: (body, encoder) => void encoder.u32(body.value),
      decode: (decoder) => ({ value: decoder.u32('value') }),
    });
    const server = await all.server({ name: 'osd.0', messageTypes: new MessageRegistry([Number32]) });
    server.messenger.setDefaultPolicy(Policy.statelessServer());
    const hostile = all.client({ name: 'client.1' });
    hostile.messenger.setDefaultPolicy(Policy.lossyClient());
    const good = all.client({ name: 'client.2' });
    good.messenger.setDefaultPolicy(Policy.lossyClient());
    const goodConnection = good.messenger.getConnection(server.messenger.myAddrs);
    goodConnection.send(Message.of(Number32, { value: 1 }));
    await server.recorder.untilMessages(1);
    hostile.messenger.send(new Message({ type, front: Buffer.alloc(3) }), server.messenger.myAddrs);
    await hostile.recorder.untilEvent('reset');
    goodConnection.send(Message.of(Number32, { value: 2 }));
    await server.recorder.untilMessages(2);
    assert.equal(
      server.recorder.messages.map((message) => message.as(Number32)),
      [{ value: 1 }, { value: 2 }],
    );
  });

  const sendFive = (connection: Connection): void => {
    for (let index = 0; index < 5; index++) connection.send(new Message({ type, data: Buffer.of(index) }));
  };

  /** Runs `body` with every uncaught exception in the list that it gets. */
  const catching = async (body: (thrown: unknown[]) => Promise<void>): Promise<void> => {
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error));
    try {
      await body(thrown);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  };

  check('what a dispatcher throws is an uncaught exception, and the rest of the batch is delivered', () =>
    catching(async (thrown) => {
      await using all = new Messengers(transport);
      const server = await all.server({ name: 'osd.0' });
      const seen: number[] = [];
      server.messenger.addDispatcherHead({
        canFastDispatch: () => true,
        fastDispatch: (message) => {
          seen.push(message.data[0]!);
          if (message.data[0] === 2) throw new Error('two');
        },
      });
      const client = all.client({ name: 'client.1' });
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      sendFive(connection);
      await waitUntil(() => seen.length === 5, 5000, 'five messages');
      assert.equal(seen, [0, 1, 2, 3, 4]);
      assert.equal(thrown.map(String), ['Error: two']);
    }),
  );

  check(
    'what a dispatcher of the queue throws ends neither the chain nor the queue, and holds no throttle',
    () =>
      catching(async (thrown) => {
        await using all = new Messengers(transport);
        const server = await all.server({ name: 'osd.0' });
        const { messenger } = server;
        const seen: string[] = [];
        const offered = (name: string, takes: boolean) => ({
          dispatch(message: ReceivedMessage) {
            const index = message.data[0]!;
            seen.push(`${name}${index}`);
            if (index === 2 || index === 4) throw new Error(`${name}${index}`);
            return takes;
          },
        });
        for (const dispatcher of [offered('c', true), offered('b', false), offered('a', false)]) {
          messenger.addDispatcherHead(dispatcher);
        }
        const client = all.client({ name: 'client.1' });
        sendFive(client.messenger.getConnection(messenger.myAddrs));
        await waitUntil(
          () => seen.length === 15 && thrown.length === 6,
          5000,
          'five messages, offered to three',
        );
        assert.equal(
          seen,
          [0, 1, 2, 3, 4].flatMap((index) => ['a', 'b', 'c'].map((name) => `${name}${index}`)),
        );
        assert.equal(
          thrown.map(String),
          ['a2', 'b2', 'c2', 'a4', 'b4', 'c4'].map((name) => `Error: ${name}`),
        );
        assert.equal(
          server.recorder.messages.map(({ data }) => data[0]),
          [2, 4],
          'the last of the chain',
        );
        assert.is(messenger.dispatchQueue.throttle.current, 0);
      }),
  );

  check('a dispatcher that marks the connection down and throws gets nothing more of the batch', () =>
    catching(async (thrown) => {
      await using all = new Messengers(transport);
      const server = await all.server({ name: 'osd.0' });
      const seen: number[] = [];
      server.messenger.addDispatcherHead({
        canFastDispatch: () => true,
        fastDispatch: (message) => {
          seen.push(message.data[0]!);
          if (message.data[0] !== 2) return;
          message.connection.markDown();
          throw new Error('two');
        },
      });
      server.messenger.setDefaultPolicy(Policy.statelessServer());
      const client = all.client({ name: 'client.1' });
      client.messenger.setDefaultPolicy(Policy.lossyClient());
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      sendFive(connection);
      await client.recorder.untilEvent('reset');
      assert.equal(seen, [0, 1, 2]);
      assert.equal(thrown.map(String), ['Error: two']);
    }),
  );

  check('rebind takes another port and another nonce, and drops what was connected', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    server.messenger.setDefaultPolicy(Policy.statelessServer());
    const before = server.messenger.myAddrs.front!;
    const client = all.client({ name: 'client.1' });
    client.messenger.setDefaultPolicy(Policy.lossyClient());
    client.messenger.getConnection(server.messenger.myAddrs);
    await client.recorder.untilEvent('connect');
    await server.messenger.rebind(new Set([before.port + 1]));
    const after = server.messenger.myAddrs.front!;
    assert.is.not(after.port, before.port);
    assert.is.not(after.port, before.port + 1);
    assert.is(after.nonce, (before.nonce + 1_000_000) >>> 0);
    await client.recorder.untilEvent('reset');
    client.messenger.send(new Message({ type }), server.messenger.myAddrs);
    await server.recorder.untilMessages(1);
  });

  check('a port in use says so; a range of one port that is taken says how many were tried', async () => {
    await using all = new Messengers(transport);
    const server = await all.server({ name: 'osd.0' });
    const { port } = server.messenger.myAddrs.front!;
    const other = all.create({
      name: 'osd.1',
      options: {
        ms_bind_retry_count: 1,
        ms_bind_retry_delay: 0.01,
        ms_bind_port_min: port,
        ms_bind_port_max: port,
      },
    });
    for (const address of [`v2:127.0.0.1:${port}`, 'v2:127.0.0.1:0']) {
      await other.bind(address).then(
        () => assert.unreachable('bound twice'),
        (error: MsgrError) => {
          assert.is(error.code, ErrorCode.Bind);
          assert.match(error.message, new RegExp(`port ${port} in use`));
        },
      );
    }
  });

  check('bad arguments name what is wrong', async () => {
    await using all = new Messengers(transport);
    const { messenger } = all.client({ name: 'client.1' });
    const cases: Array<[() => unknown, RegExp]> = [
      [() => new Message({ type: 70_000 }), /message type must be 0 to 65535, not 70000/],
      [() => new Message({ type, priority: -1 }), /message priority/],
      [() => messenger.getConnection('v2:127.0.0.1:0/1'), /no address that can be dialled/],
      [() => messenger.getConnection('nonsense'), /nonsense/],
      [() => all.create({ name: 'osd' }), /osd/],
      [
        () => all.create({ name: 'osd.0', options: { ms_max_backoff: -1 } }),
        /ms_max_backoff must be at least 0/,
      ],
      [() => all.create({ name: 'osd.0', options: { ms_nothing: 1 } as never }), /ms_nothing/],
    ];
    for (const [body, pattern] of cases) {
      assert.throws(
        body,
        (error: MsgrError) => error.code === ErrorCode.InvalidArgument && pattern.test(error.message),
      );
    }
    await messenger.shutdown();
    assert.throws(() => messenger.getConnection('v2:127.0.0.1:1/1'), /is shut down/);
  });
}

test.run();
