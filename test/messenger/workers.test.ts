/**
 * Worker dispatchers: order, spreading, bounds, and what becomes of messages when handlers fail and workers
 * end.
 *
 * @timeLimitSeconds 400
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../src/errors.ts';
import { Message, Policy } from '../../src/index.ts';
import { messageOverheadBytes } from '../../src/limits.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import {
  WorkerDispatcher,
  type WorkerDispatcherOptions,
} from '../../src/messenger/workers/worker-dispatcher.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';
import { replyType, Shared } from '../support/worker-handler.ts';

const type = 0x2000;
const handler = new URL('../support/worker-handler.ts', import.meta.url);

/** A dispatcher with the tests' handler and what it reported. */
interface Bench {
  dispatcher: WorkerDispatcher;
  shared: Int32Array<SharedArrayBuffer>;
  undone: { message: ReceivedMessage; error: MsgrError }[];
  /** How often `undone` was called. */
  reports: number;
}

async function bench(options: Partial<WorkerDispatcherOptions> = {}): Promise<Bench> {
  const shared = new Int32Array(new SharedArrayBuffer(64));
  const made: Bench = {
    dispatcher: undefined as unknown as WorkerDispatcher,
    shared,
    undone: [],
    reports: 0,
  };
  made.dispatcher = await WorkerDispatcher.create({
    handler,
    types: [type],
    workers: 2,
    handlerData: shared,
    undone: (messages, error) => {
      made.reports++;
      for (const message of messages) made.undone.push({ message, error });
    },
    ...options,
  });
  return made;
}

function openGate(shared: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(shared, Shared.gate, 1);
  Atomics.notify(shared, Shared.gate);
}

function work(command: string, id: number, bytes = 4): Message {
  const data = Buffer.alloc(bytes);
  data.writeUInt32LE(id);
  return new Message({ type, middle: Buffer.from(command), data });
}

const idOf = (message: ReceivedMessage): number => message.data.readUInt32LE();
const callOf = (message: ReceivedMessage): number => message.middle.readUInt32LE();
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Nothing is in it any more, and every message it took had one outcome. */
function checkAccounts({ dispatcher, undone }: Bench): void {
  const counters = dispatcher.counters();
  assert.is(counters.messagesWaiting, 0);
  assert.is(counters.messagesRunning, 0);
  assert.is(counters.bytesHeld, 0);
  assert.is(
    counters.messagesTaken,
    counters.messagesHandled + counters.messagesUndone + counters.messagesDiscarded,
  );
  assert.is(counters.messagesUndone, undone.length);
}

/** mulberry32: the same numbers in every run. */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

