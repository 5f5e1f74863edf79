/** A valid message of every type that the monitor takes, for tests that spoil it. */
import type { Monitor } from '../../../../src/mon/server/monitor.ts';
import { compatSetEmpty } from '../../../../src/wire/compat-set.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityName } from '../../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../../src/wire/features.ts';
import { LogPriority } from '../../../../src/wire/log-entry.ts';
import { MAuth } from '../../../../src/wire/messages/m-auth.ts';
import { MCommand } from '../../../../src/wire/messages/m-command.ts';
import { MGetPoolStats } from '../../../../src/wire/messages/m-get-pool-stats.ts';
import { MLog } from '../../../../src/wire/messages/m-log.ts';
import { MMonCommand } from '../../../../src/wire/messages/m-mon-command.ts';
import { MMonGetMap } from '../../../../src/wire/messages/m-mon-get-map.ts';
import { MMonGetOSDMap } from '../../../../src/wire/messages/m-mon-get-osd-map.ts';
import { MMonGetPurgedSnaps } from '../../../../src/wire/messages/m-mon-get-purged-snaps.ts';
import { MMonGetVersion } from '../../../../src/wire/messages/m-mon-get-version.ts';
import { MMonSubscribe } from '../../../../src/wire/messages/m-mon-subscribe.ts';
import { MOSDAlive } from '../../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../../src/wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../../src/wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../../src/wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreated } from '../../../../src/wire/messages/m-osd-pg-created.ts';
import { MOSDPGTemp } from '../../../../src/wire/messages/m-osd-pg-temp.ts';
import { MPing } from '../../../../src/wire/messages/m-ping.ts';
import { MPoolOp } from '../../../../src/wire/messages/m-pool-op.ts';
import { MStatfs } from '../../../../src/wire/messages/m-statfs.ts';
import type { MessagePayload, MessageType } from '../../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../../src/wire/osd-superblock.ts';
import type { PgId } from '../../../../src/wire/pg-id.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';

export interface Sample {
  readonly name: string;
  readonly type: number;
  readonly payload: MessagePayload;
  readonly decode: (payload: MessagePayload) => unknown;
}

function sample<Body>(type: MessageType<Body>, body: Body): Sample {
  return {
    name: type.name,
    type: type.type,
    payload: type.encode(body),
    decode: (payload) => type.decode(payload),
  };
}

export function samplesFor({ fsid }: Pick<Monitor, 'fsid'>): Sample[] {
  const addrs = EntityAddrVec.parse('v2:127.0.0.1:6800/7');
  const pgid: PgId = { pool: 1n, seed: 3 };
  const paxos = { paxosVersion: 1n };
  const entry = {
    name: EntityAuthName.parse('osd.0'),
    rank: EntityName.osd(0),
    addrs,
    stamp: { sec: 1_800_000_000, nsec: 5 },
    seq: 1n,
    priority: LogPriority.Info,
    message: 'hello',
    channel: 'cluster',
  };
  const superblock = freshOsdSuperblock({
    clusterFsid: fsid,
    osdFsid: Uuid.parse('11111111-2222-3333-4444-555555555555'),
    whoami: 0,
    compatFeatures: compatSetEmpty,
  });
  return [
    sample(MAuth, { ...paxos, protocol: 2, payload: Buffer.from([0, 2, 1, 0, 0]), monmapEpoch: 1 }),
    sample(MPing, { text: 'hello' }),
    sample(MMonGetMap, {}),
    sample(MMonGetVersion, { handle: 1n, what: 'osdmap' }),
    sample(MMonSubscribe, {
      what: new Map([
        ['osdmap', { start: 1n, flags: 1 }],
        ['config', { start: 0n, flags: 0 }],
      ]),
      hostname: 'a',
    }),
    sample(MMonCommand, {
      ...paxos,
      fsid,
      command: ['{"prefix":"health","format":"json"}'],
      input: Buffer.from('input'),
    }),
    sample(MCommand, { fsid, command: ['{"prefix":"version"}'], input: Buffer.alloc(0) }),
    sample(MMonGetOSDMap, { ...paxos, fullFirst: 1, fullLast: 1, incrementalFirst: 0, incrementalLast: 0 }),
    sample(MMonGetPurgedSnaps, { ...paxos, start: 1, last: 4 }),
    sample(MLog, { ...paxos, fsid, entries: [entry] }),
    sample(MPoolOp, { ...paxos, fsid, pool: 1, op: 0x11, snapId: 0n, name: 'one', crushRule: -1 }),
    sample(MStatfs, { ...paxos, fsid, dataPool: 1n }),
    sample(MGetPoolStats, { ...paxos, fsid, pools: ['data'] }),
    sample(MOSDBoot, {
      ...paxos,
      superblock,
      heartbeatBackAddrs: addrs,
      clusterAddrs: addrs,
      bootEpoch: 0,
      heartbeatFrontAddrs: addrs,
      metadata: new Map([['hostname', 'a']]),
      osdFeatures: supportedDefault,
    }),
    sample(MOSDAlive, { ...paxos, want: 1 }),
    sample(MOSDBeacon, {
      ...paxos,
      pgs: [pgid],
      minLastEpochClean: 1,
      lastPurgedSnapsScrub: { sec: 0, nsec: 0 },
      reportIntervalSeconds: 300,
    }),
    sample(MOSDFailure, {
      ...paxos,
      fsid,
      targetOsd: 1,
      targetAddrs: addrs,
      epoch: 1,
      flags: 1,
      failedForSeconds: 30,
    }),
    sample(MOSDFull, { ...paxos, epoch: 1, state: 16 }),
    sample(MOSDMarkMeDead, { ...paxos, fsid, targetOsd: 0, epoch: 1 }),
    sample(MOSDMarkMeDown, {
      ...paxos,
      fsid,
      targetOsd: 0,
      targetAddrs: addrs,
      epoch: 1,
      requestAck: true,
      downAndDead: true,
    }),
    sample(MOSDPGCreated, { ...paxos, pgid }),
    sample(MOSDPGTemp, { ...paxos, epoch: 1, pgTemp: [{ pgid, osds: [1, 2] }], forced: false }),
  ];
}
