/**
 * A monitor that is authenticated and means harm, or is broken: what it sends costs it the session, and the
 * client goes on with another. Nothing of it reaches a user, and nothing waits for it for ever.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import { encodeMonMap } from '../../../src/maps/mon-map.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { MLogAck } from '../../../src/wire/messages/m-log-ack.ts';
import { MMonCommand } from '../../../src/wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../../src/wire/messages/m-mon-command-ack.ts';
import { MMonGetMap } from '../../../src/wire/messages/m-mon-get-map.ts';
import { MMonGetVersionReply } from '../../../src/wire/messages/m-mon-get-version-reply.ts';
import { MMonMap } from '../../../src/wire/messages/m-mon-map.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { SeededRandom } from '../../maps/support/random.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

/** What monitors send. */
const types = {
  monMap: 4,
  auth: 18,
  version: 20,
  osdMap: 41,
  ack: 51,
  logAck: 53,
  config: 62,
  mgrMap: 0x704,
};

const seed = Number(process.env.MSGR2_SEED ?? 20261125);

/** Payloads that do not decode: nothing, noise, counts of billions, and real ones cut off. */
function garbage(type: number, random: SeededRandom): Buffer[] {
  const noise = Buffer.from(Array.from({ length: 300 }, () => random.between(0, 255)));
  const recorded = fixtureMessages(type)
    .filter(({ front }) => front.length > 8)
    .slice(0, 1);
  const cuts = recorded.flatMap(({ front }) =>
    [4, Math.floor(front.length / 2)].map((end) => front.subarray(0, end)),
  );
  return [Buffer.alloc(0), Buffer.alloc(64, 0xff), noise, ...cuts].map((bytes) => Buffer.from(bytes));
}

for (const [name, type] of Object.entries(types)) {
  test(`${name}: what does not decode ends the session, and another monitor serves`, async () => {
    const random = new SeededRandom(seed);
    for (const front of garbage(type, random)) {
      await using cluster = await FakeCluster.start();
      const client = await cluster.connected();
      const bad = cluster.monitorOf(client);
      const causes: MsgrError[] = [];
      client.on('sessionLost', (_, cause) => causes.push(cause));
      bad.send(new Message({ type, front, tid: 1n }));
      await cluster.settle(client.command({ prefix: 'status' }));
      await cluster.pass(1000);
      // Noise may decode as something harmless, but nothing else may come of it.
      assert.ok(causes.length <= 1);
      if (front.length === 0 || causes.length === 1) {
        assert.is(causes[0]!.code, ErrorCode.Malformed);
        assert.is.not(client.currentMon!.name, bad.name);
      }
    }
  });
}

test('a needed version above ours ends the session', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const bad = cluster.monitorOf(client);
  bad.send(new Message({ type: types.config, version: 9, compatVersion: 9, front: Buffer.alloc(4) }));
  await cluster.settle(client.command({ prefix: 'status' }));
  await cluster.pass(100);
  assert.is.not(client.currentMon!.name, bad.name);
});

test('bad maps while hunting: the others are asked; a lone one fails connect with the reason', async () => {
  const spoil: Record<string, (cluster: FakeCluster) => Uint8Array> = {
    noise: () => Buffer.alloc(200, 0xff),
    empty: () => Buffer.alloc(0),
    'another cluster': (cluster) => encodeMonMap({ ...cluster.monMap, fsid: Uuid.random() }),
    'no monitors': (cluster) => encodeMonMap({ ...cluster.monMap, monitors: new Map(), ranks: [] }),
    'msgr1 only': (cluster) =>
      encodeMonMap(
        cluster.makeMonMap(
          1,
          Object.fromEntries(
            ['a', 'b', 'c'].map((name) => [name, { publicAddrs: EntityAddrVec.parse('v1:10.0.0.1:6789') }]),
          ),
        ),
      ),
  };
  for (const [what, make] of Object.entries(spoil)) {
    const answering = (cluster: FakeCluster) => (message: ReceivedMessage) => {
      if (message.type !== MMonGetMap.type) return false;
      message.connection.send(Message.of(MMonMap, { monmap: make(cluster) }));
      return true;
    };
    for (const bad of ['a', 'b', 'c']) {
      await using cluster = await FakeCluster.start();
      cluster.monitor(bad).onMessage = answering(cluster);
      const client = cluster.client({ fsid: cluster.fsid });
      await cluster.settle(client.connect(), 4000);
      assert.is.not(client.currentMon!.name, bad);
    }
    await using cluster = await FakeCluster.start({ mons: 1 });
    cluster.monitor('a').onMessage = answering(cluster);
    const client = cluster.client({ fsid: cluster.fsid });
    const outcome = await cluster.settle(
      client.connect({ timeoutMs: 7000 }).then(
        () => 'connected',
        (error: MsgrError) => error.message,
      ),
    );
    assert.match(outcome, /monmap|monitor map|of cluster/, what);
    assert.is(client.fsid, cluster.fsid);
  }
});

