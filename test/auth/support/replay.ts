/**
 * Plays recorded handshakes again with our own code on one side, which is given the random numbers of the
 * side that it plays: every byte that it says must be the recorded one.
 *
 * What is learnt goes on as in the cluster: the tickets that a connection to the monitor brought serve the
 * connections to daemons, and the rotating keys that a daemon fetched open the tickets of its peers.
 */
import * as assert from 'uvu/assert';
import type { AuthClient, AuthReply, ConnectionMode } from '../../../src/auth/auth.ts';
import {
  decodeAuthorize,
  decodeAuthorizeReply,
  decodeAuthorizerHead,
  unsealAuthorizeChallenge,
} from '../../../src/auth/cephx/authorizer.ts';
import { decodeAuthenticate, decodeServerChallenge } from '../../../src/auth/cephx/challenge.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyUsage } from '../../../src/auth/cephx/key-usage.ts';
import { MemoryKeyServer } from '../../../src/auth/cephx/memory-key-server.ts';
import { MonAuth } from '../../../src/auth/cephx/mon-auth.ts';
import { connectionSecretBytes } from '../../../src/auth/cephx/refusals.ts';
import { decodeResponseHeader, encodeResponseHeader } from '../../../src/auth/cephx/request.ts';
import { seal, unsealField } from '../../../src/auth/cephx/sealed.ts';
import { CephxSession } from '../../../src/auth/cephx/session.ts';
import { type AuthSnapshot, SnapshotAuth } from '../../../src/auth/cephx/snapshot.ts';
import { decodeTicketGrants, encodeTicketGrants } from '../../../src/auth/cephx/ticket-grant.ts';
import type { Keyring } from '../../../src/auth/keyring.ts';
import { resolveOptions } from '../../../src/options.ts';
import { AcceptorHandshake } from '../../../src/protocol/acceptor-handshake.ts';
import { ConnectorHandshake } from '../../../src/protocol/connector-handshake.ts';
import type { HandshakeAction } from '../../../src/protocol/handshake.ts';
import type { StreamSecrets } from '../../../src/protocol/stream-secrets.ts';
import type { Transcript } from '../../../src/protocol/transcript.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { decodeEntityAuthName, type EntityAuthName, EntityType } from '../../../src/wire/entity-name.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import { secureMode } from '../../../src/wire/frame-secure.ts';
import { authDoneFrame } from '../../../src/wire/frames/auth-done.ts';
import { authReplyMoreFrame } from '../../../src/wire/frames/auth-reply-more.ts';
import { authRequestFrame } from '../../../src/wire/frames/auth-request.ts';
import { authRequestMoreFrame } from '../../../src/wire/frames/auth-request-more.ts';
import { helloFrame } from '../../../src/wire/frames/hello.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { bannerBytes } from '../../support/captures.ts';
import { type OpenedFrame, openedFrames, payloadOf, type RecordedConnection } from './recorded-connection.ts';
import { RecordedRandomness } from './recorded-randomness.ts';

const bannerHeadBytes = 10;

/** Our banner requires msgr2.1, Ceph's does not: what is signed is the one that was recorded. */
function signBanner(transcript: Transcript, recorded: Buffer): void {
  const sent = transcript.sent.bind(transcript);
  transcript.sent = (bytes) => {
    transcript.sent = sent;
    sent(recorded.subarray(0, bytes.byteLength));
  };
}

class RecordedConnector extends ConnectorHandshake {
  signBanner(recorded: Buffer): this {
    signBanner(this.transcript, recorded);
    return this;
  }
}

class RecordedAcceptor extends AcceptorHandshake {
  signBanner(recorded: Buffer): this {
    signBanner(this.transcript, recorded);
    return this;
  }
}

/** Who a connection's AUTH_REQUEST is from. */
export type RecordedRequest =
  | { readonly to: 'mon'; readonly name: EntityAuthName; readonly globalId: bigint }
  | { readonly to: 'daemon'; readonly globalId: bigint; readonly service: number };

export function readRequest(connection: RecordedConnection): RecordedRequest {
  const { payload } = authRequestFrame.decode(payloadOf(connection.connector, Tag.AuthRequest));
  const decoder = new Decoder(payload, 'request');
  if (decoder.u8('mode') === 10) {
    return { to: 'mon', name: decodeEntityAuthName(decoder, 'name'), globalId: decoder.u64('globalId') };
  }
  const { globalId, service } = decodeAuthorizerHead(decoder);
  return { to: 'daemon', globalId, service };
}