// A worker takes most of a second to start: what is the same whatever the transport is tested on one.
for (const [index, transport] of testTransports().entries()) {
  const checkOnce = (name: string, body: (all: Messengers) => Promise<void>): void => {
    if (index === 0) check(name, body);
  };
  const check = (name: string, body: (all: Messengers) => Promise<void>): void => {
    test(`${transport}: ${name}`, () => {
      const run = async (): Promise<void> => {
        await using all = new Messengers(transport);
        await body(all);
      };
      return withTimeout(run(), 100_000, name);
    });
  };

  check('messages of one connection are handled and answered in order, whatever each takes', async (all) => {
    const made = await bench({ workers: 3 });
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const random = randomFrom(1);
    const count = 1500;
    const clients = range(4).map((index) => all.client({ name: `client.${index}` }));
    for (const id of range(count)) {
      for (const { messenger } of clients) {
        const chance = random();
        const command =
          chance < 0.9 ? `spin ${Math.floor(random() * 100)}` : chance < 0.99 ? 'echo' : 'sleep 1';
        messenger.send(work(command, id), server.messenger.myAddrs);
      }
    }
    for (const { messenger, recorder } of clients) {
      await recorder.untilMessages(count, 60_000);
      assert.equal(recorder.messages.map(idOf), range(count));
      const calls = recorder.messages.map(callOf);
      assert.equal(
        calls,
        calls.toSorted((a, b) => a - b),
        'the handler was called in another order',
      );
      assert.ok(recorder.messages.every(({ front }) => front.toString() === String(messenger.name)));
      assert.ok(recorder.messages.every((message) => message.type === replyType));
    }
    assert.ok(dispatcher.counters().tasks < count * clients.length, 'messages go in batches');
    await dispatcher.close();
    checkAccounts(made);
    assert.is(made.undone.length, 0);
    assert.is(server.recorder.messages.length, 0);
  });

  checkOnce('two workers handle messages of two connections at the same time', async (all) => {
    const made = await bench();
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const connections = range(2).map((index) =>
      all.client({ name: `client.${index}` }).messenger.getConnection(server.messenger.myAddrs),
    );
    for (const round of range(10)) {
      // Each handler returns only when the other one is in its own: one worker alone would time out.
      const replies = await Promise.all(
        connections.map((connection) => connection.request(work('meet', round))),
      );
      assert.equal(replies.map(({ version }) => version).toSorted(), [1, 2]);
    }
    assert.is(made.shared[Shared.met], 20);
    assert.is(made.undone.length, 0);
  });

  checkOnce('all header fields and three segments come to the handler and back', async (all) => {
    const made = await bench();
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const client = all.client({ name: 'client.7' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const sizes = [0, 1, 4096, 70_000, 2_000_000];
    for (const size of sizes) {
      const data = Buffer.alloc(size, size & 0xff);
      const tid = 0xfedc_ba98_7654_3210n;
      connection.send(new Message({ type, tid, middle: Buffer.from('echo'), data }));
    }
    await client.recorder.untilMessages(sizes.length);
    for (const [index, message] of client.recorder.messages.entries()) {
      assert.is(message.tid, 0xfedc_ba98_7654_3210n);
      assert.ok(message.data.equals(Buffer.alloc(sizes[index]!, sizes[index]! & 0xff)));
    }
    // The messenger's own messages come this way too, and are held by no throttle of its sockets.
    const reply = await server.messenger.loopbackConnection.request(work('echo', 5));
    assert.is(reply.front.toString(), 'osd.0');
    assert.is(idOf(reply), 5);
    // No answer is an outcome as well; other types go on to the next dispatcher.
    connection.send(work('silent', 1));
    connection.send(new Message({ type: type + 5 }));
    await server.recorder.untilMessages(1);
    assert.is(server.recorder.messages[0]!.type, type + 5);
    await dispatcher.close();
    assert.is(dispatcher.counters().messagesHandled, sizes.length + 2);
    checkAccounts(made);
  });

  checkOnce('what a handler throws is reported for that one message', async (all) => {
    const made = await bench();
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const client = all.client({ name: 'client.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const commands = ['echo', 'throw', 'echo', 'odd-throw', 'odd-reply', 'echo', 'text-reply', 'echo'];
    for (const [id, command] of commands.entries()) connection.send(work(command, id));
    await client.recorder.untilMessages(4);
    assert.equal(client.recorder.messages.map(idOf), [0, 2, 5, 7]);
    assert.equal(
      made.undone.map(({ message }) => idOf(message)),
      [1, 3, 4, 6],
    );
    assert.is(made.reports, 4);
    assert.ok(made.undone.every(({ error }) => error.code === ErrorCode.Handler));
    const [thrown, odd, reply, text] = made.undone.map(({ error }) => error.cause as NodeJS.ErrnoException);
    assert.equal([thrown!.name, thrown!.message, thrown!.code], ['RangeError', 'as told', 'E_TOLD']);
    assert.match(thrown!.stack!, /worker-handler/);
    assert.is(odd!.message, 'not an error');
    assert.is(reply!.code, ErrorCode.InvalidArgument);
    assert.is(text!.name, 'TypeError');
    assert.is(dispatcher.counters().workersLost, 0);
    await dispatcher.close();
    checkAccounts(made);
  });

  check('workers that end in mid-stream: every message is answered, or reported, once', async (all) => {
    const made = await bench();
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const random = randomFrom(2);
    const count = 1000;
    const clients = range(3).map((index) => all.client({ name: `client.${index}` }));
    const deadly = new Set<string>();
    for (const id of range(count)) {
      for (const { messenger } of clients) {
        let command = random() < 0.5 ? 'echo' : `spin ${Math.floor(random() * 200)}`;
        if (id % 500 === 230) {
          command = random() < 0.5 ? 'exit' : 'uncaught';
          deadly.add(`${messenger.name} ${id}`);
        }
        messenger.send(work(command, id), server.messenger.myAddrs);
      }
    }
    const answers = (): number =>
      clients.reduce((sum, { recorder }) => sum + recorder.messages.length, made.undone.length);
    await waitUntil(() => answers() >= count * clients.length, 80_000, 'all outcomes');
    await dispatcher.close();
    const undone = made.undone.map(({ message }) => `${message.connection.peerName} ${idOf(message)}`);
    assert.equal(undone.toSorted(), [...deadly].toSorted(), 'only those that end their worker are lost');
    for (const { messenger, recorder } of clients) {
      const want = range(count).filter((id) => !deadly.has(`${messenger.name} ${id}`));
      assert.equal(recorder.messages.map(idOf), want, 'each of the others is answered once and in order');
    }
    assert.ok(made.undone.every(({ error }) => error.code === ErrorCode.WorkerLost));
    assert.ok(made.undone.every(({ error }) => error.cause instanceof Error));
    assert.is(dispatcher.counters().workersLost, deadly.size);
    checkAccounts(made);
  });

  const deaths: [
    name: string,
    command: string,
    code: string | undefined,
    Partial<WorkerDispatcherOptions>,
  ][] = [
    [
      'a worker out of memory is replaced',
      'oom',
      'ERR_WORKER_OUT_OF_MEMORY',
      { resourceLimits: { maxOldGenerationSizeMb: 24 } },
    ],
    ['a worker that hangs is ended and replaced', 'hang', undefined, { handlerTimeoutMs: 3000 }],
  ];
  for (const [name, command, code, options] of deaths) {
    checkOnce(name, async (all) => {
      const made = await bench({ ...options, workers: 1 });
      await using dispatcher = made.dispatcher;
      const server = await all.server({ name: 'osd.0' });
      server.messenger.addDispatcherHead(dispatcher);
      const client = all.client({ name: 'client.1' });
      for (const [id, what] of ['echo', command, 'echo'].entries()) {
        client.messenger.send(work(what, id), server.messenger.myAddrs);
      }
      await client.recorder.untilMessages(2, 80_000);
      assert.equal(client.recorder.messages.map(idOf), [0, 2]);
      assert.equal(
        made.undone.map(({ message }) => idOf(message)),
        [1],
      );
      assert.is(made.undone[0]!.error.code, ErrorCode.WorkerLost);
      assert.is((made.undone[0]!.error.cause as NodeJS.ErrnoException).code, code);
      assert.is(dispatcher.counters().workersLost, 1);
      await dispatcher.close();
      checkAccounts(made);
    });
  }

  check('a full dispatcher stops the reading, and goes on where it stopped', async (all) => {
    const bytesMax = 1024 * 1024;
    const made = await bench({ bytesMax });
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    let peakBytes = 0;
    server.messenger.addDispatcherHead({
      fastPreprocess: () => {
        peakBytes = Math.max(peakBytes, dispatcher.counters().bytesHeld);
      },
    });
    server.messenger.addDispatcherHead(dispatcher);
    const count = 300;
    const bytes = 64 * 1024;
    const clients = range(2).map((index) => all.client({ name: `client.${index}` }));
    const connections = clients.map(({ messenger }) => messenger.getConnection(server.messenger.myAddrs));
    let refusals = 0;
    for (const id of range(count)) {
      for (const connection of connections) if (!connection.send(work('gate', id, bytes))) refusals++;
    }
    assert.ok(refusals > 0, 'the sender is told to wait');
    await waitUntil(() => server.messenger.counters().throttleWaits >= 2, 30_000, 'both are stopped');
    // More than the sockets of the system can hold stays at the sender.
    await waitUntil(
      () => Atomics.load(made.shared, Shared.gateReached) >= 2,
      30_000,
      'handlers to be at the gate',
    );
    const { dispatchThrottleBytes } = server.messenger.counters();
    const { bytesHeld, messagesWaiting, messagesRunning } = dispatcher.counters();
    assert.is(
      dispatchThrottleBytes,
      bytesHeld + (messagesWaiting + messagesRunning) * messageOverheadBytes,
      "held in the messenger's throttle too",
    );
    assert.ok(dispatchThrottleBytes >= bytesMax);
    openGate(made.shared);
    for (const { recorder } of clients) {
      await recorder.untilMessages(count, 80_000);
      assert.equal(recorder.messages.map(idOf), range(count));
    }
    // Beyond the limit there is only what each connection had read when it was stopped.
    const receiveTurnBytes = 1024 * 1024 + 2 * bytes;
    assert.ok(peakBytes <= bytesMax + 2 * receiveTurnBytes, `${peakBytes} bytes were held`);
    await dispatcher.close();
    assert.is(server.messenger.counters().dispatchThrottleBytes, 0);
    checkAccounts(made);
  });

  checkOnce('a limit of messages, and a throttle of the policy, hold as well', async (all) => {
    const made = await bench({ messagesMax: 10, workers: 1 });
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const client = all.client({ name: 'client.1' });
    const count = 5000;
    for (const id of range(count)) client.messenger.send(work('gate', id), server.messenger.myAddrs);
    await waitUntil(() => server.messenger.counters().throttleWaits >= 1, 30_000, 'the stop');
    openGate(made.shared);
    await client.recorder.untilMessages(count, 30_000);
    assert.equal(client.recorder.messages.map(idOf), range(count));
    await dispatcher.close();
    checkAccounts(made);
  });

  check('what waits for a connection that ends is discarded', async (all) => {
    for (const side of ['peer', 'own']) {
      const made = await bench({ workers: 1 });
      await using dispatcher = made.dispatcher;
      const server = await all.server({ name: 'osd.0' });
      server.messenger.setDefaultPolicy(Policy.statelessServer());
      server.messenger.addDispatcherHead(dispatcher);
      const doomed = all.client({ name: 'client.1' });
      doomed.messenger.setDefaultPolicy(Policy.lossyClient());
      const connection = doomed.messenger.getConnection(server.messenger.myAddrs);
      for (const id of range(50)) connection.send(work('gate', id));
      await waitUntil(() => dispatcher.counters().messagesTaken === 50, 30_000, 'all to be taken');
      await waitUntil(() => Atomics.load(made.shared, Shared.gateReached) === 1, 30_000, 'the gate');
      if (side === 'peer') {
        connection.markDown();
        await server.recorder.untilEvent('reset');
        assert.is(dispatcher.counters().messagesDiscarded, 49);
      } else {
        server.messenger.markDownAll();
      }
      const other = all.client({ name: 'client.2' });
      const reply = other.messenger
        .getConnection(server.messenger.myAddrs)
        .request(work('echo', 7), { timeoutMs: 30_000 });
      openGate(made.shared);
      assert.is(idOf(await reply), 7);
      await dispatcher.close();
      const { messagesDiscarded, messagesHandled } = dispatcher.counters();
      // Of the first: its handler ran to its end, for nobody.
      assert.is(messagesDiscarded + messagesHandled, 51);
      assert.is(messagesHandled, side === 'peer' ? 1 : 2);
      assert.is(made.undone.length, 0);
      assert.is(Atomics.load(made.shared, Shared.calls), 2, 'the discarded came to no handler');
      checkAccounts(made);
    }
  });

  checkOnce('close drains, destroy drops, and both take no more', async (all) => {
    const made = await bench();
    const { dispatcher } = made;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const client = all.client({ name: 'client.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    const count = 200;
    for (const id of range(count)) connection.send(work('sleep 1', id));
    await waitUntil(() => dispatcher.counters().messagesTaken === count, 30_000, 'all to be taken');
    const closed = dispatcher.close();
    assert.is(dispatcher.close(), closed);
    connection.send(work('echo', count));
    await closed;
    await client.recorder.untilMessages(count);
    await server.recorder.untilMessages(1);
    assert.is(idOf(server.recorder.messages[0]!), count, 'goes to the next dispatcher');
    assert.is(dispatcher.counters().messagesHandled, count);
    checkAccounts(made);

    const second = await bench();
    server.messenger.removeDispatcher(dispatcher);
    server.messenger.addDispatcherHead(second.dispatcher);
    for (const id of range(count)) connection.send(work('gate', id));
    await waitUntil(() => second.dispatcher.counters().messagesTaken === count, 30_000, 'all to be taken');
    const closing = second.dispatcher.close();
    await second.dispatcher.destroy();
    await closing;
    assert.is(second.dispatcher.counters().messagesDiscarded, count);
    assert.is(second.undone.length, 0);
    checkAccounts(second);
    assert.is(server.messenger.counters().dispatchThrottleBytes, 0);
  });
}

test('when no worker can be started, what waits is reported; when one can again, messages are answered', () =>
  withTimeout(restart(), 60_000, 'the worker to come back'));

async function restart(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'msgr2-workers-'));
  try {
    const path = join(folder, 'handler.mjs');
    const good = `export const handle = (m) => {
      if (String(m.data) === 'exit') process.exit(1);
      return { type: ${replyType}, data: m.data };
    };`;
    await writeFile(path, good);
    await using all = new Messengers('simple');
    const made = await bench({ handler: path, workers: 1 });
    await using dispatcher = made.dispatcher;
    const server = await all.server({ name: 'osd.0' });
    server.messenger.addDispatcherHead(dispatcher);
    const client = all.client({ name: 'client.1' });
    const connection: Connection = client.messenger.getConnection(server.messenger.myAddrs);
    const say = (text: string): Message => new Message({ type, data: Buffer.from(text) });
    assert.is(String((await connection.request(say('one'))).data), 'one');

    await writeFile(path, 'throw new Error("broken meanwhile");');
    connection.send(say('exit'));
    connection.send(say('two'));
    await waitUntil(() => made.undone.length >= 2, 20_000, 'both to be reported');
    assert.equal(
      made.undone.map(({ message }) => String(message.data)),
      ['exit', 'two'],
    );
    assert.is(made.undone[1]!.error.code, ErrorCode.WorkerLost);
    assert.match((made.undone[1]!.error.cause as Error).message, /broken meanwhile/);

    await writeFile(path, good);
    const reply = async (): Promise<string | false> => {
      try {
        return String((await connection.request(say('three'), { timeoutMs: 1000 })).data);
      } catch {
        return false;
      }
    };
    assert.is(await waitUntil(reply, 30_000, 'an answer'), 'three');
    await dispatcher.close();
    checkAccounts(made);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('create refuses a handler that cannot be loaded, and settings that make no sense', async () => {
  const codeOf = async (options: Partial<WorkerDispatcherOptions>): Promise<string> => {
    try {
      await (await bench(options)).dispatcher.destroy();
      return 'made';
    } catch (error) {
      return (error as MsgrError).code;
    }
  };
  assert.is(await codeOf({ handler: '/nowhere/handler.mjs' }), ErrorCode.Handler);
  const noHandle = pathToFileURL(fileURLToPath(new URL('../support/timeout.ts', import.meta.url)));
  assert.is(await codeOf({ handler: noHandle }), ErrorCode.Handler);
  assert.is(await codeOf({ handler: './relative.mjs' }), ErrorCode.InvalidArgument);
  for (const wrong of [{ workers: 0 }, { bytesMax: 0 }, { messagesMax: 1.5 }]) {
    assert.is(await codeOf(wrong), ErrorCode.InvalidArgument);
  }
});

test('a process ends by itself: after close, and with an idle dispatcher that nobody closed', async () => {
  const script = fileURLToPath(new URL('../support/worker-process.ts', import.meta.url));
  for (const mode of ['close', 'forget']) {
    const output = await new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', script, mode],
        { timeout: 30_000 },
        (error, stdout, stderr) => {
          if (error) reject(new Error(`${mode}: ${error.message}\n${stdout}${stderr}`));
          else resolve(stdout);
        },
      );
    });
    assert.is(output.trim(), 'answered 20', mode);
  }
});

test.run();
