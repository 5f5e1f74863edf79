/**
 * cephx between daemons, and of clients with daemons: an AuthProvider made of tickets for those who are
 * dialled, and of rotating keys for those who dial. Whoever keeps both fresh replaces them in `state`.
 */
import type { Options } from '../../options.ts';
import type { AuthClient, AuthProvider, AuthServer } from '../auth.ts';
import { connectionModes } from '../connection-modes.ts';
import { CephxAuthorizerClient } from './authorizer-client.ts';
import { CephxAuthorizerServer } from './authorizer-server.ts';
import { CipherPolicy } from './cipher-policy.ts';
import type { HeldTicket } from './held-ticket.ts';
import { type RandomBytes, systemRandomBytes } from './random.ts';
import type { RotatingKeys } from './rotating-keys.ts';

export interface ServiceAuthState {
  /** 0 before a monitor gave one. */
  readonly globalId: bigint;
  /** By the service's `EntityType`. */
  readonly tickets: ReadonlyMap<number, HeldTicket>;
  /** Absent for clients, who accept nobody. */
  readonly rotating: RotatingKeys | undefined;
}

export interface ServiceAuthInit {
  readonly options: Options;
  /** `EntityType` of this process, which chooses among the ms_*_mode options. */
  readonly type: number;
  /** Wall clock in ms. */
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** A daemon does not take a ticket that is held for its service. */
  readonly onRefused?: (ticket: HeldTicket) => void;
}

const emptyState: ServiceAuthState = { globalId: 0n, tickets: new Map(), rotating: undefined };

export class ServiceAuth implements AuthProvider {
  state: ServiceAuthState = emptyState;
  readonly #init: ServiceAuthInit;
  readonly #ciphers: CipherPolicy;
  readonly #now: () => number;
  readonly #random: RandomBytes;

  constructor(init: ServiceAuthInit) {
    this.#init = init;
    this.#ciphers = new CipherPolicy(init.options);
    this.#now = init.now ?? Date.now;
    this.#random = init.random ?? systemRandomBytes;
  }

  /** The attempt fails in the handshake when no ticket for the service is held. */
  client(peerType: number): AuthClient {
    const { options, type, onRefused } = this.#init;
    return new CephxAuthorizerClient({
      service: peerType,
      modes: connectionModes(options, type, peerType),
      random: this.#random,
      credentials: () => this.#credentials(peerType),
      onRefused: (ticket) => onRefused?.(ticket),
    });
  }

  server(peerType: number): AuthServer {
    const { options, type } = this.#init;
    return new CephxAuthorizerServer({
      peerType,
      modes: connectionModes(options, type, peerType),
      // Looked up when a ticket is there, so that keys which came meanwhile are found.
      secrets: { serviceSecret: (service, id) => this.state.rotating?.serviceSecret(service, id) },
      ciphers: this.#ciphers,
      random: this.#random,
      now: this.#now,
    });
  }

  #credentials(service: number): { globalId: bigint; ticket: HeldTicket } | undefined {
    const { globalId, tickets } = this.state;
    const ticket = tickets.get(service);
    return ticket === undefined || ticket.expires <= this.#now() ? undefined : { globalId, ticket };
  }
}
