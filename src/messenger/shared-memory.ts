/**
 * How two messengers on one host leave the socket for memory that they share (D52). Both say in their idents that
 * they can; the connector asks once its connection is busy, and each direction goes over behind its last frame on
 * the socket:
 *
 *      connector                                          acceptor
 *      Ask ─────────────────────────────────────────────►
 *          ◄──────────────────────── Invite(name, token)  listens at a UNIX socket of that name
 *      makes the memory and hands it over there
 *      Given ───────────────────────────────────────────►  takes it
 *          ◄──────────────────────────────────── Switched  its next byte is in the memory
 *      Switched ────────────────────────────────────────►
 *      its next byte is in the memory
 *
 * Either may answer Declined instead, for whatever reason: then the session stays on the socket, which it does
 * anyway until the last step. The frames are the same in both places, CRCs and acknowledgements included, and the
 * socket stays: when it ends, so does the memory, and the next socket of the session begins anew.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Channel, SharedMemoryPort } from '../transport/channel.ts';
import { AddrType, EntityAddr } from '../wire/entity-addr.ts';
import {
  type SharedMemory,
  type SharedMemoryInvitation,
  SharedMemoryStep,
  sharedMemoryFrame,
  sharedNameBytes,
  sharedTokenBytes,
} from '../wire/frames/shared-memory.ts';
import { Tag } from '../wire/frames/tag.ts';
import type { RandomSource } from './random.ts';

/** The agreement of one socket. */
export class SharedMemoryAgreement {
  readonly #channel: Channel;
  readonly #port: SharedMemoryPort;
  readonly #side: 'connect' | 'accept';
  readonly #random: RandomSource;
  /** What the peer may say next. */
  #expected: SharedMemoryStep | undefined;
  #token: Buffer | undefined;
  /** Both directions have gone over. */
  isDone = false;

  constructor(channel: Channel, port: SharedMemoryPort, side: 'connect' | 'accept', random: RandomSource) {
    this.#channel = channel;
    this.#port = port;
    this.#side = side;
    this.#random = random;
    this.#expected = side === 'accept' ? SharedMemoryStep.Ask : undefined;
  }

  /** The connection carries much. */
  onBusy(): void {
    if (this.#side !== 'connect' || this.#expected !== undefined) return;
    this.#expected = SharedMemoryStep.Invite;
    this.#send({ step: SharedMemoryStep.Ask });
  }

  /** @throws MsgrError when the peer breaks the order. */
  onFrame(payload: Buffer): void {
    const { step, invitation } = sharedMemoryFrame.decode(payload);
    const { Ask, Invite, Given, Switched, Declined } = SharedMemoryStep;
    if (step === Declined && this.#expected !== Ask && this.#expected !== undefined) return this.#giveUp();
    if (step !== this.#expected) {
      throw new MsgrError(ErrorCode.UnexpectedFrame, `frame SHARED_MEMORY step ${step} out of order`);
    }
    switch (step) {
      case Ask:
        return this.#invite();
      case Invite:
        return this.#give(invitation!);
      case Given:
        return this.#take();
      case Switched:
        this.#expected = undefined;
        this.#port.shareInput();
        if (this.#side === 'connect') this.#switchOutput();
        this.isDone = true;
    }
  }

  #invite(): void {
    const name = this.#bytes(sharedNameBytes);
    const token = this.#bytes(sharedTokenBytes);
    const remote = this.#channel.remoteAddress;
    if (remote === undefined || !this.#port.shareInvite(name)) return this.#decline();
    this.#token = token;
    this.#expected = SharedMemoryStep.Given;
    const peerAddr = new EntityAddr({ type: AddrType.Msgr2, host: remote.host, port: remote.port });
    this.#send({ step: SharedMemoryStep.Invite, invitation: { name, token, peerAddr } });
  }

  #give({ name, token, peerAddr }: SharedMemoryInvitation): void {
    const local = this.#channel.localAddress;
    const isDirect = local !== undefined && peerAddr.host === local.host && peerAddr.port === local.port;
    if (!isDirect || !this.#port.shareGive(name, token)) return this.#decline();
    this.#expected = SharedMemoryStep.Switched;
    this.#send({ step: SharedMemoryStep.Given });
  }

  #take(): void {
    if (!this.#port.shareTake(this.#token!)) return this.#decline();
    this.#expected = SharedMemoryStep.Switched;
    this.#switchOutput();
  }

  #switchOutput(): void {
    this.#send({ step: SharedMemoryStep.Switched });
    this.#port.shareOutput();
  }

  #decline(): void {
    this.#giveUp();
    this.#send({ step: SharedMemoryStep.Declined });
  }

  #giveUp(): void {
    this.#expected = undefined;
    this.#port.shareNothing();
  }

  #send(frame: SharedMemory): void {
    this.#channel.sendControl(Tag.SharedMemory, sharedMemoryFrame.encode(frame));
  }

  #bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at += 4) bytes.writeUInt32LE(this.#random.u32(), at);
    return bytes;
  }
}
