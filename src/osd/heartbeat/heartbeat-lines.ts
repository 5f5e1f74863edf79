/** Log lines of heartbeat_check, with Ceph's wording: operators grep for them. */
import type { OSDMap } from '../../maps/osdmap.ts';
import { utimeFromMs, utimeToString } from '../../wire/utime.ts';
import type { HeartbeatPeer } from './heartbeat-peer.ts';

type Wall = (monotonicMs: number) => number;

function time(ms: number, wall: Wall): string {
  return ms === 0 || !Number.isFinite(ms) ? '0.000000' : utimeToString(utimeFromMs(wall(ms)));
}

function address(peer: HeartbeatPeer, map: OSDMap): string {
  const front = map.hbFrontAddrs[peer.osd];
  const addrs = front === undefined || front.length === 0 ? map.hbBackAddrs[peer.osd] : front;
  const addr = addrs?.front;
  return addr === undefined ? '-' : `${addr.host}:${addr.port}`;
}

/** Without an answer of one network it was never heard, as Ceph has it. */
export function failureLine(peer: HeartbeatPeer, map: OSDMap, wall: Wall): string {
  return peer.isNeverHeard ? neverHeardLine(peer, map, wall) : noReplyLine(peer, map, wall);
}

function neverHeardLine(peer: HeartbeatPeer, map: OSDMap, wall: Wall): string {
  return (
    `heartbeat_check: no reply from ${address(peer, map)} osd.${peer.osd} ever on either front or back, ` +
    `first ping sent ${time(peer.firstTxMs(), wall)} (oldest deadline ${time(peer.oldestDeadlineMs(), wall)})`
  );
}

function noReplyLine(peer: HeartbeatPeer, map: OSDMap, wall: Wall): string {
  return (
    `heartbeat_check: no reply from ${address(peer, map)} osd.${peer.osd} ` +
    `since back ${time(peer.lastRxMs('back'), wall)} front ${time(peer.lastRxMs('front'), wall)} ` +
    `(oldest deadline ${time(peer.oldestDeadlineMs(), wall)})`
  );
}
