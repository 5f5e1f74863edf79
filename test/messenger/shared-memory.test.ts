/**
 * Sessions that leave their socket for shared memory: when they do, when they do not, and that nothing is lost or
 * doubled on the way there, on the way back, and when one end goes.
 * @timeLimitSeconds 300
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authSharedKey } from '../../src/auth/shared-key.ts';
import { type Connection, Message, type Messenger, Policy } from '../../src/index.ts';
import { nativeAvailable } from '../../src/native.ts';
import type { Options } from '../../src/options.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import { SharedMemoryStep, sharedMemoryFrame } from '../../src/wire/frames/shared-memory.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { ByteProxy } from '../support/byte-proxy.ts';
import { HostilePeer } from '../support/hostile-peer.ts';
import { Messengers, type Recorder } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const run = nativeAvailable() ? test : test.skip;
const type = 0x1001;

interface Ends {
  readonly server: Messenger;
  readonly recorder: Recorder;
  readonly client: Messenger;
  readonly connection: Connection;
}

interface EndsInit {
  readonly server?: Partial<Options>;
  readonly client?: Partial<Options>;
  readonly isSecure?: boolean;
}

/** A server that answers what it gets, and a client of it. */
async function makeEnds(all: Messengers, init: EndsInit = {}): Promise<Ends> {
  const key = Buffer.alloc(32, 'key');
  const auth = (name: string) =>
    init.isSecure ? { auth: authSharedKey({ name, key, modes: ['secure'] }) } : {};
  const { messenger: server, recorder } = await all.server({
    name: 'osd.0',
    ...auth('osd.0'),
    options: { ...init.server },
  });
  server.setDefaultPolicy(Policy.losslessPeer());
  recorder.onMessage = (message) => message.reply(new Message({ type, data: message.data }));
  const { messenger: client } = all.client({
    name: 'osd.1',
    ...auth('osd.1'),
    options: { ...init.client },
  });
  client.setDefaultPolicy(Policy.losslessPeer());
  return { server, recorder, client, connection: client.getConnection(server.myAddrs) };
}

/** Request after request until the session has left its socket, or `count` of them. */
async function talk(connection: Connection, count = 3000): Promise<boolean> {
  for (let index = 0; index < count; index++) {
    const data = Buffer.from(`${index}`);
    const reply = await connection.request(new Message({ type, data }), { timeoutMs: 20_000 });
    assert.is(reply.data.toString(), data.toString());
    if (connection.usesSharedMemory) return true;
  }
  return false;
}

function openSharedMemory(): number {
  const own = '/proc/self/map_files';
  return readdirSync(own).filter((name) => readlinkSync(`${own}/${name}`).includes('memfd:msgr2')).length;
}

for (const threads of [0, 1]) {
  run(
    `a busy session goes over, and what it carries is what it carried before (loop threads: ${threads})`,
    limited(60_000, async () => {
      await using all = new Messengers('async');
      const options = { ms_async_op_threads: threads };
      const { client, connection, recorder } = await makeEnds(all, { server: options, client: options });
      assert.ok(await talk(connection));
      await waitUntil(() => recorder.lastConnection!.usesSharedMemory, 5_000, 'the other direction');
      assert.is(client.counters().connectionsSharingMemory, 1);
      await talk(connection, 200);
      // In pieces and as a whole, below and above what is lent, and above the ring's size.
      for (const size of [0, 1, 4096, 16 * 1024, 300_000, 3_000_000]) {
        const data = Buffer.alloc(size, size);
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => connection.request(new Message({ type, data }))),
        );
        for (const reply of replies) assert.is(Buffer.compare(reply.data, data), 0, `${size}`);
      }
      const { faults, messagesReplayed } = connection.counters();
      assert.equal({ faults, messagesReplayed }, { faults: 0, messagesReplayed: 0 });
    }),
  );
}

const stays: Readonly<Record<string, EndsInit>> = {
  'the server does not want it': { server: { ms_shared_memory: false } },
  'the client does not want it': { client: { ms_shared_memory: false } },
  'it is encrypted': { isSecure: true },
};

for (const [why, init] of Object.entries(stays)) {
  run(
    `a session stays on its socket when ${why}`,
    limited(60_000, async () => {
      await using all = new Messengers('async');
      const { connection } = await makeEnds(all, init);
      assert.not(await talk(connection, 1000));
      assert.is(connection.counters().faults, 0);
    }),
  );
}

for (const transports of [
  ['async', 'simple'],
  ['simple', 'async'],
] as const) {
  run(
    `a session between ${transports.join(' and ')} stays on its socket`,
    limited(60_000, async () => {
      await using servers = new Messengers(transports[0]);
      await using clients = new Messengers(transports[1]);
      const { messenger, recorder } = await servers.server({ name: 'osd.0' });
      recorder.onMessage = (message) => message.reply(new Message({ type, data: message.data }));
      const { messenger: client } = clients.client({ name: 'osd.1' });
      const connection = client.getConnection(messenger.myAddrs);
      assert.not(await talk(connection, 500));
      assert.is(connection.counters().faults, 0);
    }),
  );
}

