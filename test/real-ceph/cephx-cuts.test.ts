/**
 * The TCP connection breaks right behind each frame of a handshake with cephx, in either direction: between
 * us and a real monitor, between us and a real OSD, and between real ends that dial and us. The next attempt
 * succeeds.
 *
 * @timeLimitSeconds 240
 */
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Message } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityName, EntityType } from '../../src/wire/entity-name.ts';
import { tagName } from '../../src/wire/frames/tag.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';
import { MCommand } from '../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../src/wire/messages/m-command-reply.ts';
import { MessageRegistry } from '../../src/wire/messages/registry.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { type ClusterClient, cephxSession, clusterClient } from '../support/cluster-client.ts';
import { type FrameCut, HandshakeProxy, handshakeCuts } from '../support/handshake-proxy.ts';
import { type TestTransport, testTransports } from '../support/messengers.ts';
import { PlayedOsd } from '../support/played-osd.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

interface Context {
  cluster: CephCluster;
  admin: ClusterClient;
  osds: Map<string, PlayedOsd>;
}

const cuts = suite<Context>('cephx: a connection that breaks behind each frame');
const variants = testTransports().flatMap((transport) =>
  (['crc', 'secure'] as const).map((mode) => ({ transport, mode, label: `${transport}, ${mode}` })),
);
const waitMs = 20_000;

function optionsFor(mode: 'crc' | 'secure') {
  return { ms_client_mode: mode, ms_mon_client_mode: mode, ms_initial_backoff: 0.01 };
}

function nameOf({ after, direction }: FrameCut): string {
  return `${tagName(after)} ${direction}`;
}

/** One handshake broke where it was to, and the next one went through. */
function checkCut(proxy: HandshakeProxy, first: number, cut: FrameCut): void {
  const [broken, whole] = proxy.connections.slice(first);
  assert.ok(broken!.isCut, `${nameOf(cut)}: the connection was not cut`);
  assert.is(broken!.frames[cut.direction].at(-1), cut.after);
  assert.ok(whole !== undefined && !whole.isCut, `${nameOf(cut)}: there was no second attempt`);
  for (const direction of ['up', 'down'] as const) assert.is(whole.frames[direction].length, 4, nameOf(cut));
}

async function monitorThrough(
  cluster: CephCluster,
  transport: TestTransport,
  mode: 'crc' | 'secure',
  cut: FrameCut,
): Promise<void> {
  const mon = EntityAddr.parse(cluster.monAddrs[0]!);
  await using proxy = await HandshakeProxy.start({ family: 4, host: mon.host, port: mon.port });
  const options = optionsFor(mode);
  const session = cephxSession(cluster, 'client.admin', options);
  await using messenger = Messenger.create({
    name: new EntityName(EntityType.Client, -1),
    auth: session,
    messageTypes: new MessageRegistry(cephMessages),
    transport,
    options,
    route: () => proxy.address,
  });
  messenger.start();
  const { client } = clusterClient(cluster, 'client.admin', { messenger, auth: session, options });
  await using _ = client;

  // With no global id yet: the one that the cut attempt may have been given is forgotten.
  proxy.nextCut = (index) => (index === 0 ? cut : undefined);
  await client.connect({ timeoutMs: waitMs });
  checkCut(proxy, 0, cut);
  const { globalId } = client;
  assert.ok(globalId > 0n);

  // With the ticket that keeps the global id.
  const first = proxy.connections.length;
  proxy.nextCut = (index) => (index === first ? cut : undefined);
  const again = once(client, 'session');
  proxy.last.reset();
  await withTimeout(again, waitMs, `a session after ${nameOf(cut)}`);
  checkCut(proxy, first, cut);
  assert.is(client.globalId, globalId);
  const { code } = await client.command({ prefix: 'osd tree' }, { timeoutMs: waitMs });
  assert.is(code, 0);
}

