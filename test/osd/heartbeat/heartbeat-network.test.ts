/** One network's half of the heartbeats, rule by rule (facts 5.2 to 5.6). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OsdState } from '../../../src/maps/states.ts';
import type { MainWatch } from '../../../src/osd/heartbeat/main-watch.ts';
import { OSDPingOp, osdPingPadding } from '../../../src/wire/messages/m-osd-ping.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { anyPing, LoneNetwork } from './lone-network.ts';

/** With random() = 0.5 a beat comes every 3.5 s: 0.5 + 5/10 of six seconds. */
const beatMs = 3500;

test('a beat pings every peer, with what Ceph writes into a PING', () => {
  const lone = new LoneNetwork();
  lone.map();
  const [one, two] = [lone.add(1), lone.add(2)];
  lone.run(beatMs);
  assert.is(one.sent.length, 1);
  assert.is(two.sent.length, 1);
  const [ping] = one.sent;
  assert.equal(ping!.fsid, anyPing.fsid);
  assert.is(ping!.op, OSDPingOp.Ping);
  assert.is(ping!.mapEpoch, 20);
  assert.is(ping!.upFrom, 7);
  assert.is(ping!.paddingBytes, osdPingPadding(2000));
  assert.equal(
    ping!.monoPingStamp,
    { sec: 4, nsec: 500_000_000 },
    'since the process began, a second before',
  );
  assert.equal(ping!.monoSendStamp, ping!.monoPingStamp);
  assert.equal(ping!.pingStamp, { sec: 1_700_000_004, nsec: 500_000_000 });
  assert.is(ping!.deltaUb, undefined, 'nothing is known of its clock');
});

test('beats are between half a second and nine tenths of the interval more apart', () => {
  for (const [tenth, expectedMs] of [
    [0, 500],
    [0.99, 5900],
  ] as const) {
    const lone = new LoneNetwork({}, () => tenth);
    lone.map();
    const link = lone.add(1);
    lone.run(expectedMs - 1);
    assert.is(link.sent.length, 0);
    lone.run(1);
    assert.is(link.sent.length, 1);
  }
  const exact = new LoneNetwork({ debug_disable_randomized_ping: true, osd_heartbeat_interval: 2 });
  exact.map();
  const link = exact.add(1);
  exact.run(10_000);
  assert.is(link.sent.length, 5);
});

test('without a map nothing is sent and nothing answered', () => {
  const lone = new LoneNetwork();
  const link = lone.add(1);
  lone.run(20_000);
  assert.is(link.sent.length, 0);
  assert.equal(lone.ping(1), []);
});

test('a PING is answered with its stamps, our epoch and our clock', () => {
  const lone = new LoneNetwork();
  lone.map();
  lone.run(250);
  const [answer, ...more] = lone.ping(3);
  assert.equal(more, []);
  assert.is(answer!.op, OSDPingOp.PingReply);
  assert.equal(answer!.pingStamp, anyPing.pingStamp);
  assert.equal(answer!.monoPingStamp, anyPing.monoPingStamp);
  assert.equal(answer!.monoSendStamp, { sec: 1, nsec: 250_000_000 });
  assert.is(answer!.mapEpoch, 20);
  assert.is(answer!.upFrom, 7);
  // Its clock stood at 7.000000008 when ours stood at 1.25: we tell it the other bound.
  assert.equal(answer!.deltaUb, { sec: -5, nsec: -750_000_008 });
});

test('what belongs to another cluster is dropped', () => {
  const lone = new LoneNetwork();
  lone.map();
  assert.equal(lone.ping(3, { fsid: Uuid.random() }), []);
  const link = lone.add(1);
  lone.run(beatMs);
  lone.answer(link, link.sent[0], { fsid: Uuid.random() });
  lone.run(1000);
  assert.is(lone.told(1, 'lastRx'), 0);
});

test('YOU_DIED is for whoever is down since his map, and for who does not exist', () => {
  const state = new Uint32Array(10).fill(OsdState.exists | OsdState.up);
  state[3] = OsdState.exists;
  state[4] = 0;
  const downAt = new Uint32Array(10);
  downAt[3] = 18;
  const lone = new LoneNetwork();
  lone.map({ osdState: state, downAt });
  const ops = (from: number, mapEpoch: number): number[] => lone.ping(from, { mapEpoch }).map(({ op }) => op);
  assert.equal(ops(3, 17), [OSDPingOp.PingReply, OSDPingOp.YouDied]);
  assert.equal(ops(3, 18), [OSDPingOp.PingReply], 'it knows');
  assert.equal(ops(4, 20), [OSDPingOp.PingReply, OSDPingOp.YouDied]);
  assert.equal(ops(77, 20), [OSDPingOp.PingReply, OSDPingOp.YouDied], 'beyond the map');
  assert.equal(ops(2, 1), [OSDPingOp.PingReply]);
});

