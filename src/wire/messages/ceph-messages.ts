/** Every message of Ceph's that is known here, ready for a registry: `new MessageRegistry(cephMessages)`. */

import { MAuth } from './m-auth.ts';
import { MAuthReply } from './m-auth-reply.ts';
import { MCommand } from './m-command.ts';
import { MCommandReply } from './m-command-reply.ts';
import { MConfig } from './m-config.ts';
import { MGetPoolStats } from './m-get-pool-stats.ts';
import { MGetPoolStatsReply } from './m-get-pool-stats-reply.ts';
import { MLog } from './m-log.ts';
import { MLogAck } from './m-log-ack.ts';
import { MMgrMap } from './m-mgr-map.ts';
import { MMonCommand } from './m-mon-command.ts';
import { MMonCommandAck } from './m-mon-command-ack.ts';
import { MMonGetMap } from './m-mon-get-map.ts';
import { MMonGetOSDMap } from './m-mon-get-osd-map.ts';
import { MMonGetPurgedSnaps } from './m-mon-get-purged-snaps.ts';
import { MMonGetPurgedSnapsReply } from './m-mon-get-purged-snaps-reply.ts';
import { MMonGetVersion } from './m-mon-get-version.ts';
import { MMonGetVersionReply } from './m-mon-get-version-reply.ts';
import { MMonMap } from './m-mon-map.ts';
import { MMonSubscribe } from './m-mon-subscribe.ts';
import { MMonSubscribeAck } from './m-mon-subscribe-ack.ts';
import { MOSDAlive } from './m-osd-alive.ts';
import { MOSDBeacon } from './m-osd-beacon.ts';
import { MOSDBoot } from './m-osd-boot.ts';
import { MOSDFailure } from './m-osd-failure.ts';
import { MOSDFull } from './m-osd-full.ts';
import { MOSDMap } from './m-osd-map.ts';
import { MOSDMarkMeDead } from './m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from './m-osd-mark-me-down.ts';
import { MOSDPGCreate2 } from './m-osd-pg-create2.ts';
import { MOSDPGCreated } from './m-osd-pg-created.ts';
import { MOSDPGTemp } from './m-osd-pg-temp.ts';
import { MOSDPing } from './m-osd-ping.ts';
import { MPing } from './m-ping.ts';
import { MPoolOp } from './m-pool-op.ts';
import { MPoolOpReply } from './m-pool-op-reply.ts';
import { MStatfs } from './m-statfs.ts';
import { MStatfsReply } from './m-statfs-reply.ts';
import type { MessageType } from './registry.ts';

// biome-ignore lint/suspicious/noExplicitAny: the list holds types of every body.
export const cephMessages: readonly MessageType<any>[] = Object.freeze([
  MPing,
  MMonMap,
  MMonGetMap,
  MMonGetOSDMap,
  MMonSubscribe,
  MMonSubscribeAck,
  MAuth,
  MAuthReply,
  MMonGetVersion,
  MMonGetVersionReply,
  MOSDMap,
  MMonCommand,
  MMonCommandAck,
  MCommand,
  MCommandReply,
  MLog,
  MLogAck,
  MConfig,
  MOSDPing,
  MOSDBoot,
  MOSDFailure,
  MOSDAlive,
  MOSDMarkMeDown,
  MOSDBeacon,
  MOSDPGCreated,
  MOSDPGCreate2,
  MOSDPGTemp,
  MOSDFull,
  MMonGetPurgedSnaps,
  MMonGetPurgedSnapsReply,
  MOSDMarkMeDead,
  MMgrMap,
  MStatfs,
  MStatfsReply,
  MGetPoolStats,
  MGetPoolStatsReply,
  MPoolOp,
  MPoolOpReply,
]);
