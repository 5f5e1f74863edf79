/**
 * A process that plays many OSDs at once, as far as heartbeats go: each boots into a real cluster, listens on
 * both networks, and pings the OSDs under test by the rules of a real one (it is our own heartbeat code).
 * Forked by whoever measures those OSDs, who speaks to it in {@link ToPlayed} and {@link FromPlayed}.
 */
import { noneSession } from '../../../src/auth/none.ts';
import { OsdState } from '../../../src/maps/states.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import { Messenger } from '../../../src/messenger/messenger.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import { MonClient } from '../../../src/mon/client/mon-client.ts';
import { resolveOptions } from '../../../src/options.ts';
import type { MapView } from '../../../src/osd/heartbeat/map-view.ts';
import { monotonicClock, processStartMs } from '../../../src/osd/heartbeat/monotonic-clock.ts';
import type { NetworkName, NetworkPeer } from '../../../src/osd/heartbeat/network-protocol.ts';
import { HeartbeatMessengers } from '../../../src/osd/network/heartbeat-messengers.ts';
import { compatSetEmpty } from '../../../src/wire/compat-set.ts';
import { EntityAuthName, EntityType } from '../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../src/wire/features.ts';
import { cephMessages } from '../../../src/wire/messages/ceph-messages.ts';
import { MOSDBoot } from '../../../src/wire/messages/m-osd-boot.ts';
import { MOSDPing } from '../../../src/wire/messages/m-osd-ping.ts';
import { MessageRegistry } from '../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../src/wire/osd-superblock.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

export type ToPlayed =
  | {
      readonly kind: 'boot';
      readonly monHost: string;
      readonly fsid: string;
      readonly osds: readonly {
        readonly id: number;
        readonly uuid: string;
        readonly front: string;
        readonly back: string;
      }[];
    }
  /** Begins to ping: the peers by network, and the map's epoch. */
  | {
      readonly kind: 'ping';
      readonly epoch: number;
      readonly fsid: string;
      readonly maxOsd: number;
      readonly peers: Readonly<Record<NetworkName, readonly NetworkPeer[]>>;
    }
  | { readonly kind: 'count' };

/** Messages since the beginning, by the OSD under test. */
export interface PlayedCounts {
  readonly pingsFrom: Readonly<Record<number, number>>;
  readonly repliesFrom: Readonly<Record<number, number>>;
}

export type FromPlayed =
  | { readonly kind: 'booted' }
  | { readonly kind: 'counts'; readonly counts: PlayedCounts }
  | { readonly kind: 'failed'; readonly message: string };

const options = resolveOptions({ auth_cluster_required: 'none', auth_service_required: 'none' });
const nonce = process.pid;
const startMs = processStartMs();
const startWallMs = Date.now() - (monotonicClock.nowMs() - startMs);
const counts = { pingsFrom: {} as Record<number, number>, repliesFrom: {} as Record<number, number> };
const played: { readonly name: NetworkName; readonly messengers: HeartbeatMessengers }[] = [];

function count(into: Record<number, number>): (message: ReceivedMessage) => void {
  return ({ connection, type }) => {
    if (type !== MOSDPing.type) return;
    const osd = Number(connection.peerName.num);
    into[osd] = (into[osd] ?? 0) + 1;
  };
}

async function bootOne(
  { monHost, fsid }: Extract<ToPlayed, { kind: 'boot' }>,
  { id, uuid, front, back }: { id: number; uuid: string; front: string; back: string },
): Promise<void> {
  const name = EntityAuthName.parse(`osd.${id}`);
  const auth = noneSession(name);
  const make = (network: NetworkName): HeartbeatMessengers => {
    const messengers = new HeartbeatMessengers({
      network,
      whoami: id,
      nonce,
      bindAddr: `v2:${network === 'front' ? front : back}:0`,
      options,
      auth,
      clock: monotonicClock,
      startMs,
      startWallMs,
      random: Math.random,
      deliver() {},
    });
    messengers.server.addDispatcherHead({ fastPreprocess: count(counts.pingsFrom) });
    messengers.client.addDispatcherHead({ fastPreprocess: count(counts.repliesFrom) });
    played.push({ name: network, messengers });
    return messengers;
  };
  const [hbFront, hbBack] = [make('front'), make('back')];
  const heartbeatFrontAddrs = await hbFront.start();
  const heartbeatBackAddrs = await hbBack.start();
  const messenger = (label: string): Messenger =>
    Messenger.create({
      name: `osd.${id}`,
      label,
      auth,
      nonce,
      options,
      messageTypes: new MessageRegistry(cephMessages),
    });
  const publicMessenger = messenger('public');
  publicMessenger.setDefaultPolicy(Policy.statelessServer());
  publicMessenger.setPolicy(EntityType.Mon, Policy.lossyClient());
  const cluster = messenger('cluster');
  cluster.setDefaultPolicy(Policy.statelessServer());
  await publicMessenger.bind(`v2:${front}:0`);
  const clusterAddrs = await cluster.bind(`v2:${back}:0`);
  publicMessenger.start();
  cluster.start();
  // Maps that real OSDs share with us end here.
  for (const each of [publicMessenger, cluster]) each.addDispatcherTail({ dispatch: () => true });
  const client = new MonClient({ name, monHost, auth, messenger: publicMessenger, options });
  await client.connect();
  const { newest } = await client.getVersion('osdmap');
  const superblock = freshOsdSuperblock({
    clusterFsid: Uuid.parse(fsid),
    osdFsid: Uuid.parse(uuid),
    whoami: id,
    compatFeatures: compatSetEmpty,
  });
  client.send(
    Message.of(MOSDBoot, {
      paxosVersion: newest,
      superblock: { ...superblock, newestMap: Number(newest), currentEpoch: Number(newest) },
      heartbeatBackAddrs,
      clusterAddrs,
      bootEpoch: 0,
      heartbeatFrontAddrs,
      metadata: new Map([
        ['ceph_release', 'pacific'],
        ['ceph_version_short', '16.2.15'],
        ['hostname', 'localhost'],
      ]),
      osdFeatures: supportedDefault,
    }),
  );
}

function ping({ epoch, fsid, maxOsd, peers }: Extract<ToPlayed, { kind: 'ping' }>): void {
  // Everybody is up: nobody is told that it died, and nobody of us is active, so no maps are shared.
  const map: MapView = {
    fsid,
    epoch,
    osdState: new Uint32Array(maxOsd).fill(OsdState.exists | OsdState.up),
    downAt: new Uint32Array(maxOsd),
    isActive: false,
    upFrom: epoch,
  };
  for (const { name, messengers } of played) {
    messengers.network.command({ kind: 'map', map });
    messengers.network.command({ kind: 'addPeers', peers: peers[name] });
  }
}

process.on('message', (message: ToPlayed) => {
  switch (message.kind) {
    case 'boot':
      Promise.all(message.osds.map((osd) => bootOne(message, osd))).then(
        () => process.send!({ kind: 'booted' } satisfies FromPlayed),
        (error: Error) => process.send!({ kind: 'failed', message: error.message } satisfies FromPlayed),
      );
      break;
    case 'ping':
      ping(message);
      break;
    case 'count':
      process.send!({ kind: 'counts', counts } satisfies FromPlayed);
      break;
  }
});
