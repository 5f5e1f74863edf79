/**
 * MOSDPing between slab and object without the general codec: heartbeats are a few messages at a time, on
 * threads that sleep in between, so that every function and object on their way is fetched from memory anew
 * (`npm run osd-heartbeat-cpu` shows what it costs). Layout in wire/messages/m-osd-ping.ts; whatever is not of
 * the usual form is left to the general codec, and so is every error.
 */
import { Buffer } from 'node:buffer';
import { MsgrError } from '../../errors.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import { Uuid } from '../../wire/uuid.ts';

/** Bytes up to the padding, without and with `deltaUb`. */
const bytesWithoutDelta = 54;
const bytesWithDelta = 62;

/** Of the last PING read: there is one cluster. */
let lastFsid = Uuid.zero;
/** The same as four i32, which are compared at once. */
let [lastFsid0, lastFsid1, lastFsid2, lastFsid3] = [0, 0, 0, 0];

/** @throws MsgrError ERR_MSGR_MALFORMED */
export function readPing(message: ReceivedMessage): MOSDPing {
  const { front, version, compatVersion } = message;
  const { length } = front;
  if (version < 5 || compatVersion > 5 || length < bytesWithoutDelta) return general(message);
  const hasDelta = front[53]!;
  const paddingBytes = u32(front, 29);
  const bytes = hasDelta === 0 ? bytesWithoutDelta : bytesWithDelta;
  if (hasDelta > 1 || bytes + paddingBytes > length) return general(message);
  return {
    fsid: readFsid(front),
    mapEpoch: u32(front, 16),
    op: front[20]!,
    pingStamp: { sec: u32(front, 21), nsec: u32(front, 25) },
    paddingBytes,
    upFrom: u32(front, 33),
    monoPingStamp: { sec: i32(front, 37), nsec: i32(front, 41) },
    monoSendStamp: { sec: i32(front, 45), nsec: i32(front, 49) },
    deltaUb: hasDelta === 0 ? undefined : { sec: i32(front, 54), nsec: i32(front, 58) },
  };
}

/** Undefined when it does not decode: that costs the peer its connection, and nobody else anything. */
export function tryReadPing(message: ReceivedMessage): MOSDPing | undefined {
  try {
    return readPing(message);
  } catch (error) {
    if (!(error instanceof MsgrError)) throw error;
    return undefined;
  }
}

/** Bytes of the front of one that has version 5. */
export function pingBytes({ deltaUb, paddingBytes }: Pick<MOSDPing, 'deltaUb' | 'paddingBytes'>): number {
  return (deltaUb === undefined ? bytesWithoutDelta : bytesWithDelta) + paddingBytes;
}

/**
 * `last` is a message made here before, whose memory is the sender's again: it is used once more if it has the size and
 * the fields; its padding is zero already, and `lastFsid`, if given, is what it says.
 */
export function pingMessage(ping: MOSDPing, last?: Message, lastFsid?: Uuid): Message {
  if (ping.version === 4) return Message.of(MOSDPing, ping);
  const length = pingBytes(ping);
  // As long with less padding, it would have its `deltaUb` where this one has zeros.
  const hasDelta = ping.deltaUb === undefined ? 0 : 1;
  if (last?.front.length === length && last.version === MOSDPing.headVersion && last.front[53] === hasDelta) {
    if (ping.fsid !== lastFsid) last.front.set(ping.fsid.bytes);
    writePing(last.front, ping);
    return last;
  }
  const front = Buffer.allocUnsafe(length);
  front.set(ping.fsid.bytes);
  writePing(front, ping);
  front.fill(0, length - ping.paddingBytes);
  return new Message({
    type: MOSDPing.type,
    version: MOSDPing.headVersion,
    compatVersion: MOSDPing.compatVersion,
    front,
  });
}

/** All but fsid and padding. */
function writePing(front: Uint8Array, ping: MOSDPing): void {
  const { deltaUb, monoPingStamp, monoSendStamp, pingStamp } = ping;
  put32(front, 16, ping.mapEpoch);
  front[20] = ping.op;
  put32(front, 21, pingStamp.sec);
  put32(front, 25, pingStamp.nsec);
  put32(front, 29, ping.paddingBytes);
  put32(front, 33, ping.upFrom);
  put32(front, 37, monoPingStamp.sec);
  put32(front, 41, monoPingStamp.nsec);
  put32(front, 45, monoSendStamp.sec);
  put32(front, 49, monoSendStamp.nsec);
  front[53] = deltaUb === undefined ? 0 : 1;
  if (deltaUb === undefined) return;
  put32(front, 54, deltaUb.sec);
  put32(front, 58, deltaUb.nsec);
}

// Buffer's own methods check their arguments in functions of their own, which have to be fetched too.

function i32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function u32(bytes: Uint8Array, at: number): number {
  return i32(bytes, at) >>> 0;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function readFsid(front: Buffer): Uuid {
  const [first, second, third, fourth] = [i32(front, 0), i32(front, 4), i32(front, 8), i32(front, 12)];
  if (first !== lastFsid0 || second !== lastFsid1 || third !== lastFsid2 || fourth !== lastFsid3) {
    [lastFsid0, lastFsid1, lastFsid2, lastFsid3] = [first, second, third, fourth];
    lastFsid = Uuid.fromBytes(front.subarray(0, 16));
  }
  return lastFsid;
}

function general(message: ReceivedMessage): MOSDPing {
  return MOSDPing.decode(message);
}
