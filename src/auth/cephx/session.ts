/**
 * cephx as a client of monitors keeps it: who it is and its key, the tickets that the monitors gave, and for
 * a daemon the rotating keys of its service.
 *
 *      hunt     client(mon, a) ─► DONE ─► result of a ┐
 *               client(mon, b) ─► DONE ─► result of b ┴ choose(b): b's global id and tickets count
 *      session  nextRequest ─► MAuth … MAuthReply ─► handleReply      one at a time, most urgent first:
 *                 1. the AUTH ticket is due: proof again, with the tickets that are due
 *                 2. tickets for services are due: the AUTH ticket shown
 *                 3. rotating keys are due
 *      new hunt client(mon, c): the AUTH ticket is shown, so that the global id stays the same
 *
 * Nothing is kept of an attempt before its monitor is chosen: a connection that breaks between two frames
 * leaves no trace, and the next attempt begins where this one did.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import { type EntityAuthName, EntityType, entityTypeName } from '../../wire/entity-name.ts';
import { type AuthClient, AuthMethod, type AuthServer, type AuthSession } from '../auth.ts';
import { connectionModes } from '../connection-modes.ts';
import { errnoText } from '../errno.ts';
import { PayloadMode } from '../payload-mode.ts';
import { encodeAuthorize, encodeAuthorizerHead } from './authorizer.ts';
import { CipherPolicy } from './cipher-policy.ts';
import type { CryptoKey } from './crypto-key.ts';
import { type HeldTicket, holdTicket } from './held-ticket.ts';
import { KeyUsage } from './key-usage.ts';
import { CephxMonClient, type MonClientResult } from './mon-client.ts';
import { checkResponse, decodeProofAnswer, encodeProofRequest } from './mon-exchange.ts';
import { type RandomBytes, randomU64, systemRandomBytes } from './random.ts';
import { RequestType } from './request.ts';
import { RotatingKeys } from './rotating-keys.ts';
import { decodeRotatingSecrets } from './rotating-secrets.ts';
import { unsealField } from './sealed.ts';
import { ServiceAuth } from './service-auth.ts';
import { type AuthSnapshot, takeSnapshot } from './snapshot.ts';
import { decodeTicketGrants, type TicketGrant } from './ticket-grant.ts';

export interface CephxSessionInit {
  /** Who this is to the monitors: `client.admin`, `osd.3`. */
  readonly name: EntityAuthName;
  readonly key: CryptoKey;
  readonly options: Options;
  /** `EntityType` bits of the services that tickets are wanted for; monitors, OSDs and managers when absent. */
  readonly services?: number;
  /** Whether others connect to this one; then the rotating keys of its type are fetched. */
  readonly isDaemon?: boolean;
  /** `EntityType` of this process, when it is not the name's: `ceph -n osd.0` is a client. */
  readonly type?: number;
  /** Wall clock in ms. */
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

const defaultServices = EntityType.Mon | EntityType.Osd | EntityType.Mgr;
/** Nothing is asked for twice within this time, whatever the monitor answered. */
const askAgainMs = 1_000;
/** After a refusal, or an answer without what was asked for. */
const retryMs = 10_000;

export class CephxSession implements AuthSession {
  readonly protocol = AuthMethod.Cephx;
  readonly #name: EntityAuthName;
  readonly #key: CryptoKey;
  readonly #options: Options;
  readonly #type: number;
  readonly #isDaemon: boolean;
  readonly #ciphers: CipherPolicy;
  readonly #now: () => number;
  readonly #random: RandomBytes;
  /** `EntityType`s of the wanted tickets, AUTH first. */
  readonly #wanted: readonly number[];
  readonly #services: ServiceAuth;
  /** What monitors gave that were not chosen yet, by address. */
  readonly #results = new Map<string, MonClientResult>();
  /** Addresses of monitors that did not give the global id back. */
  readonly #reclaimRefused = new Set<string>();
  #serverChallenge = 0n;
  #underWay: RequestType | undefined;
  /** When something may be asked for again, by service; rotating keys under their own number. */
  readonly #notBefore = new Map<number, number>();

