/**
 * One attempt of a connection to reach its peer: handshake, then CLIENT_IDENT or SESSION_RECONNECT until
 * the acceptor lets the session run. Lives from `channel.connect` to `sessionEstablished` or a fault.
 *
 *      CLIENT_IDENT      ──► SERVER_IDENT           in session
 *                        ──► IDENT_MISSING_FEATURES fault
 *                        ──► WAIT                   both connect at once; the peer's attempt wins
 *      SESSION_RECONNECT ──► SESSION_RECONNECT_OK   in session, replayed from its message_seq
 *                        ──► SESSION_RETRY, SESSION_RETRY_GLOBAL   again, with a higher number
 *                        ──► SESSION_RESET          the session is gone; CLIENT_IDENT
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import { ConnectorHandshake } from '../protocol/connector-handshake.ts';
import type { ChannelHandler } from '../transport/channel.ts';
import { EntityName } from '../wire/entity-name.ts';
import { msgr2Required } from '../wire/features.ts';
import { clientIdentFrame, IdentFlag } from '../wire/frames/client-ident.ts';
import { identMissingFeaturesFrame } from '../wire/frames/ident-missing-features.ts';
import { serverIdentFrame } from '../wire/frames/server-ident.ts';
import { sessionReconnectFrame } from '../wire/frames/session-reconnect.ts';
import { sessionReconnectOkFrame } from '../wire/frames/session-reconnect-ok.ts';
import { sessionResetFrame } from '../wire/frames/session-reset.ts';
import { sessionRetryFrame } from '../wire/frames/session-retry.ts';
import { sessionRetryGlobalFrame } from '../wire/frames/session-retry-global.ts';
import { Tag, tagName } from '../wire/frames/tag.ts';
import { runHandshakeActions } from './handshake-runner.ts';
import { InterceptStep } from './interceptor.ts';
import type { PeerConnection } from './peer-connection.ts';
import { makeCookie } from './session-state.ts';

export class Connector implements ChannelHandler {
  readonly #connection: PeerConnection;
  readonly #handshake: ConnectorHandshake;
  /** Which of the two was sent last, and hence which answers are allowed. */
  #asked: 'nothing' | 'ident' | 'reconnect' = 'nothing';

  constructor(connection: PeerConnection) {
    this.#connection = connection;
    const { messenger, peerType, targetAddr } = connection;
    const hello = { entityType: messenger.name.type, peerAddr: targetAddr };
    this.#handshake = new ConnectorHandshake(hello, peerType, messenger.auth.client(peerType, targetAddr));
  }

  onOpen(): void {
    this.#connection.intercept(InterceptStep.StartClientBannerExchange, () =>
      this.#guard(() => runHandshakeActions(this.#connection.channel, this.#handshake.start())),
    );
  }

  onBytes(bytes: Buffer): void {
    this.#guard(() => {
      const actions = this.#handshake.bytes(bytes);
      this.#connection.intercept(InterceptStep.BannerExchangeConnecting, () => this.#advance(actions));
    });
  }

  onFrame(tag: number, payload: Buffer, raw: Buffer): void {
    this.#guard(() => {
      if (this.#asked !== 'nothing') return this.#sessionFrame(tag, payload);
      const isHello = this.#handshake.phase === 'hello';
      const actions = this.#handshake.frame(tag, payload, raw);
      if (isHello) {
        const { messenger, channel } = this.#connection;
        messenger.learnAddress(this.#handshake.greeting!.myAddr, channel);
      }
      this.#advance(actions);
    });
  }

  onMessages(): boolean {
    return false;
  }

  onDrain(): void {}

  onClosed(error: MsgrError): void {
    this.#connection.fault(error);
  }

  #advance(actions: ReturnType<ConnectorHandshake['bytes']>): void {
    const outcome = runHandshakeActions(this.#connection.channel, actions);
    if (outcome === undefined) return;
    this.#connection.authenticated(outcome);
    if (this.#connection.session.serverCookie === 0n) this.#sendClientIdent();
    else this.#sendReconnect();
  }

  #sendClientIdent(): void {
    const { channel, messenger, policy, session, targetAddr } = this.#connection;
    if (!policy.lossy && session.clientCookie === 0n) session.clientCookie = makeCookie(messenger.random);
    this.#asked = 'ident';
    this.#connection.intercept(InterceptStep.SendClientIdentity, () => {
      channel.sendControl(
        Tag.ClientIdent,
        clientIdentFrame.encode({
          addrs: messenger.myAddrs,
          targetAddr,
          gid: messenger.name.num,
          globalSeq: session.globalSeq,
          featuresSupported: policy.featuresSupported,
          featuresRequired: policy.featuresRequired | msgr2Required,
          flags: this.#connection.identFlags,
          clientCookie: session.clientCookie,
        }),
      );
      channel.expectFrame();
    });
  }

  #sendReconnect(): void {
    const { channel, messenger, session } = this.#connection;
    this.#asked = 'reconnect';
    this.#connection.intercept(InterceptStep.SendReconnect, () => {
      channel.sendControl(
        Tag.SessionReconnect,
        sessionReconnectFrame.encode({
          addrs: messenger.myAddrs,
          clientCookie: session.clientCookie,
          serverCookie: session.serverCookie,
          globalSeq: session.globalSeq,
          connectSeq: session.connectSeq,
          messageSeq: channel.inSeq,
        }),
      );
      channel.expectFrame();
    });
  }

  #sessionFrame(tag: number, payload: Buffer): void {
    const connection = this.#connection;
    const { session } = connection;
    if (tag === Tag.Wait) return connection.wait();
    if (this.#asked === 'ident') {
      if (tag === Tag.ServerIdent) return this.#serverIdent(payload);
      if (tag === Tag.IdentMissingFeatures) {
        const { features } = identMissingFeaturesFrame.decode(payload);
        throw new MsgrError(
          ErrorCode.MissingFeatures,
          `the peer requires features 0x${features.toString(16)} that this side's policy does not offer`,
        );
      }
    } else {
      switch (tag) {
        case Tag.SessionReconnectOk:
          connection.channel.acknowledge(sessionReconnectOkFrame.decode(payload).messageSeq);
          return connection.sessionEstablished('connect');
        case Tag.SessionRetry:
          session.connectSeq = sessionRetryFrame.decode(payload).connectSeq + 1n;
          return this.#sendReconnect();
        case Tag.SessionRetryGlobal: {
          const { globalSeq } = sessionRetryGlobalFrame.decode(payload);
          session.globalSeq = connection.messenger.nextGlobalSeq(globalSeq);
          return this.#sendReconnect();
        }
        case Tag.SessionReset:
          if (sessionResetFrame.decode(payload).full) {
            connection.resetSession();
          } else {
            session.serverCookie = 0n;
            session.connectSeq = 0n;
            connection.channel.resetInSeq();
          }
          return this.#sendClientIdent();
      }
    }
    throw new MsgrError(ErrorCode.UnexpectedFrame, `frame ${tagName(tag)} as an answer to ${this.#asked}`);
  }

  #serverIdent(payload: Buffer): void {
    const connection = this.#connection;
    const ident = serverIdentFrame.decode(payload);
    if (!ident.addrs.contains(connection.targetAddr)) {
      throw new MsgrError(
        ErrorCode.PeerMismatch,
        `the peer is ${ident.addrs}, which does not include ${connection.targetAddr}`,
        { field: 'serverIdent.addrs' },
      );
    }
    connection.session.serverCookie = ident.serverCookie;
    connection.session.peerGlobalSeq = ident.globalSeq;
    connection.identified({
      addrs: ident.addrs,
      name: new EntityName(connection.peerType, ident.gid),
      features: ident.featuresSupported & connection.policy.featuresSupported,
      lossy: (ident.flags & IdentFlag.Lossy) !== 0n,
      sharesMemory: (ident.flags & IdentFlag.SharedMemory) !== 0n,
    });
    connection.channel.resetInSeq();
    connection.sessionEstablished('connect');
  }

  /** A peer's mistake faults this one connection. */
  #guard(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#connection.fault(asMsgrError(error));
    }
  }
}

/** Decoding errors are the peer's; anything else is a bug in here and is passed on. */
export function asMsgrError(error: unknown): MsgrError {
  if (error instanceof MsgrError) return error;
  throw error;
}