test('who has not proven to be the OSD that it says it is gets an answer, and is believed nothing', () => {
  const state = new Uint32Array(10).fill(OsdState.exists | OsdState.up);
  state[4] = 0;
  const lone = new LoneNetwork();
  lone.map({ osdState: state });
  lone.add(3);
  lone.run(beatMs);
  const [answer, ...more] = lone.ping(3, { mapEpoch: 10, upFrom: 9 }, false);
  assert.equal(more, []);
  assert.is(answer!.op, OSDPingOp.PingReply);
  assert.is(answer!.deltaUb, undefined);
  assert.equal(lone.ping(3, { op: OSDPingOp.YouDied, mapEpoch: 30 }, false), []);
  const ops = lone.ping(4, {}, false).map(({ op }) => op);
  assert.equal(ops, [OSDPingOp.PingReply, OSDPingOp.YouDied]);
  lone.run(1000);
  assert.equal(lone.events, [], 'neither dead nor with an old map');
});

test('YOU_DIED that we get is told at once', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  lone.run(beatMs);
  lone.answer(link, link.sent[0], { op: OSDPingOp.YouDied, mapEpoch: 30 });
  assert.equal(lone.events, [{ kind: 'youDied', osd: 1, epoch: 30 }]);
});

test('a peer whose map is older is told once for each pair of epochs, and only while we are active', () => {
  const lone = new LoneNetwork();
  lone.map({ isActive: false });
  lone.ping(3, { mapEpoch: 10 });
  lone.map();
  lone.ping(3, { mapEpoch: 10 });
  lone.ping(3, { mapEpoch: 10 });
  lone.run(1000);
  assert.equal(lone.events, [{ kind: 'peerEpoch', osd: 3, epoch: 10 }]);
  lone.map({ epoch: 21 });
  lone.ping(3, { mapEpoch: 10 });
  lone.ping(5, { mapEpoch: 30 });
  lone.run(1000);
  assert.is(lone.events.length, 2, 'a newer map of ours is news, a newer one of its own is not');
});

test('an answer settles its ping and all older ones; one that nobody waits for is ignored', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  lone.run(3 * beatMs);
  assert.is(link.sent.length, 3);
  lone.answer(link, link.sent[1]);
  lone.run(1000);
  assert.is(lone.told(1, 'oldestTx'), 3 * beatMs);
  const heardMs = lone.told(1, 'lastRx');
  lone.answer(link, link.sent[0]);
  lone.run(1000);
  assert.is(lone.told(1, 'lastRx'), heardMs);
  assert.is(lone.network.counters.repliesReceived, 2);
});

test('a ping unanswered for the grace makes its peer unhealthy, to the millisecond; an answer heals it', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  lone.run(beatMs + 20_000);
  assert.is(lone.told(1, 'isUnhealthy'), 0);
  lone.run(2);
  assert.is(lone.told(1, 'isUnhealthy'), 1);
  lone.answer(link);
  lone.run(1000);
  assert.is(lone.told(1, 'isUnhealthy'), 0);
});

test('an answer over a connection that was replaced is not the peer’s', () => {
  const lone = new LoneNetwork();
  lone.map();
  const old = lone.add(1);
  lone.run(beatMs);
  old.events.onReset();
  lone.run(1000);
  assert.is(lone.links.length, 2, 'opened again');
  assert.is(lone.told(1, 'isConnected'), 0);
  lone.answer(old, old.sent[0]);
  lone.run(1000);
  assert.is(lone.told(1, 'lastRx'), 0);
  lone.links[1]!.events.onConnected();
  lone.run(1000);
  assert.is(lone.told(1, 'isConnected'), 1);
});

test('a connection that breaks again and again is opened once a second', () => {
  const lone = new LoneNetwork();
  lone.map();
  lone.add(1);
  for (let ms = 0; ms < 10_000; ms += 100) {
    lone.links.at(-1)!.events.onReset();
    lone.run(100);
  }
  assert.ok(lone.links.length >= 6 && lone.links.length <= 11, `${lone.links.length}`);
});

test('a reset of a peer that is down in the map: it is no peer any more', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  const state = new Uint32Array(10).fill(OsdState.exists | OsdState.up);
  state[1] = OsdState.exists;
  lone.map({ osdState: state });
  link.events.onReset();
  lone.run(10_000);
  assert.is(lone.links.length, 1);
  assert.is(link.sent.length, 0);
});

test('a connection that hangs is opened anew after half the grace: a healed path is found at once', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  link.events.onConnected();
  lone.run(beatMs + 9_900);
  assert.is(lone.links.length, 1);
  lone.run(1_000);
  assert.is(lone.links.length, 2);
  assert.ok(link.isClosed);
});

