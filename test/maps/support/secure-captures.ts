/**
 * Recorded streams in secure mode, decrypted: the keyring beside the recording gives the secrets of the
 * connections to the monitor (facts 4.5), their tickets give those between OSDs (facts 4.6), and the frames
 * follow from the connection secrets (facts 1.5, 1.10). For reading recordings only; nothing is verified
 * but the tags of AES-GCM, which is enough to know that every byte is right.
 */
import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decoder } from '../../../src/wire/decoder.ts';
import {
  bannerBytes,
  type CaptureFrame,
  type CaptureStream,
  captureFrames,
  captureStreams,
} from '../../support/captures.ts';

const authRequestTag = 2;
const authReplyMoreTag = 4;
const authDoneTag = 6;
const secureMode = 2;
const cephxIv = Buffer.from('cephsageyudagreg');
const authService = 0x20;
/** Struct version and magic of everything that cephx encrypts. */
const sealBytes = 9;
const cryptoKeyHeaderBytes = 12;

/** Session keys by the ticket that carries them, as hexadecimal. */
type Tickets = Map<string, Buffer>;

/** One direction of a connection, from the first sealed byte on. */
export interface SecureStream {
  readonly name: string;
  readonly key: Buffer;
  /** Of the first operation. */
  readonly nonce: Buffer;
  readonly bytes: Buffer;
}

/** Both directions of every connection that came to secure mode. */
export function* secureStreams(root: string, folder: string): Generator<SecureStream> {
  const keys = readKeyring(join(root, folder, 'keyring'));
  const streams = captureStreams(root, folder);
  const tickets: Tickets = new Map();
  for (const stream of streams.filter(({ direction }) => direction === 'c2s')) {
    const answer = streams.find(({ name }) => name === stream.name.replace(/c2s$/, 's2c'));
    if (answer === undefined) continue;
    const fromAcceptor = framesUntil(captureFrames(answer), (frame) => frame.tag === authDoneTag);
    const done = fromAcceptor.find(({ tag }) => tag === authDoneTag);
    // Connections that were given up before they were authenticated hold no messages.
    if (done === undefined) continue;
    const rounds = fromAcceptor.filter(({ tag }) => tag === authReplyMoreTag).length;
    const fromConnector = framesUntil(captureFrames(stream), (_, count) => count === 2 + rounds);
    const secret = connectionSecret(keys, tickets, fromConnector, done);
    if (secret === undefined) continue;
    const key = secret.subarray(0, 16);
    const sealed = ({ name, bytes }: CaptureStream, clear: readonly CaptureFrame[], nonceAt: number) => ({
      name,
      key,
      nonce: secret.subarray(nonceAt, nonceAt + 12),
      bytes: bytes.subarray(endOf(clear)),
    });
    yield sealed(answer, fromAcceptor, 16);
    yield sealed(stream, fromConnector, 28);
  }
}

/** The MESSAGE and control frames after authentication, of both directions of every connection. */
export function secureFrames(root: string, folder: string): { segments: readonly Buffer[]; tag: number }[] {
  return [...secureStreams(root, folder)].flatMap((stream) => [...decryptFrames(stream)]);
}

function framesUntil(
  frames: Iterable<CaptureFrame>,
  isLast: (frame: CaptureFrame, count: number) => boolean,
): CaptureFrame[] {
  const result: CaptureFrame[] = [];
  for (const frame of frames) {
    result.push(frame);
    if (isLast(frame, result.length)) break;
  }
  return result;
}

function endOf(frames: readonly CaptureFrame[]): number {
  const last = frames.at(-1);
  return last === undefined ? bannerBytes : last.offset + last.raw.byteLength;
}

function readKeyring(path: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  let name = '';
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    name = /^\[(.+)\]$/.exec(line)?.[1] ?? name;
    const key = /^\s*key = (\S+)$/.exec(line)?.[1];
    if (key !== undefined) keys.set(name, Buffer.from(key, 'base64').subarray(cryptoKeyHeaderBytes));
  }
  return keys;
}

/** What cephx sealed, without its seal. */
function unseal(key: Buffer, sealed: Buffer): Decoder {
  const cipher = createDecipheriv('aes-128-cbc', key, cephxIv);
  const plain = Buffer.concat([cipher.update(sealed), cipher.final()]);
  return new Decoder(plain.subarray(sealBytes), 'sealed');
}

const entityTypes: Record<number, string> = { 1: 'mon', 4: 'osd', 8: 'client', 16: 'mgr' };

