/**
 * Messengers in secure mode, agreed on with a shared key, over real sockets: what is on the wire, and what
 * becomes of bytes that are altered, replayed, or proved with another key.
 *
 * @timeLimitSeconds 180
 */
import { connect as connectSocket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authSharedKey, type SharedKeyOptions } from '../../src/auth/shared-key.ts';
import { ErrorCode, type MsgrError } from '../../src/errors.ts';
import { Message } from '../../src/messenger/message.ts';
import type { MessengerInit } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { authBadMethodFrame } from '../../src/wire/frames/auth-bad-method.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { bannerBytes } from '../support/captures.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { type Alter, recordingProxy } from '../support/recording-proxy.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

const key = Buffer.alloc(32, 'key');
const sentence = 'a sentence that nobody on the way may read';
const type = 0x1001;

function init(name: string, shared: Partial<SharedKeyOptions> = {}): MessengerInit {
  return {
    name,
    auth: authSharedKey({ name, key, ...shared }),
    options: { ms_initial_backoff: 0.01, ms_max_backoff: 0.05 },
  };
}

interface Scene extends AsyncDisposable {
  readonly server: Awaited<ReturnType<Messengers['server']>>;
  readonly proxy: Awaited<ReturnType<typeof recordingProxy>>;
  /** A client whose connections go through the proxy. */
  client(shared?: Partial<SharedKeyOptions>): ReturnType<Messengers['client']>;
}

