/**
 * MOSDPing between slab and object without the general codec: heartbeats are a few messages at a time, on
 * threads that sleep in between, so that every function and object on their way is fetched from memory anew
 * (`npm run osd-heartbeat-cpu` shows what it costs). Layout in wire/messages/m-osd-ping.ts; whatever is not of
 * the usual form is left to the general codec, and so is every error.
 */
import { Buffer } from 'node:buffer';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import { Uuid } from '../../wire/uuid.ts';

/** Bytes up to the padding, without and with `deltaUb`. */
const bytesWithoutDelta = 54;
const bytesWithDelta = 62;

/** Of the last PING read: there is one cluster. */
let lastFsid = Uuid.zero;
let lastFsidBytes = Buffer.alloc(16);

/** @throws MsgrError ERR_MSGR_MALFORMED */
export function readPing(message: ReceivedMessage): MOSDPing {
  const { front, version, compatVersion } = message;
  const { length } = front;
  if (version < 5 || compatVersion > 5 || length < bytesWithoutDelta) return general(message);
  const hasDelta = front[53]!;
  const paddingBytes = front.readUInt32LE(29);
  const bytes = hasDelta === 0 ? bytesWithoutDelta : bytesWithDelta;
  if (hasDelta > 1 || bytes + paddingBytes > length) return general(message);
  return {
    fsid: readFsid(front),
    mapEpoch: front.readUInt32LE(16),
    op: front[20]!,
    pingStamp: { sec: front.readUInt32LE(21), nsec: front.readUInt32LE(25) },
    paddingBytes,
    upFrom: front.readUInt32LE(33),
    monoPingStamp: { sec: front.readInt32LE(37), nsec: front.readInt32LE(41) },
    monoSendStamp: { sec: front.readInt32LE(45), nsec: front.readInt32LE(49) },
    deltaUb: hasDelta === 0 ? undefined : { sec: front.readInt32LE(54), nsec: front.readInt32LE(58) },
  };
}

export function pingMessage(ping: MOSDPing): Message {
  const { deltaUb, monoPingStamp, monoSendStamp, paddingBytes, pingStamp } = ping;
  if (ping.version === 4) return Message.of(MOSDPing, ping);
  const bytes = deltaUb === undefined ? bytesWithoutDelta : bytesWithDelta;
  const front = Buffer.allocUnsafe(bytes + paddingBytes);
  front.set(ping.fsid.bytes, 0);
  front.writeUInt32LE(ping.mapEpoch, 16);
  front[20] = ping.op;
  front.writeUInt32LE(pingStamp.sec, 21);
  front.writeUInt32LE(pingStamp.nsec, 25);
  front.writeUInt32LE(paddingBytes, 29);
  front.writeUInt32LE(ping.upFrom, 33);
  front.writeInt32LE(monoPingStamp.sec, 37);
  front.writeInt32LE(monoPingStamp.nsec, 41);
  front.writeInt32LE(monoSendStamp.sec, 45);
  front.writeInt32LE(monoSendStamp.nsec, 49);
  front[53] = deltaUb === undefined ? 0 : 1;
  if (deltaUb !== undefined) {
    front.writeInt32LE(deltaUb.sec, 54);
    front.writeInt32LE(deltaUb.nsec, 58);
  }
  front.fill(0, bytes);
  return new Message({
    type: MOSDPing.type,
    version: MOSDPing.headVersion,
    compatVersion: MOSDPing.compatVersion,
    front,
  });
}

function readFsid(front: Buffer): Uuid {
  for (let index = 0; index < 16; index++) {
    if (front[index] === lastFsidBytes[index]) continue;
    lastFsidBytes = Buffer.from(front.subarray(0, 16));
    lastFsid = Uuid.fromBytes(lastFsidBytes);
    break;
  }
  return lastFsid;
}

function general(message: ReceivedMessage): MOSDPing {
  return MOSDPing.decode(message);
}
