/**
 * An accepted byte stream until it is known whose it is: handshake, then CLIENT_IDENT or
 * SESSION_RECONNECT, which either makes a connection or hands the stream to the one that waits for it.
 * It is no connection yet: when it fails, nobody but the log hears of it.
 */
import type { AuthOutcome, AuthServer } from '../auth/auth.ts';
import { ErrorCode, MsgrError } from '../errors.ts';
import { AcceptorHandshake } from '../protocol/acceptor-handshake.ts';
import { decideClientIdent, decideReconnect, type ExistingSession } from '../protocol/session.ts';
import type { Channel, ChannelHandler } from '../transport/channel.ts';
import { AddrType, EntityAddr } from '../wire/entity-addr.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { EntityName, EntityType } from '../wire/entity-name.ts';
import { msgr2Required } from '../wire/features.ts';
import { type ClientIdent, clientIdentFrame, IdentFlag } from '../wire/frames/client-ident.ts';
import { identMissingFeaturesFrame } from '../wire/frames/ident-missing-features.ts';
import { serverIdentFrame } from '../wire/frames/server-ident.ts';
import { sessionReconnectFrame } from '../wire/frames/session-reconnect.ts';
import { sessionReconnectOkFrame } from '../wire/frames/session-reconnect-ok.ts';
import { sessionResetFrame } from '../wire/frames/session-reset.ts';
import { sessionRetryFrame } from '../wire/frames/session-retry.ts';
import { sessionRetryGlobalFrame } from '../wire/frames/session-retry-global.ts';
import { Tag, tagName } from '../wire/frames/tag.ts';
import { waitFrame } from '../wire/frames/wait.ts';
import { runHandshakeActions } from './handshake-runner.ts';
import { InterceptStep, intercept } from './interceptor.ts';
import type { Messenger } from './messenger.ts';
import { PeerConnection } from './peer-connection.ts';
import type { Policy } from './policy.ts';
import { makeCookie } from './session-state.ts';

const nowhere = EntityAddr.blank;

export class Acceptor implements ChannelHandler {
  readonly #messenger: Messenger;
  readonly #channel: Channel;
  readonly #handshake: AcceptorHandshake;
  readonly #remote: string;
  readonly #deadline: unknown;
  #auth: AuthServer | undefined;
  /** Once the peer is authenticated. */
  #outcome: AuthOutcome | undefined;
  #isOver = false;

