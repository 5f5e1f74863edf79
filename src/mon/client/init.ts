/** What a monitor's client is made of, and the messenger it makes for itself when it is given none. */
import type { AuthSession } from '../../auth/auth.ts';
import { noneSession } from '../../auth/none.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import type { RandomSource } from '../../messenger/random.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import type { Transport } from '../../transport/channel.ts';
import type { Clock } from '../../transport/clock.ts';
import { type EntityAuthName, EntityName, EntityType } from '../../wire/entity-name.ts';
import { cephMessages } from '../../wire/messages/ceph-messages.ts';
import { MessageRegistry } from '../../wire/messages/registry.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { LookupHost } from './mon-host.ts';

export interface MonClientInit {
  /** Who the cluster knows this client as: `client.admin`, `osd.0`. */
  name: string | EntityAuthName;
  /** Where monitors may be found: `mon_host` as ceph.conf has it, see `parseMonHost`. */
  monHost: string;
  /** The cluster's fsid. When absent, the first monitor's is taken, and kept. */
  fsid?: string | Uuid;
  /** AUTH_NONE under `name` when absent. */
  auth?: AuthSession;
  /**
   * The messenger to use, made with the same `auth`; the client neither starts nor shuts it down. One of
   * the client's own when absent.
   */
  messenger?: Messenger;
  /** Of the client's own messenger. */
  transport?: TransportName | Transport;
  /** Ceph's options by Ceph's names: `mon_client_*`, and all of the client's own messenger. */
  options?: Partial<Options>;
  /** The messenger's by default. */
  clock?: Clock;
  random?: RandomSource;
  /** Milliseconds since 1970, by which tickets run out. */
  wallClock?: () => number;
  /** How host names in `monHost` are looked up. */
  lookup?: LookupHost;
}

/** The messenger and the authentication that a client is to use; `isOwn`: it was made here. */
export function messengerFor(
  init: MonClientInit,
  name: EntityAuthName,
): { messenger: Messenger; auth: AuthSession; isOwn: boolean } {
  if (init.messenger !== undefined) {
    const { messenger } = init;
    const auth = init.auth ?? (isAuthSession(messenger.auth) ? messenger.auth : noneSession(name));
    if (init.auth !== undefined && messenger.auth !== init.auth) {
      const reason = 'the messenger of a MonClient must be made with the same auth as the client';
      throw new MsgrError(ErrorCode.InvalidArgument, reason);
    }
    if (!messenger.policyFor(EntityType.Mon).lossy) messenger.setPolicy(EntityType.Mon, Policy.lossyClient());
    return { messenger, auth, isOwn: false };
  }
  const auth = init.auth ?? noneSession(name);
  const { clock, options, random, transport } = init;
  const messenger = Messenger.create({
    name: entityNameOf(name),
    label: `${name} mon client`,
    auth,
    messageTypes: new MessageRegistry(cephMessages),
    ...(transport === undefined ? {} : { transport }),
    ...(options === undefined ? {} : { options }),
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.start();
  return { messenger, auth, isOwn: true };
}

function isAuthSession(auth: object): auth is AuthSession {
  return 'choose' in auth && 'nextRequest' in auth;
}

/** `osd.3` has its number; a client has none before a monitor gives it a global id. */
function entityNameOf({ id, type }: EntityAuthName): EntityName {
  return new EntityName(type, type !== EntityType.Client && /^\d{1,9}$/.test(id) ? Number(id) : -1);
}