test('refused connections are told at once, with the peer’s incarnation', () => {
  const lone = new LoneNetwork();
  lone.map();
  lone.add(1, 9).events.onRefused();
  assert.equal(lone.events, [{ kind: 'refused', osd: 1, upFrom: 9 }]);
});

test('a peer that came up anew is another one', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1, 5);
  lone.run(beatMs);
  lone.add(1, 5);
  assert.is(lone.links.length, 1, 'known');
  lone.add(1, 8);
  assert.ok(link.isClosed);
  lone.run(1000);
  assert.is(lone.told(1, 'firstTx'), 0);
  assert.is(lone.told(1, 'upFrom'), 8);
});

test('stuck threads: the internal heartbeat map, or main for longer than osd_op_thread_timeout', () => {
  let stillMs = 0;
  const main: MainWatch = { stillMs: () => stillMs, ended: () => 0, takeLagMsMax: () => 0, excuse() {} };
  const lone = new LoneNetwork({}, undefined, main);
  lone.map();
  stillMs = 14_000;
  assert.is(lone.ping(3).length, 1);
  stillMs = 16_000;
  assert.is(lone.ping(3).length, 0);
  stillMs = 0;
  lone.network.command({ kind: 'internalHealth', isHealthy: false });
  assert.is(lone.ping(3).length, 0);
  lone.network.command({ kind: 'internalHealth', isHealthy: true });
  assert.is(lone.ping(3).length, 1);
});

test('osd_debug_drop_ping: a run of pings of one sender is dropped', () => {
  let random = 0;
  const options = { osd_debug_drop_ping_probability: 0.5, osd_debug_drop_ping_duration: 3 };
  const lone = new LoneNetwork(options, () => random);
  lone.map();
  assert.is(lone.ping(3).length, 0);
  random = 0.9;
  assert.is(lone.ping(4).length, 1, 'another sender has luck of its own');
  assert.equal([lone.ping(3).length, lone.ping(3).length, lone.ping(3).length], [0, 0, 1]);
  assert.is(lone.network.counters.pingsDropped, 3);
});

test('a pause: answers that waited are no life and no latency, deadlines move, pings leave at once', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  lone.run(beatMs);
  lone.answer(link);
  lone.run(beatMs);
  const heardMs = lone.told(1, 'lastRx');
  assert.is(link.sent.length, 2);
  lone.host.pause();
  lone.answer(link, link.sent[1]);
  lone.run(60_000);
  lone.host.resume();
  lone.run(1);
  assert.is(lone.network.counters.repliesStale, 1);
  assert.is(lone.told(1, 'lastRx'), heardMs);
  assert.is(lone.told(1, 'lastRttMs'), 0);
  assert.is(lone.told(1, 'isUnhealthy'), 0);
  assert.ok(lone.events.some((event) => event.kind === 'late' && event.lagMs >= 58_000));
  lone.run(1);
  assert.ok(link.sent.length >= 3, 'pinged at once');
  lone.answer(link);
  lone.run(1000);
  assert.is(lone.told(1, 'oldestTx'), 0);
});

test('a peer that died before the pause is found without a whole new grace', () => {
  const lone = new LoneNetwork();
  lone.map();
  lone.add(1);
  lone.run(beatMs + 10_000);
  lone.host.pause();
  lone.run(60_000);
  lone.host.resume();
  lone.run(9_000);
  assert.is(lone.told(1, 'isUnhealthy'), 0);
  lone.run(2_000);
  assert.is(lone.told(1, 'isUnhealthy'), 1);
});

test('while main stands still nothing is posted; then it finds the newest state, once', () => {
  let stillMs = 0;
  const main: MainWatch = { stillMs: () => stillMs, ended: () => 0, takeLagMsMax: () => 0, excuse() {} };
  const lone = new LoneNetwork({}, undefined, main);
  lone.map();
  lone.add(1);
  lone.run(5000);
  stillMs = 5000;
  const before = lone.batches.length;
  lone.run(60_000);
  assert.is(lone.batches.length, before);
  stillMs = 0;
  lone.run(1000);
  assert.ok(lone.batches.length <= before + 2);
  assert.is(lone.told(1, 'isUnhealthy'), 1);
});

test('a peer silent for an hour costs no more than one silent for minutes', () => {
  const lone = new LoneNetwork();
  lone.map();
  lone.add(1);
  lone.run(3_600_000);
  assert.is(lone.told(1, 'oldestTx'), beatMs, 'and its oldest deadline stays');
});

test('stopped: links are closed, nothing is sent or answered', () => {
  const lone = new LoneNetwork();
  lone.map();
  const link = lone.add(1);
  lone.run(beatMs);
  lone.network.stop();
  lone.run(60_000);
  assert.is(link.sent.length, 1);
  assert.ok(link.isClosed);
  assert.equal(lone.ping(3), []);
  assert.is(lone.clock.pendingCount, 0);
});

test.run();
