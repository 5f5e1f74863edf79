/**
 * A real monitor rotates its secrets every few seconds, and every ticket runs out as fast. Requests flow all
 * the while, new clients come, ours and real ones: our sessions renew what they need by themselves, and
 * nothing is lost.
 *
 * @timeLimitSeconds 240
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/auth/errno.ts';
import type { MsgrError } from '../../src/errors.ts';
import { Message } from '../../src/messenger/message.ts';
import type { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { MCommand } from '../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../src/wire/messages/m-command-reply.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { type ClusterClient, clusterClient } from '../support/cluster-client.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { PlayedOsd } from '../support/played-osd.ts';
import { AcceptFailures, type Shown, shownTicket, showTicket } from '../support/shown-tickets.ts';
import { limited, waitUntil } from '../support/timeout.ts';

interface Context {
  cluster: CephCluster;
  admin: ClusterClient;
  osds: PlayedOsd[];
  failures: AcceptFailures[];
  firstTicket: Shown;
  /** Sessions with the monitor that ended. */
  lost: string[];
}

const rotation = suite<Context>('cephx: rotating keys');
const transports = testTransports();
/** Of tickets for services, and so of their secrets; tickets for the monitor's own service last twice as long. */
const ttlSeconds = 4;
const rotations = 3;
const waitMs = 60_000;
/** Requests under way on one connection. */
const window = 16;

/** A client of the session's: an address of its own. */
function newcomer(all: Messengers, { session }: ClusterClient): Messenger {
  const { messenger } = all.client({ name: `client.${session.globalId}`, auth: session });
  messenger.setDefaultPolicy(Policy.lossyClient());
  return messenger;
}

/** Requests to one OSD for as long as it is not stopped: many of one client, and one of each of many. */
class Load {
  sent = 0;
  answered = 0;
  newcomers = 0;
  #isOver = false;
  readonly #admin: ClusterClient;
  readonly #osd: PlayedOsd;
  readonly #done: Promise<unknown>;

  constructor(admin: ClusterClient, osd: PlayedOsd) {
    this.#admin = admin;
    this.#osd = osd;
    this.#done = Promise.all([this.#steady(), this.#newcomers()]);
    // `stop` reports it.
    this.#done.catch(() => {});
  }