run(
  'somebody stands between the two: the session stays where they can see it',
  limited(60_000, async () => {
    await using all = new Messengers('async');
    const { server } = await makeEnds(all);
    const { host, port } = server.myAddrs.front!;
    await using proxy = await ByteProxy.start({ family: 4, host, port });
    const { messenger: client } = all.client({
      name: 'osd.2',
      route: () => proxy.address,
    });
    const connection = client.getConnection(server.myAddrs);
    assert.not(await talk(connection, 1000));
    assert.is(connection.counters().faults, 0);
    await talk(connection, 100);
  }),
);

run(
  'streams both ways go over and back with each fault of their socket, and every message arrives once',
  limited(120_000, async () => {
    await using all = new Messengers('async');
    const options = { ms_inject_socket_failures: 100, ms_initial_backoff: 0.002, ms_max_backoff: 0.01 };
    const { connection, server, recorder } = await makeEnds(all, { client: options });
    const count = 60_000;
    recorder.onMessage = undefined;
    let timesOver = 0;
    let wasOver = false;
    for (let sent = 0; sent < count; sent++) {
      const data = Buffer.from(`${sent}`.padEnd(1 + (sent % 900)));
      if (!connection.send(new Message({ type, data }))) await connection.drained();
      if (connection.usesSharedMemory !== wasOver) {
        wasOver = !wasOver;
        if (wasOver) timesOver++;
      }
      if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await recorder.untilMessages(count, 90_000);
    assert.is(recorder.messages.length, count);
    for (const [index, message] of recorder.messages.entries()) {
      if (message.data.toString().trimEnd() !== `${index}`) assert.is(message.data.toString(), `${index}`);
    }
    assert.ok(connection.counters().faults > 3, 'sockets broke');
    assert.ok(timesOver > 1, `it went over ${timesOver} times`);
    await server.shutdown();
  }),
);

run(
  'the memory goes with the connection',
  limited(60_000, async () => {
    const before = openSharedMemory();
    await using all = new Messengers('async');
    const { connection } = await makeEnds(all);
    assert.ok(await talk(connection));
    assert.is(openSharedMemory(), before + 2);
    connection.markDown();
    await waitUntil(() => openSharedMemory() === before, 10_000, 'the memory to be gone');
  }),
);

run(
  'a peer that is killed in the middle of a stream is noticed, and all that it had sent before is there',
  limited(60_000, async () => {
    await using all = new Messengers('async');
    const { messenger, recorder } = await all.server({ name: 'osd.0' });
    messenger.setDefaultPolicy(Policy.statelessServer());
    const script = fileURLToPath(new URL('../support/streaming-process.ts', import.meta.url));
    const child: ChildProcess = spawn(
      process.execPath,
      ['--import', 'tsx', script, String(messenger.myAddrs.front)],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    await waitUntil(() => recorder.lastConnection?.usesSharedMemory, 30_000, 'shared memory');
    await recorder.untilMessages(recorder.messages.length + 20_000, 30_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await recorder.untilEvent('reset');
    for (const [index, message] of recorder.messages.entries()) {
      if (message.data.readUInt32LE() !== index) assert.is(message.data.readUInt32LE(), index);
    }
  }),
);

run(
  'whatever a peer says about shared memory costs that one connection',
  limited(60_000, async () => {
    await using all = new Messengers('async');
    const { messenger, recorder } = await all.server({ name: 'osd.0' });
    messenger.setDefaultPolicy(Policy.statelessServer());
    const say = (step: number, more = Buffer.alloc(0)): Buffer =>
      assembleControlFrame(Tag.SharedMemory, Buffer.concat([Buffer.of(step), more]));
    const peerAddr = EntityAddr.parse('v2:127.0.0.1:1');
    const invitation = { name: Buffer.alloc(16), token: Buffer.alloc(16), peerAddr };
    const invite = assembleControlFrame(
      Tag.SharedMemory,
      sharedMemoryFrame.encode({ step: SharedMemoryStep.Invite, invitation }),
    );
    const { Ask, Invite, Given, Switched, Declined } = SharedMemoryStep;
    const wrong: readonly Buffer[][] = [
      [say(Given)],
      [say(Switched)],
      [say(Declined)],
      [say(Invite)],
      [say(0)],
      [say(255)],
      [invite],
      [assembleControlFrame(Tag.SharedMemory, Buffer.alloc(0))],
      [say(Ask), say(Ask)],
      [say(Ask), say(Switched)],
      // Nobody came to the UNIX socket: declined, and then it is over.
      [say(Ask), say(Given), say(Given)],
      [say(Ask), say(Declined), say(Given)],
      [say(Ask), invite],
    ];
    for (const knowsIt of [true, false]) {
      for (const [index, frames] of wrong.entries()) {
        const peer = await HostilePeer.reach(messenger.myAddrs.front!, 'session', knowsIt);
        for (const frame of frames) peer.write(frame);
        await peer.closed();
        assert.ok(peer.isClosed, `case ${index}`);
      }
      const peer = await HostilePeer.reach(messenger.myAddrs.front!, 'session', knowsIt);
      peer.write(say(Ask));
      if (knowsIt) {
        peer.write(say(Declined));
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.not(peer.isClosed, 'asked and declined: nothing has happened');
        peer.destroy();
      } else {
        await peer.closed();
      }
    }
    assert.is(recorder.messages.length, 0);
  }),
);

test.run();