async function makeScene(
  messengers: Messengers,
  alter?: () => Alter,
  shared?: Partial<SharedKeyOptions>,
): Promise<Scene> {
  const server = await messengers.server(init('osd.0', shared));
  server.messenger.setDefaultPolicy(Policy.statefulServer());
  const { host, port } = server.messenger.myAddrs.front!;
  const proxy = await recordingProxy({ family: 4, host, port }, alter);
  return {
    server,
    proxy,
    client(own) {
      const client = messengers.client({ ...init('client.1', own), route: () => proxy.address });
      client.messenger.setDefaultPolicy(Policy.losslessClient());
      return client;
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}

const texts = (messages: readonly { readonly data: Uint8Array }[]): string[] =>
  messages.map(({ data }) => Buffer.from(data).toString());

for (const transport of testTransports()) {
  const check = (name: string, body: (messengers: Messengers) => Promise<void>): void => {
    test(
      `${transport}: ${name}`,
      limited(60_000, async () => {
        await using messengers = new Messengers(transport);
        await body(messengers);
      }),
    );
  };

  check('both ways, and nothing of it can be read on the way; in crc mode it can', async (messengers) => {
    for (const modes of [['secure'], ['crc']] as const) {
      await using scene = await makeScene(messengers, undefined, { modes });
      const { server, proxy } = scene;
      server.recorder.onMessage = (message) => {
        message.connection.send(new Message({ type, front: Buffer.from('answer: '), data: message.data }));
      };
      const client = scene.client({ modes });
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      for (let count = 0; count < 20; count++)
        connection.send(new Message({ type, data: Buffer.from(sentence) }));
      await client.recorder.untilMessages(20);
      assert.equal(new Set(texts(client.recorder.messages)), new Set([sentence]));
      const onTheWay = Buffer.concat([proxy.fromConnector(), proxy.fromAcceptor()]);
      assert.is(onTheWay.includes(sentence), modes[0] === 'crc');
      assert.is(onTheWay.includes('answer: '), modes[0] === 'crc');
    }
  });

  check(
    'altered on the way: the connection breaks, and each message arrives once and in order',
    async (messengers) => {
      // A bit of every n-th kilobyte, in the handshake now and then, each at another place.
      let connections = 0;
      let altered = 0;
      const alter = (): Alter => {
        const from = connections % 2 === 0 ? 'connector' : 'acceptor';
        // The answers are acknowledgements, which are few.
        const at =
          from === 'connector' ? 10 + ((connections * 977) % 9000) : 10 + ((connections * 331) % 1200);
        connections++;
        return (chunk, who, offset) => {
          if (who !== from || connections > 60 || at < offset || at >= offset + chunk.length) return;
          chunk[at - offset]! ^= 1 << (connections % 8);
          altered++;
        };
      };
      await using scene = await makeScene(messengers, alter);
      const client = scene.client();
      const connection = client.messenger.getConnection(scene.server.messenger.myAddrs);
      const count = 400;
      for (let index = 0; index < count; index++) {
        connection.send(
          new Message({ type, front: Buffer.alloc(200, index), data: Buffer.from(`${index}`) }),
        );
        if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await scene.server.recorder.untilMessages(count, 40_000);
      assert.equal(
        texts(scene.server.recorder.messages),
        Array.from({ length: count }, (_, index) => `${index}`),
      );
      assert.ok(altered > 3, `${altered} bits`);
    },
  );

  check('another key: no session, and the cause says what to check', async (messengers) => {
    await using scene = await makeScene(messengers);
    const client = scene.client({ key: Buffer.alloc(32, 'other') });
    const connection = client.messenger.getConnection(scene.server.messenger.myAddrs);
    const cause = new Promise<MsgrError | undefined>((resolve) => {
      connection.on('state', (_state, error) => {
        if (error !== undefined) resolve(error);
      });
    });
    connection.send(new Message({ type, data: Buffer.from(sentence) }));
    const error = (await withTimeout(cause, 10_000, 'the refusal'))!;
    assert.is(error.code, ErrorCode.Auth);
    assert.match(error.message, /EACCES/);
    assert.match(error.message, /check that both ends were given the same key/);
    assert.is(scene.server.recorder.messages.length, 0);
    assert.is(scene.server.recorder.count('accept'), 0);
  });

  check('a recorded connection, replayed, is refused before anything of it counts', async (messengers) => {
    await using scene = await makeScene(messengers);
    const { server, proxy } = scene;
    const client = scene.client();
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    for (let count = 0; count < 5; count++)
      connection.send(new Message({ type, data: Buffer.from(sentence) }));
    await server.recorder.untilMessages(5);
    const recorded = proxy.fromConnector();
    const accepted = server.recorder.count('accept');
    // All at once, and as a peer that waits for the answers.
    for (const waits of [false, true]) {
      const answers = await replay(server.messenger.myAddrs.front!.port, recorded, waits);
      if (waits) assert.equal(answers, [Tag.Hello, Tag.AuthReplyMore, Tag.AuthBadMethod]);
      assert.not.ok(answers.includes(Tag.AuthDone));
      assert.is(server.recorder.messages.length, 5);
      assert.is(server.recorder.count('accept'), accepted);
    }
  });
}

/** Sends the recorded bytes on a connection of their own until it is closed; answers the tags that came back. */
async function replay(port: number, recorded: Buffer, waits: boolean): Promise<number[]> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const answers = new FrameReader();
  const tags: number[] = [];
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    answers.push(bytes.subarray(Math.max(0, bannerBytes - received)));
    received += bytes.length;
    while (answers.next()) {
      tags.push(answers.frame.tag);
      if (answers.frame.tag !== Tag.AuthBadMethod) continue;
      assert.is(authBadMethodFrame.decode(answers.frame.payload()).result, -13);
    }
  });
  if (waits) {
    const clear = new FrameReader();
    clear.push(recorded.subarray(bannerBytes));
    let sent = 0;
    const sendUpTo = (end: number): void => {
      socket.write(recorded.subarray(sent, end));
      sent = end;
    };
    sendUpTo(bannerBytes);
    for (const count of [1, 2, 3]) {
      clear.next();
      sendUpTo(sent + clear.raw().length);
      await waitUntil(() => tags.length >= count, 5000, `answer ${count}`);
    }
    sendUpTo(recorded.length);
  } else socket.write(recorded);
  await withTimeout(closed, 20_000, 'the server to close');
  return tags;
}

test.run();
