/**
 * The handshake both roles go through before a session is spoken of: banner, HELLO, authentication and
 * the signature over everything said so far. A pure state machine: what arrives goes in, what is to be
 * done comes out, and it knows no socket and no clock.
 *
 *      connector                          acceptor
 *      banner        ──────────────────►             both at once
 *                    ◄──────────────────  banner
 *      HELLO         ──────────────────►             both at once
 *                    ◄──────────────────  HELLO
 *      AUTH_REQUEST  ──────────────────►
 *                    ◄──────────────────  AUTH_BAD_METHOD | AUTH_REPLY_MORE | AUTH_DONE
 *      [AUTH_REQUEST_MORE … AUTH_REPLY_MORE …]
 *      AUTH_SIGNATURE ─────────────────►             both, under the mode just agreed
 *                    ◄──────────────────  AUTH_SIGNATURE
 *
 * Afterwards the connector speaks first: see session.ts.
 */
import type { AuthOutcome } from '../auth/auth.ts';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { EntityAddr } from '../wire/entity-addr.ts';
import { assembleControlFrame } from '../wire/frame.ts';
import { authSignatureFrame } from '../wire/frames/auth-signature.ts';
import { type Hello, helloFrame } from '../wire/frames/hello.ts';
import { Tag, tagName } from '../wire/frames/tag.ts';
import {
  bannerHeadBytes,
  checkBanner,
  decodeBannerHead,
  decodeBannerPayload,
  encodeBanner,
  ourBanner,
} from './banner.ts';
import { type StreamSecrets, streamSecrets } from './stream-secrets.ts';
import { Transcript } from './transcript.ts';

/** What the owner of the byte stream does next, in this order. */
export type HandshakeAction =
  | { readonly kind: 'sendBytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'sendControl'; readonly tag: number; readonly payload: Uint8Array }
  | { readonly kind: 'expectBytes'; readonly count: number }
  | { readonly kind: 'expectFrame' }
  | { readonly kind: 'secure'; readonly secrets: StreamSecrets }
  /** The peer is who it says; the session comes next. */
  | { readonly kind: 'authenticated'; readonly outcome: AuthOutcome };

/** What HELLO told about the peer. */
export interface PeerGreeting {
  /** `EntityType` of the peer. */
  readonly peerType: number;
  /** This side's address as the peer sees it; its port is that of this one socket. */
  readonly myAddr: EntityAddr;
}

/** Where the machine stands; Ceph's states BANNER_*, HELLO_*, AUTH_*, AUTH_*_SIGN. */
export type HandshakePhase = 'banner' | 'bannerPayload' | 'hello' | 'auth' | 'signature' | 'done';

/** The part that the roles share; `Connector…` and `AcceptorHandshake` add who speaks when. */
export abstract class Handshake {
  protected readonly transcript = new Transcript();
  protected phase_: HandshakePhase = 'banner';
  readonly #hello: Hello;
  #outcome: AuthOutcome | undefined;
  #actions: HandshakeAction[] = [];
  #greeting: PeerGreeting | undefined;

  protected constructor(hello: Hello) {
    this.#hello = hello;
  }

  get phase(): HandshakePhase {
    return this.phase_;
  }

  /** Known once the peer's HELLO was read. */
  get greeting(): PeerGreeting | undefined {
    return this.#greeting;
  }

  /** First event: the byte stream is open. */
  start(): HandshakeAction[] {
    this.#sendBytes(encodeBanner(ourBanner));
    this.#push({ kind: 'expectBytes', count: bannerHeadBytes });
    return this.#take();
  }

  /** Event: the bytes that were expected. Throws MsgrError when the peer is at fault. */
  bytes(bytes: Buffer): HandshakeAction[] {
    this.transcript.received(bytes);
    if (this.phase_ === 'banner') {
      this.phase_ = 'bannerPayload';
      this.#push({ kind: 'expectBytes', count: decodeBannerHead(bytes) });
    } else {
      checkBanner(ourBanner, decodeBannerPayload(bytes));
      this.phase_ = 'hello';
      this.#sendFrame(Tag.Hello, helloFrame.encode(this.#hello));
      this.#push({ kind: 'expectFrame' });
    }
    return this.#take();
  }

  /** Event: a frame. `raw` is the whole of it as it was on the wire. Throws MsgrError when the peer is at fault. */
  frame(tag: number, payload: Buffer, raw: Buffer): HandshakeAction[] {
    if (this.phase_ === 'signature') {
      this.#checkSignature(tag, payload);
      return this.#take();
    }
    this.transcript.received(raw);
    if (this.phase_ === 'hello') {
      if (tag !== Tag.Hello) this.unexpected(tag);
      const hello = helloFrame.decode(payload);
      this.#greeting = { peerType: hello.entityType, myAddr: hello.peerAddr };
      this.phase_ = 'auth';
      this.greeted(this.#greeting);
    } else if (this.phase_ === 'auth') {
      this.authFrame(tag, payload);
    } else {
      this.unexpected(tag);
    }
    return this.#take();
  }

  /** The peer's HELLO is read. */
  protected abstract greeted(greeting: PeerGreeting): void;
  /** A frame of the authentication. */
  protected abstract authFrame(tag: number, payload: Buffer): void;
  protected abstract readonly role: 'connector' | 'acceptor';

  /** Sends a frame in the clear and expects the answer. */
  protected ask(tag: number, payload: Uint8Array): void {
    this.#sendFrame(tag, payload);
    this.expectFrame();
  }

  protected tell(tag: number, payload: Uint8Array): void {
    this.#sendFrame(tag, payload);
  }

  protected expectFrame(): void {
    this.#push({ kind: 'expectFrame' });
  }

  /** AUTH_DONE was sent or read: switch to the agreed mode, prove the transcript, check the peer's proof. */
  protected sign(outcome: AuthOutcome): void {
    this.#outcome = outcome;
    this.phase_ = 'signature';
    const secrets = streamSecrets(outcome, this.role);
    if (secrets) this.#push({ kind: 'secure', secrets });
    const signature = this.transcript.signReceived(outcome.sessionKey);
    this.#push({
      kind: 'sendControl',
      tag: Tag.AuthSignature,
      payload: authSignatureFrame.encode({ signature }),
    });
    this.expectFrame();
  }

  protected unexpected(tag: number): never {
    throw new MsgrError(
      ErrorCode.UnexpectedFrame,
      `frame ${tagName(tag)} while ${this.role === 'connector' ? 'connecting' : 'accepting'} in phase ${this.phase_}`,
    );
  }

  #checkSignature(tag: number, payload: Buffer): void {
    if (tag !== Tag.AuthSignature) this.unexpected(tag);
    const outcome = this.#outcome!;
    const { signature } = authSignatureFrame.decode(payload);
    if (!this.transcript.verifySent(outcome.sessionKey, signature)) {
      throw new MsgrError(
        ErrorCode.Auth,
        "the peer's signature does not match what was sent to it: the handshake was altered on the way, or the keys differ",
      );
    }
    this.phase_ = 'done';
    this.#push({ kind: 'authenticated', outcome });
  }

  #sendFrame(tag: number, payload: Uint8Array): void {
    this.#sendBytes(assembleControlFrame(tag, payload));
  }

  #sendBytes(bytes: Uint8Array): void {
    this.transcript.sent(bytes);
    this.#push({ kind: 'sendBytes', bytes });
  }

  #push(action: HandshakeAction): void {
    this.#actions.push(action);
  }

  #take(): HandshakeAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}
