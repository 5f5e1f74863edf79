/**
 * What a PING and its answer say (facts 5.2 and 5.4). Each is one literal with every field in one order, which
 * V8 makes in one step; a copy of another object (`...`) with a field more goes through its runtime.
 */
import { type MOSDPing, OSDPingOp, osdPingPadding } from '../../wire/messages/m-osd-ping.ts';
import type { Signedspan, Utime } from '../../wire/utime.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { HeartbeatOptions } from './heartbeat-options.ts';
import type { MapView } from './map-view.ts';

export function pingBody(
  fsid: Uuid,
  { epoch, upFrom }: MapView,
  { osd_heartbeat_min_size }: HeartbeatOptions,
  pingStamp: Utime,
  mono: Signedspan,
  deltaUb: Signedspan | undefined,
): MOSDPing {
  return {
    fsid,
    mapEpoch: epoch,
    op: OSDPingOp.Ping,
    pingStamp,
    paddingBytes: osdPingPadding(osd_heartbeat_min_size),
    upFrom,
    monoPingStamp: mono,
    monoSendStamp: mono,
    deltaUb,
  };
}

/** Both stamps of the PING go back unchanged: by them its sender finds what was answered. */
export function replyBody(
  { fsid, pingStamp, monoPingStamp }: MOSDPing,
  { epoch, upFrom }: MapView,
  { osd_heartbeat_min_size }: HeartbeatOptions,
  op: OSDPingOp,
  monoSendStamp: Signedspan,
  deltaUb: Signedspan | undefined,
): MOSDPing {
  return {
    fsid,
    mapEpoch: epoch,
    op,
    pingStamp,
    paddingBytes: osdPingPadding(osd_heartbeat_min_size),
    upFrom,
    monoPingStamp,
    monoSendStamp,
    deltaUb,
  };
}
