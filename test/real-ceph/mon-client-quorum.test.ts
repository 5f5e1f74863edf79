/**
 * Three real ceph-mons, which die, stand still and come back while a client commands them and follows the
 * OSDMap. It fails over within three hunting intervals (of 3 s), misses no epoch and repeats none, and every
 * command is answered, or fails with an error that says why.
 *
 *      a b c   the session's monitor, made leader by rank, is killed with -9     quorum of the other two
 *      a b c   it is back; the session's monitor is paused                       quorum of the other two
 *      a b c   another one is killed besides                                     no quorum: nothing is answered
 *      a b c   the paused one goes on                                            quorum of two again
 *      a b c   the killed one is back                                            quorum of three
 *
 * @timeLimitSeconds 600
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import type { MonClient } from '../../src/mon/client/mon-client.ts';
import { QuorumWorkload } from '../mon/support/quorum-workload.ts';
import { adminClient, type Protection, protections } from '../mon/support/real-client.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { testTransports } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const huntMs = 3000;

/** When sessions began and ended. */
class SessionTimes {
  readonly begun: { name: string; atMs: number }[] = [];
  readonly lost: { name: string; atMs: number; reason: string }[] = [];

  constructor(client: MonClient) {
    client.on('session', ({ name }) => this.begun.push({ name, atMs: performance.now() }));
    client.on('sessionLost', ({ name }, { message }) =>
      this.lost.push({ name, atMs: performance.now(), reason: message }),
    );
  }

  /** The first session after a moment, with another monitor than `name`: how long it took. */
  async failover(sinceMs: number, name: string): Promise<number> {
    const found = await waitUntil(
      () => this.begun.find((session) => session.atMs > sinceMs && session.name !== name),
      60_000,
      `a session with another monitor than mon.${name}`,
      5,
    );
    return found.atMs - sinceMs;
  }
}

async function rejection(promise: Promise<unknown>): Promise<MsgrError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MsgrError) return error;
    throw error;
  }
  throw new Error('it did not reject');
}

interface MonStatus {
  readonly quorum: readonly number[];
  readonly monmap: { readonly mons: readonly { name: string; rank: number }[] };
}

async function statusOf(cluster: CephCluster, name: string): Promise<MonStatus> {
  return (await cluster.daemon(`mon.${name}`, 'mon_status')) as MonStatus;
}

/** As one of the quorum sees it: the monitor of the lowest rank leads. Waits while an election is on. */
async function leaderOf(cluster: CephCluster, asked: string): Promise<string> {
  let leader: string | undefined;
  const look = async (): Promise<boolean> => {
    const { monmap, quorum } = await statusOf(cluster, asked);
    leader = monmap.mons.find(({ rank }) => rank === quorum[0])?.name;
    return leader !== undefined;
  };
  await waitUntil(look, 30_000, 'a leader');
  return leader!;
}

async function story(protection: Protection, transport: 'async' | 'simple'): Promise<void> {
  // A quorum notices a dead leader after two leases; Ceph's five seconds would only lengthen the test.
  const conf = { 'mon lease': '1' };
  await using cluster = await CephCluster.start({ mons: 3, ...protection.cluster, conf });
  const names = ['a', 'b', 'c'];
  const others = (...without: string[]): string[] => names.filter((name) => !without.includes(name));
  const failovers: string[] = [];
  const tell = (what: string, ms: number): void => {
    failovers.push(`${what} ${Math.round(ms)} ms`);
    assert.ok(ms < 3 * huntMs, `failover after ${what} took ${ms} ms`);
  };

  const leader = await leaderOf(cluster, 'a');
  const client = adminClient(cluster, protection, {
    transport,
    monHost: cluster.monAddrs[names.indexOf(leader)]!,
  });
  const times = new SessionTimes(client);
  await client.connect({ timeoutMs: 20_000 });
  assert.is(client.currentMon!.name, leader);
  const globalId = client.globalId;
  const work = new QuorumWorkload(client);
  await work.progress(20, 20_000);

  // The leader, which the session is with, is killed.
  let sinceMs = performance.now();
  await cluster.killMon(leader);
  tell('the leader was killed', await times.failover(sinceMs, leader));
  await cluster.untilQuorum(2, others(leader));
  await work.progress(20, 30_000);

  // It is back; then the session's monitor stands still.
  await cluster.startMon(leader);
  await cluster.untilQuorum(3);
  await work.progress(20, 30_000);
  const paused = client.currentMon!.name;
  sinceMs = performance.now();
  await cluster.pauseMon(paused);
  tell('a monitor was paused', await times.failover(sinceMs, paused));
  await cluster.untilQuorum(2, others(paused));
  await work.progress(20, 30_000);

  // And one of the other two is killed: the leader of the two, and the session's if it is that.
  const second = await leaderOf(cluster, others(paused)[0]!);
  const last = others(paused, second)[0]!;
  sinceMs = performance.now();
  await cluster.killMon(second);
  if (client.currentMon?.name !== last)
    tell('the second leader was killed', await times.failover(sinceMs, second));
  await waitUntil(
    async () => (await statusOf(cluster, last)).quorum.length === 0,
    30_000,
    'the last monitor to leave the quorum',
  );
  const answered = work.answered;
  const late = await rejection(client.command({ prefix: 'osd tree' }, { timeoutMs: 4000 }));
  assert.is(late.code, ErrorCode.Timeout);
  assert.match(late.message, /^mon command 'osd tree': no answer within 4000 ms/);
  assert.is(work.answered, answered, 'nobody answers without a quorum');
  const waiting = client.command({ prefix: 'quorum_status', format: 'json' });

  // The paused one goes on: two of three are enough, and what waited is answered.
  cluster.resumeMon(paused);
  await cluster.untilQuorum(2, [paused, last]);
  assert.is((await waiting).code, 0);
  await work.progress(20, 60_000);
  await cluster.startMon(second);
  await cluster.untilQuorum(3);
  await work.progress(20, 30_000);
  assert.is(client.globalId, globalId);
  await work.finish();
  console.log(
    `  ${work.answered} command pairs, ${work.epochs.length} epochs, ${times.begun.length} sessions; ${failovers.join(', ')}`,
  );
}

if (requireCeph('test/real-ceph/mon-client-quorum')) {
  for (const protection of protections) {
    const [transport] = testTransports();
    test(
      `${protection.title}, ${transport}: monitors die and stand still, no epoch and no command is lost`,
      limited(180_000, () => story(protection, transport!)),
    );
  }
}

test.run();