/** What a handshake that was played to its end leaves. */
export interface Played {
  /** Everything after the handshake, of both sides. */
  readonly fromConnector: readonly OpenedFrame[];
  readonly fromAcceptor: readonly OpenedFrame[];
  /** How many of the two were recorded, compared or verified. */
  readonly signatures: number;
}

export class Replay {
  readonly randomness = new RecordedRandomness();
  readonly options;
  /** Sessions with the monitor by global id. */
  readonly sessions = new Map<bigint, CephxSession>();
  /** Of the daemon that fetched rotating keys last. */
  daemonSnapshot: AuthSnapshot | undefined;
  readonly #keyring: Keyring;
  readonly #now: () => number;

  /** `mode`: the one that the cluster was told to use everywhere; `now`: a moment of the recording, in ms. */
  constructor(keyring: Keyring, mode: 'crc' | 'secure', now: () => number) {
    this.#keyring = keyring;
    this.#now = now;
    const kinds = ['cluster', 'service', 'client', 'mon_cluster', 'mon_service', 'mon_client'];
    this.options = resolveOptions(Object.fromEntries(kinds.map((kind) => [`ms_${kind}_mode`, mode])));
  }

  /** Our code as the connector: every byte it sends is compared, and the acceptor's signature verified. */
  playConnector(connection: RecordedConnection): Played {
    const { connector, acceptor, where } = connection;
    const request = readRequest(connection);
    const peerType = helloFrame.decode(payloadOf(acceptor, Tag.Hello)).entityType;
    const session =
      request.to === 'mon' ? this.#monSession(connection, request) : this.#sessionOf(request.globalId, where);
    const address = helloFrame.decode(payloadOf(connector, Tag.Hello)).peerAddr;
    const client: AuthClient =
      request.to === 'mon'
        ? session.client(EntityType.Mon, address)
        : this.#authorizerClient(connection, session, request.service);
    const hello = helloFrame.decode(payloadOf(connector, Tag.Hello));
    const played = this.#play(new RecordedConnector(hello, peerType, client), connection, 'connector');
    if (request.to === 'mon') {
      session.choose(address);
      this.sessions.set(session.globalId, session);
    }
    return played;
  }

  /** Our code as the acceptor of a daemon, with rotating keys that a daemon of the recording fetched. */
  playDaemon(connection: RecordedConnection): Played {
    const { acceptor } = connection;
    const request = readRequest(connection);
    if (request.to !== 'daemon') throw new Error(`${connection.where} is to a monitor`);
    const sessionKey = this.sessionKey(request.globalId, request.service);
    const challenge = unsealAuthorizeChallenge(
      sessionKey,
      authReplyMoreFrame.decode(payloadOf(acceptor, Tag.AuthReplyMore)).payload,
    );
    const done = authDoneFrame.decode(payloadOf(acceptor, Tag.AuthDone));
    const { connectionSecret } = decodeAuthorizeReply(new Decoder(done.payload), sessionKey);
    this.randomness.expect(challenge, connectionSecret);
    const auth = new SnapshotAuth(
      { options: this.options, type: EntityType.Osd, now: this.#now, random: this.randomness.bytes },
      this.daemonSnapshot!,
    );
    const hello = helloFrame.decode(payloadOf(acceptor, Tag.Hello));
    return this.#play(
      new RecordedAcceptor(hello, (peerType) => auth.server(peerType)),
      connection,
      'acceptor',
    );
  }

