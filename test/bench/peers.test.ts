/**
 * Every peer of the bench, very short: it starts, every message arrives with what was sent, and it ends.
 *
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installPeers, peersInstalled } from '../../bench/install-peers.ts';
import { buildNativePeers } from '../../bench/native-peers.ts';
import { findPeers, type Peer, type PeerSession } from '../../bench/peer.ts';
import { limited } from '../support/timeout.ts';

if (!peersInstalled()) await installPeers();
buildNativePeers();
const { peers, missing } = await findPeers();
for (const { name, reason } of missing) console.log(`SKIPPED bench peer ${name}: ${reason}`);

test('names and ranks are unique, and everybody says what he does', () => {
  const names = [...peers, ...missing].map(({ name }) => name);
  assert.ok(names.includes('simple') && names.includes('node:net'), names.join());
  assert.is(new Set(names).size, names.length);
  assert.is(new Set(peers.map(({ order }) => order)).size, peers.length);
  for (const { does, scenarios } of peers) assert.ok(does.length > 0 && scenarios.length > 0);
  for (const { name, reason } of missing) assert.ok(name.length > 0 && reason.length > 0);
});

const seconds = 0.03;

// The pair throws when a message is missing or its first byte is not the one that was sent.
const checks: Record<Peer['scenarios'][number], (session: PeerSession, peer: Peer) => Promise<void>> = {
  stream: (session) => streams(session, [7, 65_536, 300_007]),
  loopback: (session) => streams(session, [7, 65_536]),
  async rotating(session) {
    const sample = await session.throughput!({ sizeBytes: 65_536, seconds, payloads: 'rotating' });
    assert.is(sample.payloads, 'rotating');
    assert.ok(sample.messages > 0);
  },
  async requests(session, { depthMax }) {
    for (const depth of [1, 9]) {
      if (depth <= (depthMax ?? depth)) await roundTrips(session, 1000, depth);
    }
  },
  async heartbeats(session) {
    await roundTrips(session, 2000, 64);
    await roundTrips(session, 54, 1);
  },
  async gc(session) {
    const { messages, server, client } = await session.collections!({ sizeBytes: 64, seconds });
    assert.ok(messages > 0);
    assert.ok(server.allocatedBytes > 0 && client.allocatedBytes > 0);
  },
  async 'fan-in'(session) {
    await session.connect!(5);
    const sample = await session.throughput!({ sizeBytes: 100, seconds, active: 5 });
    assert.is(sample.active, 5);
    assert.ok(sample.messages > 5);
  },
};

async function roundTrips(session: PeerSession, sizeBytes: number, depth: number): Promise<void> {
  const sample = await session.roundTrips!({ sizeBytes, seconds, depth });
  assert.ok(sample.roundTrips >= depth);
  assert.ok(sample.server.userUs + sample.server.systemUs > 0);
  const { rttMs } = sample;
  assert.ok(0 < rttMs.min && rttMs.min <= rttMs.p50 && rttMs.p50 <= rttMs.p9999);
  assert.ok(rttMs.p9999 <= rttMs.max);
}

async function streams(session: PeerSession, sizes: readonly number[]): Promise<void> {
  for (const sizeBytes of sizes) {
    const sample = await session.throughput!({ sizeBytes, seconds });
    assert.ok(sample.messages > 0);
    assert.ok(Math.abs(sample.megabytesPerSecond * 1e6 - sample.messagesPerSecond * sizeBytes) < 1e3);
    assert.ok(sample.server.userUs + sample.server.systemUs > 0);
    assert.ok(sample.client.userUs + sample.client.systemUs > 0);
  }
}

/**
 * Kinds of msgr2 that differ in nothing but an option or a dispatcher have tests of their own (test/messenger,
 * test/cli/bench.test.ts). `async threaded` is another driver, and stays.
 */
const alike = /^(async|simple) (?!request|loopback|threaded)/;

for (const peer of peers.filter(({ name }) => !alike.test(name))) {
  test(
    `${peer.name}: ${peer.scenarios.join(', ')}`,
    limited(60_000, async () => {
      const session = await peer.start();
      try {
        for (const scenario of peer.scenarios) await checks[scenario](session, peer);
      } finally {
        await session.close();
      }
    }),
  );
}

test.run();