test('answers to nobody, or of the wrong kind, settle nothing', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const monitor = cluster.monitorOf(client);
  let held: ReceivedMessage | undefined;
  monitor.onMessage = (message) => {
    if (message.type !== MMonCommand.type) return false;
    held = message;
    return true;
  };
  let isSettled = false;
  const asked = client.command({ prefix: 'status' }).finally(() => {
    isSettled = true;
  });
  await cluster.until(() => held !== undefined, 'the command');
  const { tid } = held!;
  const ack = { result: 0, status: '', command: [], output: Buffer.from('forged') };
  monitor.send(Message.of(MMonGetVersionReply, { handle: tid, version: 1n, oldestVersion: 1n }));
  for (const wrong of [0n, tid + 1n, tid + (1n << 32n), (1n << 64n) - 1n]) {
    monitor.send(Message.of(MMonCommandAck, ack, { tid: wrong }));
  }
  monitor.send(Message.of(MLogAck, { fsid: cluster.fsid, last: (1n << 64n) - 1n, channel: '' }));
  await cluster.pass(1000);
  assert.not(isSettled);
  assert.is(client.currentMon?.name, monitor.name);
  held!.reply(Message.of(MMonCommandAck, { ...ack, output: Buffer.from('true') }));
  assert.is((await cluster.settle(asked)).output.toString(), 'true');
});

test('what a monitor sends that is not ours any more is not heard', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const first = cluster.monitorOf(client);
  const heard: string[] = [];
  client.on('config', (config) => heard.push([...config.keys()].join(',')));
  await cluster.pass(5000);
  heard.length = 0;
  first.pause();
  await cluster.settle(client.command({ prefix: 'status' }));
  cluster.config = new Map([['late', '1']]);
  first.resume();
  await cluster.pass(60_000);
  assert.ok(!heard.includes('late'), 'the old monitor is not listened to');
  assert.is(client.messenger.connections().length, 1);
});

test('OSDMaps of another cluster, and maps that are none, end the session; readers see only the right ones', async () => {
  const wrong: ((cluster: FakeCluster) => Message)[] = [
    (cluster) => Message.of(MOSDMap, { ...cluster.osdMaps.message([10], []), fsid: Uuid.random() }),
    (cluster) =>
      Message.of(MOSDMap, {
        ...cluster.osdMaps.message([], []),
        newestMap: 12,
        maps: new Map([[12, Buffer.alloc(90, 0xff)]]),
      }),
  ];
  for (const make of wrong) {
    await using cluster = await FakeCluster.start();
    cluster.osdMaps.commit();
    const client = await cluster.connected();
    const epochs: number[] = [];
    void (async () => {
      for await (const { epoch } of client.osdMaps()) epochs.push(epoch);
    })();
    await cluster.pass(100);
    const bad = cluster.monitorOf(client);
    bad.send(make(cluster));
    await cluster.until(
      () => client.currentMon !== undefined && client.currentMon.name !== bad.name,
      'another',
    );
    cluster.commit();
    cluster.commit();
    await cluster.pass(2000);
    assert.equal(epochs, [11, 12, 13]);
  }
});

test('a monitor that claims epochs it does not send loses the session', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const epochs: number[] = [];
  void (async () => {
    for await (const { epoch } of client.osdMaps()) epochs.push(epoch);
  })();
  await cluster.pass(100);
  const liar = cluster.monitorOf(client);
  liar.onMessage = ({ type }) => type === 6 || type === 15;
  liar.send(Message.of(MOSDMap, { ...cluster.osdMaps.message([], []), newestMap: 0xffff_ffff }));
  await cluster.until(
    () => client.currentMon !== undefined && client.currentMon.name !== liar.name,
    'another',
    20_000,
  );
  cluster.commit();
  await cluster.pass(1000);
  assert.equal(epochs, [10, 11]);
});

test('a flood of everything is neither kept nor answered', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected();
  const [monitor] = cluster.monitors;
  const before = monitor!.received.length;
  for (let n = 0; n < 5000; n++) {
    monitor!.send(Message.of(MOSDMap, { ...cluster.osdMaps.message([10], []), newestMap: n }));
    monitor!.send(Message.of(MMonMap, { monmap: cluster.monMapBytes() }));
    monitor!.send(new Message({ type: 0x777, data: Buffer.alloc(100) }));
  }
  await cluster.pass(1000);
  assert.is(monitor!.received.length, before);
  assert.is((await cluster.settle(client.command({ prefix: 'status' }))).code, 0);
});

test.run();
