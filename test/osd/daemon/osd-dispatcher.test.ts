/** What comes to an OSD over its public and cluster messengers: taken by whom it may come from, else let go. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReceivedMessage } from '../../../src/messenger/message.ts';
import { CommandTable } from '../../../src/osd/daemon/command-table.ts';
import { opMapEpoch } from '../../../src/osd/daemon/op-epoch.ts';
import { OsdDispatcher } from '../../../src/osd/daemon/osd-dispatcher.ts';
import { osdPerfSchema, PerfCounters } from '../../../src/osd/daemon/perf-counters.ts';
import { EntityName } from '../../../src/wire/entity-name.ts';
import { MCommand } from '../../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../../src/wire/messages/m-command-reply.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { MOSDMarkMeDown } from '../../../src/wire/messages/m-osd-mark-me-down.ts';
import type { MessageType } from '../../../src/wire/messages/registry.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

function bench(hasCaps: boolean): {
  dispatcher: OsdDispatcher;
  did: string[];
  perf: PerfCounters<keyof typeof osdPerfSchema>;
} {
  const did: string[] = [];
  const perf = new PerfCounters(osdPerfSchema);
  const dispatcher = new OsdDispatcher({
    commands: new CommandTable(),
    perf,
    hasCaps,
    handleMap: (_map, isFromMonitor) => did.push(`map ${isFromMonitor ? 'of a monitor' : 'of an osd'}`),
    stopAcknowledged: () => did.push('stop'),
    shareMap: (_connection, epoch) => did.push(`share from ${epoch}`),
    refused: () => did.push('refused'),
    log: () => {},
  });
  return { dispatcher, did, perf };
}

function received(
  from: EntityName,
  type: number,
  body?: unknown,
  caps?: string,
): ReceivedMessage & { replies: { type: number; body: unknown }[] } {
  const replies: unknown[] = [];
  const message = {
    type,
    version: 8,
    front: new Uint8Array(0),
    connection: { peerName: from, auth: { caps } },
    as: (wanted: MessageType<unknown>) => (wanted.type === type ? body : undefined),
    reply: (reply: unknown) => replies.push(reply) > 0,
    replies,
  };
  return message as never;
}

const mon = EntityName.mon(0);
const peer = EntityName.osd(2);
const client = EntityName.client(7);

test('maps are taken from monitors and OSDs alone', () => {
  const { did, dispatcher } = bench(false);
  for (const from of [mon, peer, client]) assert.ok(dispatcher.dispatch(received(from, MOSDMap.type, {})));
  assert.equal(did, ['map of a monitor', 'map of an osd']);
});

test('only a monitor confirms that the OSD goes', () => {
  const { did, dispatcher } = bench(false);
  for (const from of [peer, client, mon]) dispatcher.dispatch(received(from, MOSDMarkMeDown.type));
  assert.equal(did, ['stop']);
});

test('messages about placement groups and operations of clients are let go, and counted', () => {
  const { did, dispatcher, perf } = bench(false);
  for (const type of [80, 83, 112, 120, 131, 150]) assert.ok(dispatcher.dispatch(received(peer, type)));
  assert.ok(dispatcher.dispatch(received(client, 42)));
  assert.not(dispatcher.dispatch(received(client, 5001)), 'a type that no OSD knows');
  assert.equal([perf.get('peering_dropped'), perf.get('op_dropped')], [6, 1]);
  assert.equal(did, []);
});

test('the client of an operation is told the newer map, by the epoch that it has', () => {
  // As `rados put` began one: spg_t, hash, epoch 15.
  const front = Buffer.from('01011200000001010000000000000007000000ffffffffffffdef86c0f000000240040', 'hex');
  assert.is(opMapEpoch({ version: 8, front }), 15);
  assert.is(opMapEpoch({ version: 7, front }), undefined);
  for (let length = 0; length < 32; length++) {
    assert.is(opMapEpoch({ version: 8, front: front.subarray(0, length) }), undefined);
  }
  const { did, dispatcher } = bench(false);
  dispatcher.dispatch({ ...received(client, 42), front } as unknown as ReceivedMessage);
  assert.equal(did, ['share from 15']);
});

test('commands are answered: with EPERM to those who may not give them, never with silence', async () => {
  const command = { fsid: Uuid.zero, command: ['{"prefix":"help"}'], input: new Uint8Array(0) };
  const resultFor = async (hasCaps: boolean, caps: string | undefined, body: MCommand): Promise<number> => {
    const message = received(client, MCommand.type, body, caps);
    bench(hasCaps).dispatcher.dispatch(message);
    await new Promise((resolve) => setImmediate(resolve));
    assert.is(message.replies.length, 1);
    return MCommandReply.decode(message.replies[0] as never).result;
  };
  assert.is(await resultFor(true, 'allow *', command), 0);
  assert.is(await resultFor(true, 'allow rw', command), -1);
  assert.is(await resultFor(true, undefined, command), -1);
  assert.is(await resultFor(false, undefined, command), 0);
  assert.is(await resultFor(false, undefined, { ...command, command: [] }), -22);
});

test('a refused connection is looked at when an OSD should have been there', () => {
  const { did, dispatcher } = bench(false);
  for (const peerName of [mon, client, peer]) dispatcher.handleRefused({ peerName } as never);
  assert.equal(did, ['refused']);
});

test.run();
