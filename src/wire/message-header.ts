/**
 * `ceph_msg_header2`: segment 0 of every MESSAGE frame, 41 packed bytes (facts 2.4).
 *
 * ```
 *  0 u64 seq            8 u64 tid           16 u16 type        18 u16 priority
 * 20 u16 version       22 u32 data_pre_padding_len             26 u16 data_off
 * 28 u64 ack_seq       36 u8  flags         37 u16 compat_version  39 u16 reserved
 * ```
 *
 * There is no sender in it: the receiver knows whose connection it is. Lengths are in the preamble.
 */
import type { Buffer } from 'node:buffer';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

export const messageHeaderBytes = 41;

/** Footer flags of msgr1 that survive in `flags`; daemons send Complete and NoCrc, 3. */
export const MessageFlag = { Complete: 1, NoCrc: 2, Signed: 4 } as const;

/** Values of `priority` with a name; strict order applies at `Low` and above. */
export const MessagePriority = { Low: 64, Default: 127, High: 196, Highest: 255 } as const;

export interface MessageHeader {
  /** Of this connection and direction, the first is 1. */
  readonly seq: bigint;
  /** Pairs a reply with its request; 0 when nothing is to be paired. */
  readonly tid: bigint;
  readonly type: number;
  readonly priority: number;
  /** Version of the encoding of the payload. */
  readonly version: number;
  /** Always 0 from daemons of this era. */
  readonly dataPrePaddingLength: number;
  /** Where data goes inside a page of the receiver; a hint. */
  readonly dataOffset: number;
  /** Seq of the last message received from the peer: an ACK on the way. */
  readonly ackSeq: bigint;
  /** {@link MessageFlag} bits. */
  readonly flags: number;
  /** A reader must know at least this version. */
  readonly compatVersion: number;
  readonly reserved: number;
}

export function encodeMessageHeader(encoder: Encoder, header: MessageHeader): void {
  encoder.u64(header.seq).u64(header.tid).u16(header.type).u16(header.priority).u16(header.version);
  encoder.u32(header.dataPrePaddingLength).u16(header.dataOffset).u64(header.ackSeq).u8(header.flags);
  encoder.u16(header.compatVersion).u16(header.reserved);
}

/** The header's bytes as segment 0. */
export function messageHeaderToBytes(header: MessageHeader): Buffer {
  const encoder = new Encoder(messageHeaderBytes);
  encodeMessageHeader(encoder, header);
  return encoder.take();
}

/**
 * Reads segment 0. Ceph copies the struct and ignores what a longer segment holds; so do we.
 *
 * @throws MsgrError `ERR_MSGR_MALFORMED` when the segment is shorter.
 */
export function messageHeaderFromBytes(segment: Uint8Array): MessageHeader {
  const decoder = new Decoder(segment, 'header');
  return {
    seq: decoder.u64('seq'),
    tid: decoder.u64('tid'),
    type: decoder.u16('type'),
    priority: decoder.u16('priority'),
    version: decoder.u16('version'),
    dataPrePaddingLength: decoder.u32('data_pre_padding_len'),
    dataOffset: decoder.u16('data_off'),
    ackSeq: decoder.u64('ack_seq'),
    flags: decoder.u8('flags'),
    compatVersion: decoder.u16('compat_version'),
    reserved: decoder.u16('reserved'),
  };
}