  /**
   * Our code as the monitor. Session keys and times of its tickets are its own, so that no more can be
   * compared than the challenge; what it must do is take the proof. It does not have the recorded monitor's
   * own rotating secrets, and so gives no global id back.
   */
  playMon(connection: RecordedConnection): AuthReply {
    const challenge = readServerChallenge(connection);
    const { connectionMode } = authDoneFrame.decode(payloadOf(connection.acceptor, Tag.AuthDone));
    const secret = Buffer.alloc(connectionSecretBytes(connectionMode as ConnectionMode));
    this.randomness.expect(challenge, secret);
    const keys = new MemoryKeyServer(this.options, this.#now);
    const caps = new Map([['mon', 'allow profile osd']]);
    for (const name of this.#keyring.names()) keys.set(name, { key: this.#keyring.require(name).key, caps });
    const monitor = new MonAuth({
      keys,
      options: this.options,
      assignGlobalId: () => 1n,
      now: this.#now,
      random: this.randomness.bytes,
    });
    const { entityType } = helloFrame.decode(payloadOf(connection.connector, Tag.Hello));
    const server = monitor.server(entityType);
    const request = authRequestFrame.decode(payloadOf(connection.connector, Tag.AuthRequest));
    const more = server.handleRequest(request);
    if (more.kind !== 'more') throw new Error(`${connection.where}: ${more.kind}`);
    const recorded = authReplyMoreFrame.decode(payloadOf(connection.acceptor, Tag.AuthReplyMore)).payload;
    assert.equal(Buffer.from(more.payload), Buffer.from(recorded), connection.where);
    const proof = authRequestMoreFrame.decode(payloadOf(connection.connector, Tag.AuthRequestMore));
    return server.handleRequestMore(proof.payload);
  }

  /** The monitor's answer, decoded and encoded again with the recorded keys: byte for byte the same. */
  reencodeAnswer(connection: RecordedConnection, oldSessionKey: CryptoKey | undefined): void {
    const request = readRequest(connection);
    if (request.to !== 'mon') throw new Error(`${connection.where} is to a daemon`);
    const { key } = this.#keyring.require(request.name);
    const recorded = authDoneFrame.decode(payloadOf(connection.acceptor, Tag.AuthDone)).payload;
    const decoder = new Decoder(recorded, 'answer');
    const header = decodeResponseHeader(decoder);
    const grants = decodeTicketGrants(decoder, key, () => oldSessionKey);
    const { sessionKey } = grants[0]!;
    const sealedSecret = new Decoder(decoder.buffer('secret'), 'secret');
    const secret = unsealField(sealedSecret, 'sealed', sessionKey, KeyUsage.AuthConnectionSecret, (inner) =>
      inner.buffer('secret'),
    );
    const extra = decoder.buffer('extra');
    decoder.finish();
    const others = extra.byteLength === 0 ? [] : decodeTicketGrants(new Decoder(extra), sessionKey);
    const again = encodeWith((encoder) => {
      encodeResponseHeader(encoder, header);
      encodeTicketGrants(encoder, grants, key, oldSessionKey);
      const sealed = seal(sessionKey, KeyUsage.AuthConnectionSecret, (inner) => inner.buffer(secret));
      encoder.buffer(encodeWith((inner) => inner.buffer(sealed)));
      encoder.buffer(
        others.length === 0
          ? Buffer.alloc(0)
          : encodeWith((inner) => encodeTicketGrants(inner, others, sessionKey)),
      );
    });
    assert.is(again.toString('hex'), Buffer.from(recorded).toString('hex'), `${connection.where}: AUTH_DONE`);
  }

  /** The AUTH session key that the holder of this global id has now; undefined for 0. */
  authSessionKey(globalId: bigint): CryptoKey | undefined {
    return globalId === 0n ? undefined : this.sessionKey(globalId, EntityType.Auth);
  }

  /** The session key of a ticket that the holder of this global id was given. */
  sessionKey(globalId: bigint, service: number): CryptoKey {
    const ticket = this.#sessionOf(globalId, `global id ${globalId}`)
      .snapshot()
      .tickets.find((held) => held.service === service);
    if (ticket === undefined) throw new Error(`global id ${globalId} has no ticket for service ${service}`);
    const { type, created, secret } = ticket.sessionKey;
    return new CryptoKey(type, created, secret);
  }

  #sessionOf(globalId: bigint, where: string): CephxSession {
    const session = this.sessions.get(globalId);
    if (session === undefined) throw new Error(`${where}: nobody was given global id ${globalId}`);
    return session;
  }

  #monSession(
    connection: RecordedConnection,
    { name, globalId }: { readonly name: EntityAuthName; readonly globalId: bigint },
  ): CephxSession {
    const more = authRequestMoreFrame.decode(payloadOf(connection.connector, Tag.AuthRequestMore)).payload;
    const decoder = new Decoder(more, 'proof');
    decoder.u16('type');
    const { clientChallenge, otherKeys } = decodeAuthenticate(decoder);
    this.randomness.expect(clientChallenge);
    if (globalId !== 0n) return this.#sessionOf(globalId, connection.where);
    return new CephxSession({
      name,
      key: this.#keyring.require(name).key,
      options: this.options,
      services: otherKeys & ~EntityType.Auth,
      isDaemon: name.type === EntityType.Osd,
      now: this.#now,
      random: this.randomness.bytes,
    });
  }