if (requireCeph('test/real-ceph/cephx-cuts')) {
  cuts.before(async (context) => {
    const conf = { 'osd heartbeat interval': '1' };
    context.cluster = await CephCluster.start({ auth: 'cephx', osds: 1, conf });
    context.admin = clusterClient(context.cluster);
    await context.admin.client.connect();
    context.osds = new Map();
    for (const [index, { label, mode, transport }] of variants.entries()) {
      const { admin, cluster } = context;
      context.osds.set(label, await PlayedOsd.start({ cluster, admin, id: index + 1, transport, mode }));
    }
    // It begins anew with a map that has all of ours.
    await context.cluster.killOsd(0, 'SIGTERM');
    await context.cluster.startOsd(0);
  });
  cuts.after(async ({ admin, cluster, osds }) => {
    for (const osd of osds?.values() ?? []) await osd[Symbol.asyncDispose]();
    await admin?.client.close();
    await cluster?.stop();
  });

  for (const { label, mode, transport } of variants) {
    cuts(
      `${label}: our client gets its session with a real monitor, and the same global id again`,
      limited(60_000, async ({ cluster }) => {
        for (const cut of handshakeCuts) await monitorThrough(cluster, transport, mode, cut);
      }),
    );

    cuts(
      `${label}: our client's request reaches a real OSD`,
      limited(60_000, async ({ cluster }) => {
        const options = optionsFor(mode);
        const { client, session } = clusterClient(cluster, 'client.admin', { options, transport });
        await using _ = client;
        await client.connect({ timeoutMs: waitMs });
        const osd = EntityAddr.parse((await cluster.addrsOf(0)).public);
        await using proxy = await HandshakeProxy.start({ family: 4, host: osd.host, port: osd.port });
        await using messenger = Messenger.create({
          name: `client.${session.globalId}`,
          auth: session,
          transport,
          options,
          route: () => proxy.address,
        });
        messenger.setDefaultPolicy(Policy.lossyClient());
        messenger.start();
        for (const cut of handshakeCuts) {
          const first = proxy.connections.length;
          proxy.nextCut = (index) => (index === first ? cut : undefined);
          const connection = messenger.getConnection(osd, { peerType: EntityType.Osd, isAnonymous: true });
          const command = { fsid: client.fsid!, command: ['{"prefix":"version"}'] };
          const message = Message.of(MCommand, { ...command, input: Buffer.alloc(0) });
          const reply = await connection.request(message, { timeoutMs: waitMs });
          assert.match(String(reply.as(MCommandReply)!.output), /16\.2\.15/);
          checkCut(proxy, first, cut);
          connection.markDown();
        }
      }),
    );
  }

  cuts(
    "a real OSD's heartbeats come back to us, on every transport and in both modes",
    limited(120_000, async ({ osds }) => {
      await Promise.all(
        [...osds].map(async ([label, osd]) => {
          const proxy = osd.proxy('hbFront');
          const { hbFront: served } = osd.served;
          await waitUntil(() => served.length > 0, waitMs, `${label}: a first ping`);
          for (const cut of handshakeCuts) {
            const first = proxy.connections.length;
            const { connection } = served.at(-1)!;
            proxy.nextCut = (index) => (index === first ? cut : undefined);
            proxy.last.reset();
            await waitUntil(
              () => served.at(-1)!.connection !== connection,
              waitMs,
              `${label}: a ping after ${nameOf(cut)}`,
            );
            checkCut(proxy, first, cut);
            assert.is(served.at(-1)!.connection.auth!.entity, 'osd.0');
          }
        }),
      );
    }),
  );

  // Starting the tool takes most of the time: one mode on each transport.
  const told = variants.filter(({ mode, transport }) => mode === (transport === 'async' ? 'crc' : 'secure'));
  for (const { label } of told) {
    cuts(
      `${label}: 'ceph tell' reaches us`,
      limited(60_000, async ({ cluster, osds }) => {
        const osd = osds.get(label)!;
        const proxy = osd.proxy('public');
        for (const cut of handshakeCuts) {
          const first = proxy.connections.length;
          proxy.nextCut = (index) => (index === first ? cut : undefined);
          const answer = await cluster.ceph('tell', `osd.${osd.id}`, 'version');
          assert.equal(JSON.parse(answer), { version: `osd.${osd.id} of msgr2` });
          checkCut(proxy, first, cut);
        }
      }),
    );
  }
}

cuts.run();
