/**
 * Tickets of a real monitor renewed a thousand times while the client works with them: commands to the
 * monitor, and connections to an OSD that show the newest ticket. The session with the monitor is broken
 * now and then, with and without a renewal under way. Nothing is lost.
 *
 * The client's time runs a hundred times as fast, so that tickets of eight seconds are due every 60 ms.
 *
 * @timeLimitSeconds 400
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephxSession } from '../../src/auth/cephx/session.ts';
import { Keyring } from '../../src/auth/keyring.ts';
import { MsgrError } from '../../src/errors.ts';
import { Message } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { MonClient } from '../../src/mon/client/mon-client.ts';
import { resolveOptions } from '../../src/options.ts';
import type { Clock } from '../../src/transport/clock.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { MCommand } from '../../src/wire/messages/m-command.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { testTransports } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const renewalsWanted = 1000;
const speed = 100;
const ticketSeconds = 8;

const fastClock: Clock = {
  nowMs: () => performance.now() * speed,
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs / speed),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  setImmediate: (callback) => void setImmediate(callback),
};
const startedAt = Date.now() - performance.now() * speed;
const fastWallClock = (): number => startedAt + performance.now() * speed;

/** Every so many requests the session with the monitor is broken, in the middle of the request. */
const requestsPerBreak = 40;

/** Counts what was renewed, and what was given up half-way. */
class CountedSession extends CephxSession {
  renewals = 0;
  abandoned = 0;
  onRequest: (count: number) => void = () => {};
  #requests = 0;

  override nextRequest(now: number): Buffer | undefined {
    const payload = super.nextRequest(now);
    if (payload !== undefined) this.onRequest(++this.#requests);
    return payload;
  }

  override handleReply(reply: Parameters<CephxSession['handleReply']>[0]): void {
    super.handleReply(reply);
    this.renewals++;
  }

  override abandonRequest(): void {
    super.abandonRequest();
    this.abandoned++;
  }
}

async function thousandRenewals(mode: 'crc' | 'secure', transport: 'async' | 'simple'): Promise<void> {
  // Monitors rotate on their tick, and an OSD fetches on its monitor client's: both faster than a ticket ends.
  const conf = {
    'auth service ticket ttl': String(ticketSeconds),
    'mon tick interval': '1',
    'mon client ping interval': '1',
  };
  await using cluster = await CephCluster.start({ osds: 1, auth: 'cephx', mode, conf });
  const name = EntityAuthName.parse('client.admin');
  const { key } = Keyring.load([cluster.keyringPath('client.admin')]).require(name);
  const modes = { ms_mon_client_mode: mode, ms_client_mode: mode };
  const auth = new CountedSession({ name, key, options: resolveOptions(modes), now: fastWallClock });
  await using messenger = Messenger.create({ name: 'client.?', auth, transport, options: modes });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.start();
  await using client = new MonClient({
    name,
    monHost: cluster.monAddrs[0]!,
    auth,
    messenger,
    clock: fastClock,
    wallClock: fastWallClock,
    // In its fast time: one, ten and thirty real seconds.
    options: { mon_client_hunt_interval: 100, mon_client_ping_interval: 1000, mon_client_ping_timeout: 3000 },
  });
  await client.connect({ timeoutMs: 20_000 * speed });
  const osd = (await cluster.addrsOf(0)).public;

  let isOver = false;
  let commands = 0;
  let osdConnections = 0;
  const failures: unknown[] = [];
  const commandWorker = async (): Promise<void> => {
    while (!isOver) {
      await client.command({ prefix: 'osd tree' });
      commands++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  /** A connection with the ticket of the moment, one command over it, and its answer. */
  const osdWorker = async (): Promise<void> => {
    const command = { fsid: client.fsid!, command: ['{"prefix":"version"}'], input: new Uint8Array(0) };
    while (!isOver) {
      const connection = messenger.getConnection(osd, { peerType: EntityType.Osd, isAnonymous: true });
      const reply = await connection.request(Message.of(MCommand, command), { timeoutMs: 30_000 });
      assert.match(reply.data.toString(), /"version": "\d+\.\d+\.\d+/);
      connection.markDown();
      osdConnections++;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const breakSession = (): void => {
    for (const connection of messenger.connections()) {
      if (connection.peerName.type === EntityType.Mon) connection.markDown();
    }
  };
  // By turns before the request has left, on its way, and when its answer may be there.
  const whens = [
    () => queueMicrotask(breakSession),
    () => setImmediate(breakSession),
    () => setTimeout(breakSession, 1),
  ];
  auth.onRequest = (count) => {
    if (!isOver && count % requestsPerBreak === 0) whens[(count / requestsPerBreak) % whens.length]!();
  };
  const work = [commandWorker(), commandWorker(), osdWorker()].map((worker) =>
    worker.catch((error: unknown) => failures.push(error)),
  );
  await waitUntil(() => auth.renewals >= renewalsWanted || failures.length > 0, 300_000, 'the renewals', 50);
  isOver = true;
  await Promise.all(work);
  assert.equal(
    failures.map((error) => (error instanceof MsgrError ? error.message : error)),
    [],
  );
  assert.ok(
    commands > 500 && osdConnections > 500,
    `${commands} commands, ${osdConnections} OSD connections`,
  );
  console.log(
    `  ${auth.renewals} renewals, ${auth.abandoned} given up half-way; ${commands} commands, ${osdConnections} connections to the OSD`,
  );
}

if (requireCeph('test/real-ceph/mon-client-tickets')) {
  const [transport] = testTransports();
  test(
    `secure mode, ${transport}: ${renewalsWanted} renewals under load`,
    limited(380_000, () => thousandRenewals('secure', transport!)),
  );
}

test.run();
