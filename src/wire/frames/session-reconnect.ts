/** SESSION_RECONNECT: the connector wants its session back instead of a new one. */
import {
  decodeEntityAddrVec,
  type EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecByteLength,
} from '../entity-addrvec.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface SessionReconnect {
  /** The connector's own addresses, the key under which the acceptor kept the session. */
  readonly addrs: EntityAddrVec;
  readonly clientCookie: bigint;
  readonly serverCookie: bigint;
  readonly globalSeq: bigint;
  /** Counts the attempts of this session to connect again. */
  readonly connectSeq: bigint;
  /** Seq of the last message that the connector received; what comes after it is sent again. */
  readonly messageSeq: bigint;
}

export const sessionReconnectFrame = defineControlFrame<SessionReconnect>({
  tag: Tag.SessionReconnect,
  byteLength: (value) => entityAddrVecByteLength(value.addrs) + 40,
  write(encoder, value) {
    encodeEntityAddrVec(encoder, value.addrs);
    encoder.u64(value.clientCookie).u64(value.serverCookie);
    encoder.u64(value.globalSeq).u64(value.connectSeq).u64(value.messageSeq);
  },
  read: (decoder) => ({
    addrs: decodeEntityAddrVec(decoder, 'addrs'),
    clientCookie: decoder.u64('clientCookie'),
    serverCookie: decoder.u64('serverCookie'),
    globalSeq: decoder.u64('globalSeq'),
    connectSeq: decoder.u64('connectSeq'),
    messageSeq: decoder.u64('messageSeq'),
  }),
});