  /** Rejects when a request was not answered, or badly. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #steady(): Promise<void> {
    await using all = new Messengers('simple');
    const messenger = newcomer(all, this.#admin);
    const stream = async (): Promise<void> => {
      while (!this.#isOver) {
        await this.#ask(messenger);
        // Not a measurement of speed: the machine is shared.
        await sleep(5);
      }
    };
    await Promise.all(Array.from({ length: window }, stream));
  }

  async #newcomers(): Promise<void> {
    while (!this.#isOver) {
      await using all = new Messengers(transports[0]!);
      await this.#ask(newcomer(all, this.#admin));
      this.newcomers++;
      await sleep(50);
    }
  }

  async #ask(messenger: Messenger): Promise<void> {
    const { id, client } = this.#osd;
    this.sent++;
    const answer = await version(messenger, this.#osd.addr('public'), client.fsid!);
    assert.equal(JSON.parse(answer), { version: `osd.${id} of msgr2` });
    this.answered++;
  }
}

/** Over the connection that there is, or a new one. */
async function version(messenger: Messenger, target: EntityAddr, fsid: MCommand['fsid']): Promise<string> {
  const connection = messenger.getConnection(target, { peerType: EntityType.Osd });
  const command = { fsid, command: ['{"prefix":"version"}'], input: Buffer.alloc(0) };
  const reply = await connection.request(Message.of(MCommand, command), { timeoutMs: waitMs });
  return String(reply.as(MCommandReply)!.output);
}

/** A real client and a real OSD connect to ours, with tickets of this moment. */
async function comeAnew({ cluster }: Context, osd: PlayedOsd): Promise<void> {
  const answer = await cluster.ceph('tell', `osd.${osd.id}`, 'version');
  assert.equal(JSON.parse(answer), { version: `osd.${osd.id} of msgr2` });
  const { hbFront: served } = osd.served;
  const before = served.at(-1)?.connection;
  if (before !== undefined) osd.proxy('hbFront').last.reset();
  const hasPinged = (): boolean => served.length > 0 && served.at(-1)!.connection !== before;
  await waitUntil(hasPinged, waitMs, `a new connection of osd.0 to osd.${osd.id}`);
}

/** We connect to a real OSD. */
async function askRealOsd({ admin, cluster }: Context): Promise<void> {
  const target = EntityAddr.parse((await cluster.addrsOf(0)).public);
  await using all = new Messengers(transports[0]!);
  assert.match(await version(newcomer(all, admin), target, admin.client.fsid!), /16\.2\.15/);
}

function newestSecret(osd: PlayedOsd): bigint {
  return osd.session.snapshot().rotating!.maxId;
}

if (requireCeph('test/real-ceph/cephx-rotation')) {
  rotation.before(async (context) => {
    const conf = {
      'auth service ticket ttl': String(ttlSeconds),
      'auth mon ticket ttl': String(2 * ttlSeconds),
      // The monitor looks at its secrets in this interval, and a real OSD at its own.
      'mon tick interval': '1',
      'mon client ping interval': '1',
      'osd heartbeat interval': '1',
    };
    context.cluster = await CephCluster.start({ auth: 'cephx', osds: 1, conf });
    const { cluster } = context;
    const admin = clusterClient(cluster);
    context.admin = admin;
    context.lost = [];
    context.osds = [];
    await admin.client.connect();
    context.firstTicket = shownTicket(admin.session, EntityType.Osd);
    for (const [index, transport] of transports.entries()) {
      const mode = transport === 'async' ? 'crc' : 'secure';
      context.osds.push(await PlayedOsd.start({ cluster, admin, id: index + 1, transport, mode }));
    }
    context.failures = context.osds.map((osd) => new AcceptFailures(osd.messengers.public));
    for (const client of [admin.client, ...context.osds.map((osd) => osd.client)]) {
      client.on('sessionLost', (_, cause) => context.lost.push(`${client.name}: ${cause.message}`));
    }
    // It begins anew with a map that has all of ours.
    await cluster.killOsd(0, 'SIGTERM');
    await cluster.startOsd(0);
  });
  rotation.after(async ({ admin, cluster, failures, osds }) => {
    for (const recorder of failures ?? []) recorder[Symbol.dispose]();
    for (const osd of osds ?? []) await osd[Symbol.asyncDispose]();
    await admin?.client.close();
    await cluster?.stop();
  });

  rotation(
    `${rotations} rotations under load: everybody is served, and every request answered`,
    limited(200_000, async (context) => {
      const { admin, failures, lost, osds } = context;
      const { globalId } = admin.session;
      const loads = osds.map((osd) => new Load(admin, osd));
      const first = osds.map(newestSecret);
      const authTickets = new Set<string>();
      for (let round = 1; round <= rotations; round++) {
        const hasRotated = (): boolean => {
          const { blob } = shownTicket(admin.session, EntityType.Auth).ticket.ticket;
          authTickets.add(Buffer.from(blob).toString('hex'));
          return osds.every((osd, index) => newestSecret(osd) >= first[index]! + BigInt(round));
        };
        await waitUntil(hasRotated, waitMs, `rotation ${round}`, 50);
        await Promise.all([...osds.map((osd) => comeAnew(context, osd)), askRealOsd(context)]);
        await admin.client.command({ prefix: 'osd tree' }, { timeoutMs: waitMs });
      }
      await Promise.all(loads.map((load) => load.stop()));
      for (const [index, osd] of osds.entries()) {
        const { answered, newcomers, sent } = loads[index]!;
        assert.is(answered, sent);
        assert.ok(newcomers > 10, `${newcomers} newcomers`);
        const { secrets } = osd.session.snapshot().rotating!;
        assert.is(secrets.length, 3);
        const oldest = first[index]! - 2n + BigInt(rotations);
        assert.ok(secrets.every(({ id }) => id >= oldest));
        // On a machine that stands still for a second a ticket may be shown too late; but never one whose
        // secret is not held.
        for (let { left } = failures[index]!; left > 0; left--) {
          assert.match((await failures[index]!.next()).message, /has run out/);
        }
      }
      assert.equal(lost, []);
      assert.is(admin.session.globalId, globalId);
      assert.ok(authTickets.size >= 2, 'the AUTH ticket was not renewed');
    }),
  );

  rotation(
    'the ticket of the beginning is refused',
    limited(30_000, async ({ failures, firstTicket, osds }) => {
      for (const [index, osd] of osds.entries()) {
        const refusal = await showTicket(transports[index]!, osd.addr('public'), firstTicket);
        assert.is(refusal?.errno, Errno.EACCES);
        const { secretId } = firstTicket.ticket.ticket;
        const error: MsgrError = await failures[index]!.next();
        assert.match(error.message, new RegExp(`no secret ${secretId} of service osd is held`));
      }
    }),
  );
}

rotation.run();
