/** Commands that nobody in his right mind sends: each is answered once, with an error number, and nothing ends. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noneSession } from '../../../../src/auth/none.ts';
import { Message } from '../../../../src/messenger/message.ts';
import { Messenger } from '../../../../src/messenger/messenger.ts';
import { Policy } from '../../../../src/messenger/policy.ts';
import { MonCaps } from '../../../../src/mon/server/caps/mon-caps.ts';
import { allCommands } from '../../../../src/mon/server/commands/all-commands.ts';
import { CommandRegistry } from '../../../../src/mon/server/commands/registry.ts';
import { parseSignature } from '../../../../src/mon/server/commands/signature.ts';
import { tellCommands } from '../../../../src/mon/server/commands/tell.ts';
import type { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MonSession } from '../../../../src/mon/server/session.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityName, EntityType } from '../../../../src/wire/entity-name.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { MCommand } from '../../../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../../../src/wire/messages/m-command-reply.ts';
import { MMonCommand } from '../../../../src/wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../../../src/wire/messages/m-mon-command-ack.ts';
import { MessageRegistry } from '../../../../src/wire/messages/registry.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { HostilePeer } from '../../../support/hostile-peer.ts';
import { openMonitor } from './hostile-clients.ts';

let monitor: Monitor;

test.before(async () => {
  monitor = await openMonitor();
});
test.after(async () => {
  await monitor.close();
  assert.is(await monitor.ended, undefined);
});

const session: MonSession = {
  connection: { peerName: EntityName.client(1), features: 0n, remoteHost: '127.0.0.1' } as never,
  entity: EntityAuthName.parse('client.hostile'),
  globalId: 1n,
  caps: MonCaps.all,
  addrs: EntityAddrVec.empty,
  isClosed: false,
  osdEpoch: 0,
};

const registries = [new CommandRegistry(allCommands), new CommandRegistry(tellCommands)];

async function run(text: string, input: Uint8Array = Buffer.alloc(0)): Promise<number> {
  let last = 0;
  for (const registry of registries) {
    const { data, message, result } = await registry.run({ command: [text], input, session }, monitor);
    assert.ok(Number.isInteger(result) && result <= 0 && result > -200, text);
    assert.type(message, 'string');
    assert.ok(typeof data === 'string' || data instanceof Uint8Array, text);
    last = result;
  }
  return last;
}

const notCommands = [
  '',
  'garbage',
  '[]',
  '[{"prefix":"status"}]',
  'null',
  '5',
  '"status"',
  '{}',
  '{"prefix":5}',
  '{"prefix":null}',
  '{"prefix":["status"]}',
  '{"prefix":{}}',
  '{"prefix":""}',
  '{"prefix":"stat"}',
  '{"prefix":"status "}',
  '{"prefix":"__proto__"}',
  '{"prefix":"constructor"}',
  '{"prefix":"status","__proto__":{"format":"json"}}',
  '{"prefix":"status","format":{"a":1},"b":1}',
  `{"prefix":"status","x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  `{"prefix":"${'x'.repeat(100_000)}"}`,
];

for (const text of notCommands) {
  test(`${text.slice(0, 60)}: EINVAL`, async () => assert.is(await run(text), -22));
}

const prefixes = [...allCommands, ...tellCommands].map(({ signature }) => parseSignature(signature));

/** Of the command's own names, with values of every kind. */
const strangeCommand = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.array(fc.tuple(fc.nat({ max: 6 }), fc.jsonValue({ maxDepth: 3 })), { maxLength: 5 }),
  )
  .map(([{ arguments: args, prefix }, values]) => {
    const named = values.map(([index, value]) => [
      args[index % Math.max(1, args.length)]?.name ?? 'x',
      value,
    ]);
    return JSON.stringify({ prefix, ...Object.fromEntries(named) });
  });

test('values of every kind in every place', () =>
  fc.assert(
    fc.asyncProperty(strangeCommand, fc.uint8Array({ maxLength: 40 }), async (text, input) => {
      await run(text, input);
    }),
    { numRuns: 150 },
  ));

/** Texts where texts belong, so that commands get further. */
const wildTexts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    'client.x',
    'osd.0',
    'global',
    'osd/host:a',
    '*',
    '',
    'mon.',
    '0',
    '-1',
    '1e400',
    '99999999999999999999',
    'a/b/c',
    'x'.repeat(5000),
  ),
);
const textCommand = fc
  .tuple(fc.constantFrom(...prefixes), fc.array(wildTexts, { minLength: 6, maxLength: 6 }))
  .map(([{ arguments: args, prefix }, texts]) => {
    const values = args.map(({ isList, name, type }, index) => {
      const text = texts[index % texts.length]!;
      if (isList) return [name, [text, texts[(index + 1) % texts.length]]];
      return [name, type === 'CephInt' ? Number(text.length) : type === 'CephBool' ? true : text];
    });
    return JSON.stringify({ prefix, ...Object.fromEntries(values) });
  });

test('strange texts in every place', () =>
  fc.assert(
    fc.asyncProperty(textCommand, fc.string({ unit: 'binary', maxLength: 60 }), async (text, input) => {
      await run(text, Buffer.from(input));
    }),
    { numRuns: 150 },
  ));

test('of another cluster: EPERM; to the monitor itself: EACCES', async () => {
  const messenger = Messenger.create({
    name: 'client.1',
    auth: noneSession(EntityAuthName.parse('client.admin')),
    messageTypes: new MessageRegistry(cephMessages),
    transport: 'simple',
  });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.start();
  const fsid = Uuid.parse('11111111-2222-3333-4444-555555555555');
  const command = ['{"prefix":"fsid"}'];
  try {
    const connection = messenger.getConnection(monitor.publicAddrs, { peerType: EntityType.Mon });
    const ack = await connection.request(Message.of(MMonCommand, { fsid, command, input: Buffer.alloc(0) }));
    assert.is(ack.as(MMonCommandAck)!.result, -1);
    const reply = await connection.request(Message.of(MCommand, { fsid, command, input: Buffer.alloc(0) }));
    assert.is(reply.as(MCommandReply)!.result, -13);
    const ours = Message.of(MMonCommand, { fsid: monitor.fsid, command, input: Buffer.alloc(0) });
    assert.is((await connection.request(ours)).as(MMonCommandAck)!.result, 0);
  } finally {
    await messenger.shutdown();
  }
});

test('before authentication: the stream is closed', async () => {
  const peer = await HostilePeer.reach(monitor.publicAddrs.front!, 'connected');
  // The banner is right; then comes a MESSAGE frame's preamble where HELLO must be.
  peer.write(
    Buffer.from(
      'ceph v2\n\x10\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00',
      'latin1',
    ),
  );
  peer.write(Buffer.concat([Buffer.from([17, 1]), Buffer.alloc(62)]));
  await peer.closed();
});

test('what is said of secrets in the audit log', async () => {
  await run('{"prefix":"config-key set","key":"k","val":"very secret"}');
  const lines = monitor.log.entries
    .map(({ message }) => message)
    .filter((line) => line.includes('config-key set'));
  assert.ok(lines.length > 0);
  for (const line of lines) assert.not.match(line, 'very secret');
});

test.run();
