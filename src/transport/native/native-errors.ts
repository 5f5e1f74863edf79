/** What the core reports about a socket that ended, as the error a user meets. */
import { getSystemErrorName } from 'node:util';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { loadNative } from '../../native.ts';
import { tagName } from '../../wire/frames/tag.ts';
import { Field } from '../message-batch.ts';

/** Why a socket ended; the core's CloseReason. */
export const CloseReason = { peerClosed: 0, systemError: 1, badFrame: 2 } as const;

/** Those of the core's FrameError that are told in another way than the rest. */
export const FrameError = { tag: 14, noncesUsed: 15, cipher: 16 } as const;

/** The step of a socket's life that a system error happened in; the core's SocketStep. */
export const SocketStep = {
  socket: 1,
  device: 2,
  noDelay: 3,
  typeOfService: 4,
  reusePort: 5,
  bindAddressNoPort: 6,
  busyPollUs: 7,
  receiveBufferBytes: 8,
  sendBufferBytes: 9,
  congestionControl: 10,
  bind: 11,
  listen: 12,
  connect: 13,
  receive: 14,
  send: 15,
} as const;

const stepNames = new Map<number, string>(Object.entries(SocketStep).map(([name, step]) => [step, name]));

/** Answers of the system that mean "there is no such option here" rather than "it went wrong". */
const unsupportedErrors = new Set(['ENOPROTOOPT', 'EOPNOTSUPP', 'ENOENT']);

/** The error of a `closed` record; `peer` is the address the channel was connected to, as text. */
export function closedError(records: Int32Array, at: number, peer: string): MsgrError {
  const reason = records[at + Field.typeAndPriority]! & 0xffff;
  const code = records[at + Field.versions]! & 0xffff;
  if (reason === CloseReason.peerClosed) {
    return new MsgrError(ErrorCode.PeerClosed, `${peer} closed the connection`, { peer });
  }
  if (reason === CloseReason.systemError) return socketError(records[at + Field.tidLow]!, code, peer);
  const tag = records[at + Field.typeAndPriority]! >>> 16;
  const segment = records[at + Field.versions]! >>> 16;
  const value = number64(records[at + Field.tidLow]!, records[at + Field.tidHigh]!);
  const expected = number64(records[at + Field.seqLow]!, records[at + Field.seqHigh]!);
  const text = loadNative().frameErrors[code] ?? `frame error ${code}`;
  if (code === FrameError.noncesUsed) {
    return new MsgrError(ErrorCode.NoncesUsedUp, `${peer}: ${text}; the next connection has new keys`, {
      peer,
    });
  }
  if (code === FrameError.cipher) return new MsgrError(ErrorCode.Unsupported, `${peer}: ${text}`, { peer });
  if (code === FrameError.tag) {
    const field = tag === 0 ? 'preamble' : segment === 0 ? 'segments[0]' : 'epilogue';
    const message = `${peer}: ${field}.tag ${text} (after ${value} sealed parts)`;
    return new MsgrError(ErrorCode.BadFrame, message, { peer, field: `${field}.tag` });
  }
  return new MsgrError(
    ErrorCode.BadFrame,
    `${peer}: ${text} (${tagName(tag)}, segment ${segment}: ${value}, expected ${expected})`,
    { peer, field: `segment${segment}` },
  );
}

/** The error of a step that the system refused; `address` is the one that was to be reached or bound. */
export function socketError(step: number, errno: number, address: string): MsgrError {
  const name = getSystemErrorName(-errno);
  const what = stepNames.get(step) ?? `step ${step}`;
  const cause = Object.assign(new Error(`${what} ${name}`), { code: name, errno: -errno, syscall: what });
  const message = `${address}: ${what}: ${name}`;
  if (step === SocketStep.connect && name === 'ECONNREFUSED') {
    return new MsgrError(ErrorCode.Refused, message, { cause, peer: address });
  }
  if (isOptionStep(step) && unsupportedErrors.has(name)) {
    return new MsgrError(ErrorCode.Unsupported, `${message}: this system does not offer the option`, {
      cause,
    });
  }
  if (step === SocketStep.bind || step === SocketStep.listen || step === SocketStep.device) {
    return new MsgrError(ErrorCode.Bind, message, { cause });
  }
  return new MsgrError(ErrorCode.Socket, message, { cause, peer: address });
}

function isOptionStep(step: number): boolean {
  return step >= SocketStep.device && step <= SocketStep.congestionControl;
}

function number64(low: number, high: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}