  constructor(messenger: Messenger, channel: Channel) {
    this.#messenger = messenger;
    this.#channel = channel;
    const remote = channel.remoteAddress;
    const peerAddr = remote
      ? new EntityAddr({ type: AddrType.Msgr2, host: remote.host, port: remote.port, nonce: 0 })
      : nowhere;
    this.#remote = String(peerAddr);
    this.#handshake = new AcceptorHandshake({ entityType: messenger.name.type, peerAddr }, (peerType) => {
      this.#auth = messenger.auth.server(peerType);
      return this.#auth;
    });
    const { ms_connection_ready_timeout: seconds } = messenger.options;
    this.#deadline = messenger.clock.setTimeout(
      () =>
        this.fail(
          new MsgrError(ErrorCode.Timeout, `no session within ms_connection_ready_timeout (${seconds} s)`),
        ),
      seconds * 1000,
    );
  }

  /** The byte stream is open since it was accepted. */
  start(): void {
    this.#intercept(InterceptStep.StartServerBannerExchange, () =>
      this.#guard(() => runHandshakeActions(this.#channel, this.#handshake.start())),
    );
  }

  onOpen(): void {}

  onBytes(bytes: Buffer): void {
    this.#guard(() => {
      const actions = this.#handshake.bytes(bytes);
      this.#intercept(InterceptStep.BannerExchangeAccepting, () =>
        runHandshakeActions(this.#channel, actions),
      );
    });
  }

  onFrame(tag: number, payload: Buffer, raw: Buffer): void {
    this.#guard(() => {
      if (this.#outcome === undefined) {
        this.#outcome = runHandshakeActions(this.#channel, this.#handshake.frame(tag, payload, raw));
        if (this.#outcome !== undefined) this.#channel.expectFrame();
      } else if (tag === Tag.ClientIdent) {
        this.#clientIdent(clientIdentFrame.decode(payload));
      } else if (tag === Tag.SessionReconnect) {
        this.#reconnect(payload);
      } else {
        throw new MsgrError(ErrorCode.UnexpectedFrame, `frame ${tagName(tag)} where a session must begin`);
      }
    });
  }

  onMessages(): boolean {
    return false;
  }

  onDrain(): void {}

  onClosed(error: MsgrError): void {
    this.fail(error);
  }

  /** Ends the attempt. Public for the messenger's shutdown. */
  fail(error: MsgrError): void {
    this.#release();
    this.#channel.destroy();
    // A peer that was refused goes away; why it was refused is what matters.
    const refusal = this.#outcome === undefined ? this.#auth?.refusal : undefined;
    this.#messenger.acceptFailed(this.#remote, refusal ?? error);
  }

  get #peerType(): number {
    return this.#handshake.greeting!.peerType;
  }

  get #policy(): Policy {
    return this.#messenger.policyFor(this.#peerType);
  }

  #clientIdent(ident: ClientIdent): void {
    const messenger = this.#messenger;
    const policy = this.#policy;
    this.#checkPeerAddrs(ident.addrs);
    if (!messenger.myAddrs.contains(ident.targetAddr)) {
      throw new MsgrError(
        ErrorCode.PeerMismatch,
        `the peer wants ${ident.targetAddr}, and this is ${messenger.myAddrs}`,
        { field: 'clientIdent.targetAddr' },
      );
    }
    const missing = (policy.featuresRequired | msgr2Required) & ~ident.featuresSupported;
    if (missing !== 0n) {
      return this.#answer(Tag.IdentMissingFeatures, identMissingFeaturesFrame.encode({ features: missing }));
    }
    this.#checkNumber(ident.gid);
    const existing = messenger.findConnection(ident.addrs);
    this.#checkEntity(existing);
    const verdict = decideClientIdent(existing && viewOf(existing), ident, this.#orderOf(ident.addrs));
    switch (verdict.kind) {
      case 'stale':
        throw new MsgrError(
          ErrorCode.PeerMismatch,
          `an attempt of ${ident.addrs} that a newer one has overtaken`,
        );
      case 'wait':
        // See the other attempt through, as the peer has something to send.
        existing!.sendKeepalive();
        return this.#answer(Tag.Wait, waitFrame.encode({}));
      case 'replaceLossy':
        existing!.stop(new MsgrError(ErrorCode.SessionReset, `${ident.addrs} connected anew`));
        return this.#begin(this.#makeConnection(ident, policy), ident);
      case 'accept':
        return this.#begin(this.#makeConnection(ident, policy), ident);
      case 'takeOver':
        if (verdict.peerRestarted && policy.resetCheck) existing!.resetSession();
        existing!.adopt(this.#channel);
        return this.#begin(existing!, ident);
    }
  }

  #makeConnection(ident: ClientIdent, policy: Policy): PeerConnection {
    const connection = new PeerConnection(
      {
        messenger: this.#messenger,
        peerType: this.#peerType,
        peerAddrs: ident.addrs,
        targetAddr: ident.addrs.v2() ?? ident.addrs.front!,
        policy,
        isAnonymous: policy.lossy && policy.server && !policy.registerLossyClients,
      },
      this.#channel,
    );
    this.#messenger.register(connection);
    return connection;
  }

  /** SERVER_IDENT, and the session runs. */
  #begin(connection: PeerConnection, ident: ClientIdent): void {
    this.#release();
    const { messenger, policy, session, channel } = connection;
    connection.authenticated(this.#outcome!);
    session.clientCookie = ident.clientCookie;
    session.serverCookie = policy.lossy ? 0n : makeCookie(messenger.random);
    session.peerGlobalSeq = ident.globalSeq;
    session.globalSeq = messenger.nextGlobalSeq();
    channel.resetInSeq();
    connection.identified({
      addrs: ident.addrs,
      name: new EntityName(this.#peerType, ident.gid),
      features: ident.featuresSupported & policy.featuresSupported,
      lossy: policy.lossy,
      sharesMemory: (ident.flags & IdentFlag.SharedMemory) !== 0n,
    });
    connection.intercept(InterceptStep.SendServerIdentity, () => {
      channel.sendControl(
        Tag.ServerIdent,
        serverIdentFrame.encode({
          addrs: messenger.myAddrs,
          gid: messenger.name.num,
          globalSeq: session.globalSeq,
          featuresSupported: policy.featuresSupported,
          featuresRequired: policy.featuresRequired | msgr2Required,
          flags: connection.identFlags,
          serverCookie: session.serverCookie,
        }),
      );
      connection.sessionEstablished('accept');
    });
  }

  #reconnect(payload: Buffer): void {
    const reconnect = sessionReconnectFrame.decode(payload);
    this.#checkPeerAddrs(reconnect.addrs);
    const existing = this.#messenger.findConnection(reconnect.addrs);
    this.#checkEntity(existing);
    const verdict = decideReconnect(
      existing && viewOf(existing),
      reconnect,
      this.#orderOf(reconnect.addrs),
      this.#policy.resetCheck,
    );
    switch (verdict.kind) {
      case 'reset':
        return this.#answer(Tag.SessionReset, sessionResetFrame.encode({ full: verdict.full }));
      case 'retryGlobal':
        return this.#intercept(InterceptStep.SessionRetry, () =>
          this.#answer(
            Tag.SessionRetryGlobal,
            sessionRetryGlobalFrame.encode({ globalSeq: verdict.globalSeq }),
          ),
        );
      case 'retry':
        return this.#answer(Tag.SessionRetry, sessionRetryFrame.encode({ connectSeq: verdict.connectSeq }));
      case 'wait':
        return this.#answer(Tag.Wait, waitFrame.encode({}));
      case 'resume': {
        const connection = existing!;
        this.#release();
        connection.adopt(this.#channel);
        connection.authenticated(this.#outcome!);
        // Where both ends had answered an establishment the cookies differ: from here on it is the peer's.
        connection.session.serverCookie = reconnect.serverCookie;
        connection.session.connectSeq = reconnect.connectSeq;
        connection.session.peerGlobalSeq = reconnect.globalSeq;
        connection.channel.acknowledge(reconnect.messageSeq);
        connection.intercept(InterceptStep.SendReconnectOk, () => {
          const messageSeq = connection.channel.inSeq;
          connection.channel.sendControl(
            Tag.SessionReconnectOk,
            sessionReconnectOkFrame.encode({ messageSeq }),
          );
          connection.sessionEstablished('accept');
        });
      }
    }
  }

  /** An answer after which the peer has another try on this stream. */
  #answer(tag: number, payload: Uint8Array): void {
    this.#channel.sendControl(tag, payload);
    this.#channel.expectFrame();
  }

  #checkPeerAddrs(addrs: EntityAddrVec): void {
    if (addrs.front === undefined || addrs.front.isBlank) {
      throw new MsgrError(ErrorCode.PeerMismatch, 'the peer does not say its address', {
        field: 'ident.addrs',
      });
    }
  }

  /** A session belongs to the entity that began it, whoever else claims its address. */
  #checkEntity(existing: PeerConnection | undefined): void {
    const began = existing?.auth?.entity;
    const entity = this.#outcome!.entity;
    if (began === undefined || began === entity) return;
    throw new MsgrError(ErrorCode.PeerMismatch, `${entity} claims the address of ${began}`, {
      field: 'ident.addrs',
    });
  }

  /** An OSD's number is its name. */
  #checkNumber(gid: bigint): void {
    const entity = this.#outcome!.entity;
    const proven = /^osd\.(\d+)$/.exec(entity ?? '')?.[1];
    if (this.#peerType !== EntityType.Osd || proven === undefined || BigInt(proven) === gid) return;
    throw new MsgrError(ErrorCode.PeerMismatch, `${entity} says that it is osd.${gid}`, {
      field: 'clientIdent.gid',
    });
  }

  #orderOf(peerAddrs: EntityAddrVec): number {
    const peer = peerAddrs.v2() ?? peerAddrs.front ?? nowhere;
    const mine = this.#messenger.myAddrs.v2() ?? nowhere;
    return peer.compare(mine);
  }

  #intercept(step: InterceptStep, proceed: () => void): void {
    const error = new MsgrError(ErrorCode.Socket, `intercepted at step ${step}`);
    intercept(this.#messenger.interceptor, this, step, {
      proceed,
      fail: () => this.fail(error),
      stop: () => this.fail(error),
      isCurrent: () => !this.#isOver,
    });
  }

  #release(): void {
    this.#isOver = true;
    this.#messenger.clock.clearTimeout(this.#deadline);
    this.#messenger.acceptDone(this);
  }

  #guard(body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.fail(error);
    }
  }
}

function viewOf(connection: PeerConnection): ExistingSession {
  const { policy, session, state } = connection;
  return {
    lossy: policy.lossy,
    server: policy.server,
    clientCookie: session.clientCookie,
    serverCookie: session.serverCookie,
    peerGlobalSeq: session.peerGlobalSeq,
    connectSeq: session.connectSeq,
    inSeq: connection.channel.inSeq,
    settled: state === 'open' || state === 'standby',
  };
}
