/**
 * MOSDPing: the heartbeat between OSDs (facts 2.7). A PING carries the pinger's clocks, the reply sends
 * `pingStamp` back unchanged, and that stamp is how the pinger finds what was answered.
 *
 * ```
 *  0  fsid 16 | u32 mapEpoch | u8 op | utime pingStamp | u32 s       v4 ends here, with s padding bytes
 * 33  u32 upFrom | span monoPingStamp | span monoSendStamp | u8 0/1 [span deltaUb]               v5
 * 54 or 62  s zero bytes
 * ```
 *
 * The padding makes a heartbeat as large as a jumbo frame's share, so that a path which drops large
 * packets loses heartbeats too. s is chosen as if the message ended before s itself, at 29 bytes: with
 * osd_heartbeat_min_size 2000 it is 1971, and the front has 2025 or 2033 bytes.
 */
import type { Decoder } from '../decoder.ts';
import type { Encoder } from '../encoder.ts';
import {
  decodeSignedspan,
  decodeUtime,
  encodeSignedspan,
  encodeUtime,
  type Signedspan,
  signedspanZero,
  type Utime,
} from '../utime.ts';
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

/** Only YouDied, Ping and PingReply are in use; the others are of an older protocol. */
export const OSDPingOp = {
  Heartbeat: 0,
  StartHeartbeat: 1,
  YouDied: 2,
  StopHeartbeat: 3,
  Ping: 4,
  PingReply: 5,
} as const;
export type OSDPingOp = (typeof OSDPingOp)[keyof typeof OSDPingOp];

const headVersion = 5;
/** Version of Nautilus, which every reader must know. */
const versionWithoutMono = 4;
/** fsid, mapEpoch, op and pingStamp: what Ceph counts when it chooses the padding. */
const bytesBeforePadding = 29;

export interface MOSDPing {
  readonly fsid: Uuid;
  /** The sender's OSDMap epoch. */
  readonly mapEpoch: number;
  /** One of {@link OSDPingOp}. */
  readonly op: number;
  /** Wall clock of the pinger; a reply has that of the PING. */
  readonly pingStamp: Utime;
  /** Zero bytes at the end; see {@link osdPingPadding}. */
  readonly paddingBytes: number;
  /** Epoch at which the sender came up last. */
  readonly upFrom: number;
  /** Monotonic clock of the pinger, since its process began; a reply has that of the PING. */
  readonly monoPingStamp: Signedspan;
  /** Monotonic clock of whoever sends this message; in a PING the same as `monoPingStamp`. */
  readonly monoSendStamp: Signedspan;
  /** Upper bound of the difference between the two monotonic clocks, when the sender knows one. */
  readonly deltaUb?: Signedspan | undefined;
  /** 4 when it came from, or is to be read by, a peer older than Octopus: the last four are not sent. */
  readonly version?: 4 | 5;
}

/** Padding for a minimum size in bytes, as osd_heartbeat_min_size gives it; 0 for none. */
export function osdPingPadding(minMessageSize: number): number {
  return Math.max(0, minMessageSize - bytesBeforePadding);
}

function encode(body: MOSDPing, encoder: Encoder): void {
  encodeUuid(encoder, body.fsid);
  encoder.u32(body.mapEpoch).u8(body.op);
  encodeUtime(encoder, body.pingStamp);
  encoder.u32(body.paddingBytes);
  if (body.version !== versionWithoutMono) {
    encoder.u32(body.upFrom);
    encodeSignedspan(encoder, body.monoPingStamp);
    encodeSignedspan(encoder, body.monoSendStamp);
    encoder.bool(body.deltaUb !== undefined);
    if (body.deltaUb !== undefined) encodeSignedspan(encoder, body.deltaUb);
  }
  encoder.zeros(body.paddingBytes);
}

function decode(decoder: Decoder, version: number): MOSDPing {
  const fsid = decodeUuid(decoder, 'fsid');
  const mapEpoch = decoder.u32('mapEpoch');
  const op = decoder.u8('op');
  const pingStamp = decodeUtime(decoder, 'pingStamp');
  const paddingBytes = decoder.u32('paddingBytes');
  let ping: MOSDPing;
  if (version >= headVersion) {
    ping = {
      fsid,
      mapEpoch,
      op,
      pingStamp,
      paddingBytes,
      upFrom: decoder.u32('upFrom'),
      monoPingStamp: decodeSignedspan(decoder, 'monoPingStamp'),
      monoSendStamp: decodeSignedspan(decoder, 'monoSendStamp'),
      deltaUb: decoder.bool('hasDeltaUb') ? decodeSignedspan(decoder, 'deltaUb') : undefined,
    };
  } else {
    ping = {
      fsid,
      mapEpoch,
      op,
      pingStamp,
      paddingBytes,
      upFrom: 0,
      monoPingStamp: signedspanZero,
      monoSendStamp: signedspanZero,
      version: versionWithoutMono,
    };
  }
  decoder.skip(paddingBytes, 'padding');
  return ping;
}

export const MOSDPing = defineMessage<MOSDPing>({
  type: 70,
  name: 'osd_ping',
  headVersion,
  compatVersion: versionWithoutMono,
  frontBytes: (body) => 62 + body.paddingBytes,
  encode(body, encoder, context) {
    if (body.version === versionWithoutMono) context.version = versionWithoutMono;
    encode(body, encoder);
  },
  decode: (decoder, context) => decode(decoder, context.version),
});
