/**
 * Our process as OSDs of a real cluster with cephx: real clients and a real OSD show tickets of a real
 * monitor, and are let in; who shows what is no such ticket is refused, and told an error number only.
 *
 * @timeLimitSeconds 240
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionMode } from '../../src/auth/auth.ts';
import { CryptoKey } from '../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../src/auth/cephx/key-type.ts';
import { SnapshotAuth } from '../../src/auth/cephx/snapshot.ts';
import { Errno } from '../../src/auth/errno.ts';
import { ErrorCode } from '../../src/errors.ts';
import { Message } from '../../src/messenger/message.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { resolveOptions } from '../../src/options.ts';
import type { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { authBadMethodFrame } from '../../src/wire/frames/auth-bad-method.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { MCommand } from '../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../src/wire/messages/m-command-reply.ts';
import { type CaptureFrame, captureFrames } from '../support/captures.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { type ClusterClient, clusterClient } from '../support/cluster-client.ts';
import { Messengers, type TestTransport, testTransports } from '../support/messengers.ts';
import { type OsdNetwork, PlayedOsd } from '../support/played-osd.ts';
import {
  AcceptFailures,
  authorizerClient,
  type Shown,
  shownTicket,
  showTicket,
  withBlob,
  withFlippedBit,
} from '../support/shown-tickets.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

interface Context {
  cluster: CephCluster;
  foreign: CephCluster;
  admin: ClusterClient;
  stranger: ClusterClient;
  osds: Map<string, PlayedOsd>;
}

const acceptor = suite<Context>('cephx: real clients at our acceptor');
const modes = { crc: ConnectionMode.Crc, secure: ConnectionMode.Secure } as const;
const variants = testTransports().flatMap((transport) =>
  (['crc', 'secure'] as const).map((mode) => ({ transport, mode, label: `${transport}, ${mode}` })),
);
/** Of tickets, by default. */
const ticketHours = 1;

/** `ceph tell osd.N version` by the real tool. */
async function tellVersion(cluster: CephCluster, osd: PlayedOsd): Promise<void> {
  const answer = await cluster.ceph('tell', `osd.${osd.id}`, 'version');
  assert.equal(JSON.parse(answer), { version: `osd.${osd.id} of msgr2` });
}

/** The same by our own client, with the tickets of its session. */
async function askVersion(
  transport: TestTransport,
  osd: PlayedOsd,
  { session }: ClusterClient,
): Promise<void> {
  await using all = new Messengers(transport);
  const { messenger } = all.client({ name: `client.${session.globalId}`, auth: session });
  messenger.setDefaultPolicy(Policy.lossyClient());
  const connection = messenger.getConnection(osd.addr('public'), { peerType: EntityType.Osd });
  const command = { fsid: osd.client.fsid!, command: ['{"prefix":"version"}'], input: Buffer.alloc(0) };
  const reply = await connection.request(Message.of(MCommand, command), { timeoutMs: 20_000 });
  assert.is(reply.as(MCommandReply)!.result, 0);
}

/** What a client sent, cut where it had waited for an answer. */
function spokenInTurn(up: Buffer): Buffer[] {
  const ends: number[] = [];
  for (const { offset, raw, tag } of captureFrames({
    folder: 'ceph',
    name: 'c2s',
    direction: 'c2s',
    bytes: up,
  })) {
    if (tag !== Tag.Hello) ends.push(offset + raw.byteLength);
    if (tag === Tag.AuthRequestMore) break;
  }
  return [0, ...ends].map((start, index) => up.subarray(start, ends[index] ?? up.byteLength));
}