  /** @throws MsgrError ERR_MSGR_AUTH when keys of this type are not taken. */
  constructor(init: CephxSessionInit) {
    this.#name = init.name;
    this.#key = init.key;
    this.#options = init.options;
    this.#type = init.type ?? init.name.type;
    this.#isDaemon = init.isDaemon ?? false;
    this.#now = init.now ?? Date.now;
    this.#random = init.random ?? systemRandomBytes;
    this.#ciphers = new CipherPolicy(init.options);
    this.#ciphers.require(init.key, `the key of ${init.name}`);
    this.#wanted = [EntityType.Auth, ...bitsOf((init.services ?? defaultServices) & ~EntityType.Auth)];
    this.#services = new ServiceAuth({
      options: init.options,
      type: this.#type,
      now: this.#now,
      random: this.#random,
      onRefused: (ticket) => this.#ticketRefused(ticket),
    });
  }

  get globalId(): bigint {
    return this.#services.state.globalId;
  }

  get isComplete(): boolean {
    const now = this.#now();
    const { tickets, rotating } = this.#services.state;
    const hasTickets = this.#wanted.every((service) => (tickets.get(service)?.expires ?? 0) > now);
    return hasTickets && (!this.#isDaemon || rotating !== undefined);
  }

  get nextDue(): number {
    if (this.globalId === 0n || this.#underWay !== undefined) return Number.POSITIVE_INFINITY;
    const dues = this.#wanted.map((service) => this.#ticketDue(service));
    if (this.#isDaemon) dues.push(this.#rotatingDue());
    return Math.min(...dues);
  }

  client(peerType: number, peerAddr?: EntityAddr): AuthClient {
    if (peerType !== EntityType.Mon) return this.#services.client(peerType);
    const address = peerAddr?.key ?? '';
    const { globalId } = this;
    const ticket = this.#services.state.tickets.get(EntityType.Auth);
    const canReclaim = globalId !== 0n && ticket !== undefined && !this.#reclaimRefused.has(address);
    return new CephxMonClient({
      name: this.#name,
      key: this.#key,
      modes: connectionModes(this.#options, this.#type, EntityType.Mon),
      // With another global id, tickets that are held are of no use.
      otherKeys: maskOf(canReclaim ? this.#dueTickets(this.#now(), true) : this.#wanted),
      reclaim: canReclaim ? { globalId, ticket } : undefined,
      random: this.#random,
      onDone: (result) => this.#attemptDone(address, result),
      onReclaimRefused: () => void this.#reclaimRefused.add(address),
    });
  }

  server(peerType: number): AuthServer {
    return this.#services.server(peerType);
  }

  choose(peerAddr: EntityAddr): void {
    const result = this.#results.get(peerAddr.key);
    this.#results.clear();
    this.#underWay = undefined;
    if (result === undefined) return;
    this.#reclaimRefused.clear();
    this.#notBefore.clear();
    this.#serverChallenge = result.serverChallenge;
    const { answer, globalId } = result;
    const tickets = globalId === this.globalId ? this.#services.state.tickets : new Map<number, HeldTicket>();
    this.#services.state = { ...this.#services.state, globalId, tickets };
    this.#hold([answer.auth, ...answer.others]);
  }

  #attemptDone(address: string, result: MonClientResult): void {
    this.#checkCiphers([result.answer.auth, ...result.answer.others]);
    this.#results.set(address, result);
  }

  /** Tickets and rotating keys for a worker thread's `SnapshotAuth`, secrets included but not to be seen. */
  snapshot(): AuthSnapshot {
    return takeSnapshot(this.#services.state);
  }

  // ── Inside a session with a monitor ────────────────────────────────────────────────────────────

  nextRequest(now: number): Buffer | undefined {
    if (this.nextDue > now) return undefined;
    const due = this.#dueTickets(now);
    for (const service of due) this.#notBefore.set(service, now + askAgainMs);
    const auth = this.#services.state.tickets.get(EntityType.Auth);
    if (due.includes(EntityType.Auth) || auth === undefined) {
      this.#underWay = RequestType.AuthSessionKey;
      return encodeProofRequest({
        key: this.#key,
        serverChallenge: this.#serverChallenge,
        oldTicket: auth,
        otherKeys: maskOf(due),
        random: this.#random,
      });
    }
    if (due.length > 0) {
      this.#underWay = RequestType.PrincipalSessionKey;
      return this.#ticketRequest(auth, maskOf(due));
    }
    this.#notBefore.set(RequestType.RotatingKey, now + askAgainMs);
    this.#underWay = RequestType.RotatingKey;
    return encodeWith((encoder) => encoder.u16(RequestType.RotatingKey));
  }

  handleReply(reply: {
    readonly result: number;
    readonly globalId: bigint;
    readonly payload: Uint8Array;
  }): void {
    const type = this.#underWay;
    this.#underWay = undefined;
    if (type === undefined) throw new MsgrError(ErrorCode.Auth, 'the monitor answers what was not asked');
    try {
      if (reply.result < 0) throw this.#refused(reply.result, type);
      this.#take(type, reply.payload);
    } catch (error) {
      this.#delay(type);
      throw error;
    }
    this.#delayMissing(type);
  }

  abandonRequest(): void {
    this.#underWay = undefined;
    this.#notBefore.clear();
  }

  #take(type: RequestType, payload: Uint8Array): void {
    const auth = this.#services.state.tickets.get(EntityType.Auth);
    if (type === RequestType.AuthSessionKey) {
      const answer = decodeProofAnswer(payload, this.#key, auth);
      return this.#renew([answer.auth, ...answer.others]);
    }
    const decoder = new Decoder(payload, 'authReply');
    checkResponse(decoder, type);
    if (type === RequestType.PrincipalSessionKey) {
      return this.#renew(decodeTicketGrants(decoder, auth!.sessionKey));
    }
    const usage = KeyUsage.RotatingSecret;
    const held = unsealField(decoder, 'rotatingSecrets', this.#key, usage, decodeRotatingSecrets);
    for (const { key } of held.secrets.values()) {
      this.#ciphers.require(key, `a rotating secret of ${entityTypeName(this.#name.type)}`);
    }
    const rotating = new RotatingKeys(this.#name.type, held);
    this.#services.state = { ...this.#services.state, rotating };
  }

  #ticketRequest(auth: HeldTicket, keys: number): Buffer {
    return encodeWith((encoder) => {
      encoder.u16(RequestType.PrincipalSessionKey).u8(PayloadMode.authorizerMin);
      encodeAuthorizerHead(encoder, {
        globalId: this.globalId,
        service: EntityType.Auth,
        ticket: auth.ticket,
      });
      const nonce = randomU64(this.#random);
      encodeAuthorize(encoder, auth.sessionKey, { nonce, challengePlusOne: undefined });
      encoder.u8(1).u32(keys);
    });
  }

  #renew(grants: readonly TicketGrant[]): void {
    this.#checkCiphers(grants);
    this.#hold(grants);
  }

  #hold(grants: readonly TicketGrant[]): void {
    const now = this.#now();
    const tickets = new Map(this.#services.state.tickets);
    for (const grant of grants) tickets.set(grant.service, holdTicket(grant, now));
    this.#services.state = { ...this.#services.state, tickets };
  }

  #checkCiphers(grants: readonly TicketGrant[]): void {
    for (const { service, sessionKey } of grants) {
      this.#ciphers.require(sessionKey, `a session key for ${entityTypeName(service)}`);
    }
  }

  // ── When what is due ───────────────────────────────────────────────────────────────────────────

  #ticketDue(service: number): number {
    const renewAfter = this.#services.state.tickets.get(service)?.renewAfter ?? 0;
    return Math.max(renewAfter, this.#notBefore.get(service) ?? 0);
  }

  #rotatingDue(): number {
    const renewAfter = this.#services.state.rotating?.renewAfter ?? 0;
    return Math.max(renewAfter, this.#notBefore.get(RequestType.RotatingKey) ?? 0);
  }

  /** A new session is an opportunity to have all renewed that is due, and the AUTH ticket always. */
  #dueTickets(now: number, isNewSession = false): number[] {
    return this.#wanted.filter(
      (service) => (isNewSession && service === EntityType.Auth) || this.#ticketDue(service) <= now,
    );
  }

  /** What was asked for and did not come is asked for later. */
  #delayMissing(type: RequestType): void {
    const now = this.#now();
    if (type === RequestType.RotatingKey) {
      // The monitor has not rotated yet: it looks at its keys every few seconds, and its clock may be behind.
      const { periodMs, renewAfter } = this.#services.state.rotating!;
      const waitMs = Math.min(retryMs, Math.max(askAgainMs, periodMs / 4));
      if (renewAfter <= now) this.#notBefore.set(type, now + waitMs);
      return;
    }
    for (const service of this.#wanted) {
      const isHeld = (this.#services.state.tickets.get(service)?.renewAfter ?? 0) > now;
      const wasAsked = (this.#notBefore.get(service) ?? 0) > now;
      if (!isHeld && wasAsked) this.#notBefore.set(service, now + retryMs);
    }
  }

  #delay(type: RequestType): void {
    const until = this.#now() + retryMs;
    if (type === RequestType.RotatingKey) this.#notBefore.set(type, until);
    else for (const service of this.#wanted) this.#notBefore.set(service, until);
  }

  #refused(result: number, type: RequestType): MsgrError {
    const what = type === RequestType.RotatingKey ? 'rotating keys' : 'tickets';
    return new MsgrError(
      ErrorCode.Auth,
      `the monitor refuses ${what} to ${this.#name} with ${errnoText(result)}`,
      { errno: Math.abs(result) },
    );
  }

  /** It may be sealed with a secret that the daemon has dropped: a new one is fetched soon. */
  #ticketRefused(refused: HeldTicket): void {
    const { state } = this.#services;
    if (state.tickets.get(refused.service) !== refused || refused.renewAfter === 0) return;
    const tickets = new Map(state.tickets).set(refused.service, { ...refused, renewAfter: 0 });
    this.#services.state = { ...state, tickets };
  }
}

function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 1; bit <= mask; bit <<= 1) if ((mask & bit) !== 0) bits.push(bit);
  return bits;
}

function maskOf(services: readonly number[]): number {
  return services.reduce((mask, service) => mask | service, 0);
}