  #authorizerClient(connection: RecordedConnection, session: CephxSession, service: number): AuthClient {
    const { payload } = authRequestFrame.decode(payloadOf(connection.connector, Tag.AuthRequest));
    const decoder = new Decoder(payload, 'authorizer');
    decoder.u8('mode');
    const { globalId } = decodeAuthorizerHead(decoder);
    this.randomness.expect(decodeAuthorize(decoder, this.sessionKey(globalId, service)).nonce);
    return session.client(service);
  }

  /** Runs one of our machines against the other side's recorded bytes. */
  #play(
    handshake: RecordedConnector | RecordedAcceptor,
    connection: RecordedConnection,
    role: 'connector' | 'acceptor',
  ): Played {
    const { where } = connection;
    const [ours, theirs] =
      role === 'connector'
        ? [connection.connector, connection.acceptor]
        : [connection.acceptor, connection.connector];
    const said: Uint8Array[] = [];
    let signature: Uint8Array | undefined;
    let secrets: StreamSecrets | undefined;
    let isAuthenticated = false;
    const run = (actions: readonly HandshakeAction[]): void => {
      for (const action of actions) {
        if (action.kind === 'sendBytes') said.push(action.bytes);
        else if (action.kind === 'sendControl') signature = action.payload;
        else if (action.kind === 'secure') secrets = action.secrets;
        else if (action.kind === 'authenticated') isAuthenticated = true;
      }
    };
    run(handshake.signBanner(ours.bytes).start());
    run(handshake.bytes(theirs.bytes.subarray(0, bannerHeadBytes)));
    run(handshake.bytes(theirs.bytes.subarray(bannerHeadBytes, bannerBytes)));
    for (const { tag, segments, raw } of theirs.clear) run(handshake.frame(tag, segments[0]!, raw));
    const clear = ours.bytes.subarray(bannerBytes, ours.clearEnd);
    assert.is(
      Buffer.concat(said.slice(1)).toString('hex'),
      clear.toString('hex'),
      `${where}: what the ${role} says`,
    );

    const theirFrames = [...openedFrames(theirs, readerFor(secrets))];
    const ourFrames = [...openedFrames(ours, readerFor(secrets && swapped(secrets)))];
    const [theirSignature, ...fromThem] = theirFrames;
    const [ourSignature, ...fromUs] = ourFrames;
    // The recording may end before either side has signed.
    if (ourSignature !== undefined) {
      assert.is(ourSignature.tag, Tag.AuthSignature, `${where}: the ${role}'s signature`);
      assert.is(Buffer.from(signature!).toString('hex'), ourSignature.payload.toString('hex'), where);
    }
    if (theirSignature !== undefined) {
      run(handshake.frame(theirSignature.tag, theirSignature.payload, theirSignature.payload));
      assert.ok(isAuthenticated, `${where}: the other side's signature`);
    }
    const signatures = Number(ourSignature !== undefined) + Number(theirSignature !== undefined);
    return role === 'connector'
      ? { fromConnector: fromUs, fromAcceptor: fromThem, signatures }
      : { fromConnector: fromThem, fromAcceptor: fromUs, signatures };
  }
}

function readerFor(secrets: StreamSecrets | undefined): FrameReader {
  const reader = new FrameReader();
  if (secrets !== undefined) reader.mode = secureMode(secrets);
  return reader;
}

function swapped({ key, receiveNonce, sendNonce }: StreamSecrets): StreamSecrets {
  return { key, receiveNonce: sendNonce, sendNonce: receiveNonce };
}

export function readServerChallenge(connection: RecordedConnection): bigint {
  const { payload } = authReplyMoreFrame.decode(payloadOf(connection.acceptor, Tag.AuthReplyMore));
  return decodeServerChallenge(new Decoder(payload, 'challenge'));
}