/** Says the parts to an acceptor, each after an answer to the one before; resolves with all that came back. */
async function play(target: EntityAddr, parts: readonly Buffer[]): Promise<CaptureFrame[]> {
  const socket = connect({ host: target.host, port: target.port });
  let received = Buffer.alloc(0);
  const frames = (): CaptureFrame[] => {
    const answers: CaptureFrame[] = [];
    const stream = { folder: 'ceph', name: 's2c', direction: 's2c', bytes: received } as const;
    for (const frame of captureFrames(stream)) {
      answers.push(frame);
      // What follows may be sealed.
      if (frame.tag === Tag.AuthDone) break;
    }
    return answers;
  };
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let said = 0;
  const speak = (): void => {
    // HELLO is no answer.
    const answers = frames().length - 1;
    while (said < parts.length && said <= Math.max(0, answers)) socket.write(parts[said++]!);
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    speak();
  });
  speak();
  await withTimeout(closed, 20_000, 'the end of a replay');
  return frames();
}

/** Lines of the real OSD's log that say that something is wrong with a peer of ours, known by its nonce. */
function complaintsAbout(log: string, nonce: number): string[] {
  const isUsual = [
    /--2- .*(\.connect|_handle_peer_banner_payload supported=|\.handle_hello |\.ready entity=)/,
    / (-->|<==) .*osd_(ping|map)\(/,
    / learned_addr /,
  ];
  return log
    .split('\n')
    .filter((line) =>
      line.includes(`/${nonce} `)
        ? !isUsual.some((usual) => usual.test(line))
        : /heartbeat_check|handle_osd_ping|bad_method|verify_authorizer/.test(line),
    );
}

interface Attack {
  readonly name: string;
  readonly shown: (context: Context, osd: PlayedOsd) => Shown;
  /** What our own side says. */
  readonly reason: RegExp;
}

const osdTicket = ({ admin }: Context): Shown => shownTicket(admin.session, EntityType.Osd);

const attacks: readonly Attack[] = [
  {
    name: 'a ticket of random bytes',
    shown: (context) => withBlob(osdTicket(context), randomBytes(112)),
    reason: /^ticket does not open/,
  },
  {
    name: 'the first bit of a ticket changed',
    shown: (context) => withFlippedBit(osdTicket(context), 0),
    reason: /^ticket does not open/,
  },
  {
    name: 'the last bit of a ticket changed',
    shown: (context) => {
      const shown = osdTicket(context);
      return withFlippedBit(shown, shown.ticket.ticket.blob.byteLength * 8 - 1);
    },
    reason: /^(ticket|authorize) does not open/,
  },
  {
    name: 'a stolen ticket, without its session key',
    shown: (context) => {
      const { globalId, ticket } = osdTicket(context);
      return { globalId, ticket: { ...ticket, sessionKey: CryptoKey.generate(KeyType.Aes) } };
    },
    reason: /^authorize does not open/,
  },
  {
    name: "another's global id",
    shown: (context, osd) => ({ ...osdTicket(context), globalId: osd.session.globalId }),
    reason: /claims global id \d+, and its ticket is for \d+/,
  },
  {
    name: 'a secret that no monitor has made yet',
    shown: (context) => {
      const { globalId, ticket } = osdTicket(context);
      return { globalId, ticket: { ...ticket, ticket: { ...ticket.ticket, secretId: 4711n } } };
    },
    reason: /no secret 4711 of service osd is held/,
  },
  {
    name: 'a ticket for monitors',
    shown: ({ admin }) => shownTicket(admin.session, EntityType.Mon),
    reason: /no secret \d+ of service mon is held/,
  },
  {
    name: 'a ticket for monitors, said to be one for OSDs',
    shown: ({ admin }) => {
      const { globalId, ticket } = shownTicket(admin.session, EntityType.Mon);
      return { globalId, ticket: { ...ticket, service: EntityType.Osd } };
    },
    reason: /^ticket does not open/,
  },
  {
    name: "a ticket of another cluster's monitor",
    shown: ({ stranger }) => shownTicket(stranger.session, EntityType.Osd),
    reason: /^ticket does not open/,
  },
];

if (requireCeph('test/real-ceph/cephx-acceptor')) {
  acceptor.before(async (context) => {
    const conf = { 'osd heartbeat interval': '1', 'debug ms': '1/1' };
    [context.cluster, context.foreign] = await Promise.all([
      CephCluster.start({ auth: 'cephx', osds: 1, conf }),
      CephCluster.start({ auth: 'cephx' }),
    ]);
    context.admin = clusterClient(context.cluster);
    context.stranger = clusterClient(context.foreign);
    await Promise.all([context.admin.client.connect(), context.stranger.client.connect()]);
    context.osds = new Map();
    for (const [index, { label, mode, transport }] of variants.entries()) {
      const { admin, cluster } = context;
      context.osds.set(label, await PlayedOsd.start({ cluster, admin, id: index + 1, transport, mode }));
    }
    // It begins anew with a map that has all of ours.
    await context.cluster.killOsd(0, 'SIGTERM');
    await context.cluster.startOsd(0);
  });
  acceptor.after(async ({ admin, cluster, foreign, osds, stranger }) => {
    for (const osd of osds?.values() ?? []) await osd[Symbol.asyncDispose]();
    await Promise.all([admin?.client.close(), stranger?.client.close()]);
    await Promise.all([cluster?.stop(), foreign?.stop()]);
  });

  for (const { label, mode } of variants) {
    acceptor(
      `${label}: 'ceph tell' authenticates as client.admin, and its commands are served`,
      limited(60_000, async ({ cluster, osds }) => {
        const osd = osds.get(label)!;
        await tellVersion(cluster, osd);
        const { public: served } = osd.served;
        assert.equal(
          served.map(({ what }) => what),
          ['get_command_descriptions', 'version'],
        );
        const { auth, peerName } = served[0]!.connection;
        assert.ok(auth!.globalId > 0n);
        assert.equal(auth, {
          globalId: auth!.globalId,
          connectionMode: modes[mode],
          entity: 'client.admin',
          caps: 'allow *',
        });
        assert.is(String(peerName), `client.${auth!.globalId}`);
        assert.is(osd.messengers.public.counters().acceptFailures, 0);
      }),
    );

    acceptor(
      `${label}: a real OSD's heartbeats are answered on both networks, without a complaint`,
      limited(60_000, async ({ cluster, osds }) => {
        const osd = osds.get(label)!;
        const readLog = (): string => readFileSync(cluster.osdLog(0), 'utf8');
        for (const network of ['hbFront', 'hbBack'] as const satisfies OsdNetwork[]) {
          const addr = osd.addr(network);
          const { nonce } = addr;
          // Its second ping to us left after our first answer had come.
          const answer = `<== osd.${osd.id} ${addr} 2 ==== osd_ping(ping_reply `;
          await waitUntil(() => readLog().includes(answer), 30_000, `'${answer}' in the log of osd.0`, 100);
          const { auth, peerName } = osd.served[network][0]!.connection;
          assert.is(auth!.entity, 'osd.0');
          assert.is(auth!.caps, 'allow *');
          assert.is(auth!.connectionMode, modes[mode]);
          assert.is(String(peerName), 'osd.0');
          assert.equal(complaintsAbout(readLog(), nonce), []);
          assert.is(osd.messengers[network].counters().acceptFailures, 0);
        }
      }),
    );
  }

  for (const { label, transport } of variants) {
    for (const { name, reason, shown } of attacks) {
      acceptor(
        `${label}: ${name} is refused`,
        limited(60_000, async (context) => {
          const osd = context.osds.get(label)!;
          const { public: messenger } = osd.messengers;
          using failures = new AcceptFailures(messenger);
          const refusal = await showTicket(transport, osd.addr('public'), shown(context, osd));
          assert.is(refusal?.code, ErrorCode.Auth);
          assert.is(refusal?.errno, Errno.EACCES);
          assert.ok(osd.proxy('public').last.frames.down.includes(Tag.AuthBadMethod));
          const error = await failures.next();
          assert.is(error.code === ErrorCode.Auth || error.code === ErrorCode.Malformed, true, error.code);
          assert.match(error.message, reason);
          assert.is(failures.left, 0);
          await askVersion(transport, osd, context.admin);
        }),
      );
    }

    acceptor(
      `${label}: a recorded connection of 'ceph' is not let in again`,
      limited(60_000, async (context) => {
        const osd = context.osds.get(label)!;
        const recorded = osd.proxy('public').connections[0]!;
        assert.equal(recorded.frames.up, [
          Tag.Hello,
          Tag.AuthRequest,
          Tag.AuthRequestMore,
          Tag.AuthSignature,
        ]);
        assert.equal(recorded.frames.down, [Tag.Hello, Tag.AuthReplyMore, Tag.AuthDone, Tag.AuthSignature]);
        const up = recorded.bytes('up');
        const servedBefore = osd.served.public.length;
        using failures = new AcceptFailures(osd.messengers.public);
        const answers = await play(osd.addr('public'), spokenInTurn(up));
        assert.equal(
          answers.map(({ tag }) => tag),
          [Tag.Hello, Tag.AuthReplyMore, Tag.AuthBadMethod],
        );
        assert.is(authBadMethodFrame.decode(answers[2]!.segments[0]!).result, -Errno.EACCES);
        // And all of it at once.
        assert.ok(!(await play(osd.addr('public'), [up])).some(({ tag }) => tag === Tag.AuthDone));
        for (const error of [await failures.next(), await failures.next()]) {
          assert.is(error.code, ErrorCode.Auth);
          assert.match(
            error.message,
            /the challenge of another connection is answered: an authorizer played/,
          );
        }
        assert.is(osd.served.public.length, servedBefore);
        await askVersion(transport, osd, context.admin);
      }),
    );

    acceptor(
      `${label}: a ticket that has run out is refused`,
      limited(60_000, async (context) => {
        const { session } = context.osds.get(label)!;
        await using all = new Messengers(transport);
        const now = (): number => Date.now() + ticketHours * 3_600_000 + 1_000;
        const init = { options: resolveOptions(), type: EntityType.Osd, now };
        const { messenger } = await all.server({
          name: 'osd.9',
          auth: new SnapshotAuth(init, session.snapshot()),
        });
        using failures = new AcceptFailures(messenger);
        const refusal = await showTicket(transport, messenger.myAddrs.front!, osdTicket(context));
        assert.is(refusal?.errno, Errno.EACCES);
        assert.match(
          (await failures.next()).message,
          /the ticket of client\.admin has run out; compare the clocks/,
        );
      }),
    );
  }

  acceptor("no bit of a real monitor's ticket can be changed", (context) => {
    const [osd] = context.osds.values();
    const shown = osdTicket(context);
    const attempt = (altered: Shown): string => {
      const client = authorizerClient(altered);
      const server = osd!.session.server(EntityType.Client);
      const request = { ...client.start(), preferredModes: [ConnectionMode.Crc, ConnectionMode.Secure] };
      const reply = server.handleRequest(request);
      if (reply.kind !== 'more') return reply.kind;
      return server.handleRequestMore(client.handleReplyMore(reply.payload)).kind;
    };
    assert.is(attempt(shown), 'done');
    const bits = shown.ticket.ticket.blob.byteLength * 8;
    const letIn = Array.from({ length: bits }, (_, bit) => bit).filter((bit) => {
      try {
        return attempt(withFlippedBit(shown, bit)) === 'done';
      } catch {
        // The session key is another one: our own client cannot read the challenge.
        return false;
      }
    });
    assert.ok(bits > 800, `${bits} bits`);
    assert.equal(letIn, []);
  });

  for (const { label } of variants) {
    acceptor(
      `${label}: after all of that 'ceph tell' is served as before`,
      limited(60_000, async ({ cluster, osds }) => {
        await tellVersion(cluster, osds.get(label)!);
      }),
    );
  }
}

acceptor.run();
