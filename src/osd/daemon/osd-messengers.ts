/**
 * The messengers of an OSD that run on the main thread; those of the heartbeats belong to their threads.
 *
 *      messenger     binds      default policy                OSD                MON, MGR        CLIENT
 *      ms_public     public     stateless_registered_server                      lossy_client    throttled
 *      ms_cluster    cluster    stateless_server              lossless_peer      lossy_client (MON)
 *      ms_objecter   nothing    lossy_client
 *
 * All are osd.N with one nonce. Facts: src/ceph_osd.cc.
 */
import type { AuthProvider } from '../../auth/auth.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import { Throttle } from '../../messenger/throttle.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { EntityName, EntityType } from '../../wire/entity-name.ts';
import { cephMessages } from '../../wire/messages/ceph-messages.ts';
import { MessageRegistry } from '../../wire/messages/registry.ts';
import type { OsdMessengerName } from './status.ts';

/** UID, PGID64 and OSDENC: what every OSD has had since long ago. */
const osdRequired = (1n << 0n) | (1n << 9n) | (1n << 13n);
const osdReplyMux = 1n << 12n;

export interface OsdMessengersInit {
  readonly whoami: number;
  readonly auth: AuthProvider;
  readonly options: Options;
  readonly nonce: number;
  readonly clock?: Clock;
}

export interface OsdMessengers {
  readonly public: Messenger;
  readonly cluster: Messenger;
  readonly objecter: Messenger;
}

export function makeOsdMessengers(init: OsdMessengersInit): OsdMessengers {
  const { auth, clock, nonce, options, whoami } = init;
  const make = (label: OsdMessengerName): Messenger =>
    Messenger.create({
      name: EntityName.osd(whoami),
      label: `osd.${whoami} ${label}`,
      auth,
      nonce,
      options,
      messageTypes: new MessageRegistry(cephMessages),
      ...(clock && { clock }),
    });
  const messengers = {
    public: make('ms_public'),
    cluster: make('ms_cluster'),
    objecter: make('ms_objecter'),
  };
  setPublicPolicies(messengers.public, options);
  setClusterPolicies(messengers.cluster);
  messengers.objecter.setDefaultPolicy(Policy.lossyClient({ featuresRequired: osdReplyMux }));
  return messengers;
}

function setPublicPolicies(messenger: Messenger, options: Options): void {
  const toMonitors = Policy.lossyClient({ featuresRequired: osdRequired });
  messenger.setDefaultPolicy(Policy.statelessRegisteredServer());
  messenger.setPolicy(EntityType.Mon, toMonitors);
  messenger.setPolicy(EntityType.Mgr, toMonitors);
  messenger.setPolicy(
    EntityType.Client,
    Policy.statelessRegisteredServer({
      throttlerBytes: new Throttle({
        name: 'osd_client_bytes',
        max: options.osd_client_message_size_cap,
      }),
      throttlerMessages: new Throttle({ name: 'osd_client_messages', max: options.osd_client_message_cap }),
    }),
  );
}

function setClusterPolicies(messenger: Messenger): void {
  messenger.setDefaultPolicy(Policy.statelessServer());
  messenger.setPolicy(EntityType.Mon, Policy.lossyClient());
  messenger.setPolicy(EntityType.Osd, Policy.losslessPeer({ featuresRequired: osdRequired }));
  messenger.setPolicy(EntityType.Client, Policy.statelessServer());
}