/** Undefined when the connection is not in secure mode. Tickets that are handed out are added. */
function connectionSecret(
  keys: Map<string, Buffer>,
  tickets: Tickets,
  fromConnector: readonly CaptureFrame[],
  done: CaptureFrame,
): Buffer | undefined {
  const request = new Decoder(
    fromConnector.find(({ tag }) => tag === authRequestTag)!.segments[0]!,
    'request',
  );
  request.u32('method');
  request.list('modes', 4, () => request.u32('mode'));
  const payload = new Decoder(request.buffer('payload'), 'payload');
  const answer = new Decoder(done.segments[0]!, 'done');
  answer.u64('global_id');
  const mode = answer.u32('mode');
  const reply = new Decoder(answer.buffer('payload'), 'reply');
  const toMonitor = payload.u8('kind') === 10;
  let secret: Buffer;
  if (toMonitor) {
    const name = `${entityTypes[payload.u32('type')]}.${payload.string('id')}`;
    reply.u16('type');
    reply.i32('status');
    const session = readTickets(reply, keys.get(name)!, tickets).get(authService)!;
    const sealedSecret = new Decoder(reply.buffer('secret'), 'secret');
    secret = unseal(session, sealedSecret.buffer('sealed')).buffer('connection_secret');
    const extra = reply.buffer('extra');
    if (extra.byteLength > 0) readTickets(new Decoder(extra, 'extra'), session, tickets);
  } else {
    payload.u64('global_id');
    payload.u32('service');
    const session = tickets.get(readTicket(payload));
    if (session === undefined) return undefined;
    const sealed = unseal(session, reply.buffer('sealed'));
    sealed.u8('version');
    sealed.u64('nonce');
    secret = sealed.buffer('connection_secret');
  }
  return mode === secureMode ? secret : undefined;
}

function readTicket(d: Decoder): string {
  d.u8('version');
  return `${d.u64('secret_id')}:${d.buffer('blob').toString('hex')}`;
}

/** Session keys by service; each is remembered by its ticket too. */
function readTickets(d: Decoder, key: Buffer, tickets: Tickets): Map<number, Buffer> {
  const sessions = new Map<number, Buffer>();
  d.u8('version');
  for (let count = d.u32('count'); count > 0; count--) {
    const service = d.u32('service');
    d.u8('version');
    const sealed = unseal(key, d.buffer('sealed'));
    sealed.u8('version');
    sealed.u16('type');
    sealed.skip(8, 'created');
    const session = sealed.raw(sealed.u16('length'), 'secret');
    sessions.set(service, session);
    // Who comes back to the monitor gets its ticket encrypted; it is for the monitor alone, not needed here.
    if (d.bool('encrypted')) d.buffer('sealed ticket');
    else tickets.set(readTicket(new Decoder(d.buffer('ticket'), 'ticket')), session);
  }
  return sessions;
}

const blockBytes = 16;
const tagBytes = 16;
const preambleBytes = 32;
const inlineBytes = 48;

const padded = (length: number): number => Math.ceil(length / blockBytes) * blockBytes;

function* decryptFrames({
  bytes,
  key,
  nonce: firstNonce,
}: SecureStream): Generator<{ segments: readonly Buffer[]; tag: number }> {
  const nonce = Buffer.from(firstNonce);
  let at = 0;
  const open = (length: number): Buffer => {
    const cipher = createDecipheriv('aes-128-gcm', key, nonce);
    cipher.setAuthTag(bytes.subarray(at + length, at + length + tagBytes));
    const plain = Buffer.concat([cipher.update(bytes.subarray(at, at + length)), cipher.final()]);
    nonce.writeBigUInt64LE(nonce.readBigUInt64LE(4) + 1n, 4);
    at += length + tagBytes;
    return plain;
  };
  const left = (): number => bytes.byteLength - at;
  while (left() >= preambleBytes + inlineBytes + tagBytes) {
    const first = open(preambleBytes + inlineBytes);
    const count = first[1]!;
    const lengths = [0, 1, 2, 3].slice(0, count).map((index) => first.readUInt32LE(2 + 6 * index));
    const rest = Math.max(0, padded(lengths[0]!) - inlineBytes);
    const others = lengths.slice(1).reduce((sum, length) => sum + padded(length), 0);
    const needed = (rest > 0 ? rest + tagBytes : 0) + (count > 1 ? others + blockBytes + tagBytes : 0);
    // A connection that was cut ends in half a frame.
    if (left() < needed) return;
    const inline = first.subarray(preambleBytes);
    const segments: Buffer[] = [
      Buffer.concat([inline, rest > 0 ? open(rest) : inline.subarray(0, 0)]).subarray(0, lengths[0]!),
    ];
    if (count > 1) {
      const plain = open(others + blockBytes);
      let from = 0;
      for (const length of lengths.slice(1)) {
        segments.push(plain.subarray(from, from + length));
        from += padded(length);
      }
    }
    yield { tag: first[0]!, segments };
  }
}
