/**
 * Whom the monitor lets in: cephx, none, or both, as the auth_*_required options say. Daemons are held to
 * auth_cluster_required and clients to auth_service_required, as Ceph's AuthRegistry does for a monitor.
 */
import {
  type AuthClient,
  AuthMethod,
  type AuthProvider,
  type AuthReply,
  type AuthServer,
} from '../../../auth/auth.ts';
import { MonAuth } from '../../../auth/cephx/mon-auth.ts';
import { Errno } from '../../../auth/errno.ts';
import { authNone } from '../../../auth/none.ts';
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { Options } from '../../../options.ts';
import { EntityType } from '../../../wire/entity-name.ts';
import type { AuthRequest } from '../../../wire/frames/auth-request.ts';
import { type AuthService, monitorName } from './auth-service.ts';

export interface MonAuthProviderInit {
  readonly auth: AuthService;
  readonly options: Options;
  /** Wall clock in ms. */
  readonly now: () => number;
}

export class MonAuthProvider implements AuthProvider {
  readonly #cephx: AuthProvider;
  readonly #none: AuthProvider;
  readonly #ofDaemons: readonly number[];
  readonly #ofClients: readonly number[];

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when an option names a method that is unknown. */
  constructor({ auth, now, options }: MonAuthProviderInit) {
    const assignGlobalId = (): bigint => auth.globalIds.assign();
    this.#cephx = new MonAuth({ keys: auth, options, now, assignGlobalId });
    this.#none = authNone(monitorName, assignGlobalId);
    this.#ofDaemons = methodsOf('auth_cluster_required', options.auth_cluster_required);
    this.#ofClients = methodsOf('auth_service_required', options.auth_service_required);
  }

  client(): AuthClient {
    throw new MsgrError(ErrorCode.Unsupported, 'this monitor connects to nobody');
  }

  server(peerType: number): AuthServer {
    const methods = peerType === EntityType.Client ? this.#ofClients : this.#ofDaemons;
    const servers = new Map<number, AuthServer>();
    if (methods.includes(AuthMethod.Cephx)) servers.set(AuthMethod.Cephx, this.#cephx.server(peerType));
    if (methods.includes(AuthMethod.None)) servers.set(AuthMethod.None, this.#none.server(peerType));
    return servers.size === 1 ? [...servers.values()][0]! : new ChosenByClient(servers);
  }
}

/** The first request says which method; the other one's server never hears of the connection. */
class ChosenByClient implements AuthServer {
  readonly #servers: ReadonlyMap<number, AuthServer>;
  #chosen: AuthServer | undefined;

  constructor(servers: ReadonlyMap<number, AuthServer>) {
    this.#servers = servers;
  }

  get refusal(): MsgrError | undefined {
    return this.#chosen?.refusal;
  }

  handleRequest(request: AuthRequest): AuthReply {
    this.#chosen = this.#servers.get(request.method);
    if (this.#chosen !== undefined) return this.#chosen.handleRequest(request);
    return {
      kind: 'refused',
      method: request.method,
      result: -Errno.EOPNOTSUPP,
      allowedMethods: [...this.#servers.keys()],
      allowedModes: [...request.preferredModes],
    };
  }

  handleRequestMore(payload: Uint8Array): AuthReply {
    if (this.#chosen === undefined) throw new MsgrError(ErrorCode.Auth, 'a second round before the first');
    return this.#chosen.handleRequestMore(payload);
  }
}

function methodsOf(name: string, text: string): number[] {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  const methods = words.map((word) => {
    const method = word === 'cephx' ? AuthMethod.Cephx : word === 'none' ? AuthMethod.None : undefined;
    if (method !== undefined) return method;
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `option ${name} takes cephx or none, not ${JSON.stringify(word)}`,
    );
  });
  if (methods.length > 0) return methods;
  throw new MsgrError(ErrorCode.InvalidArgument, `option ${name} names no method`);
}
