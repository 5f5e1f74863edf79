/** Clients that say whatever the test likes to a monitor, and see whether it ends their session for it. */
import { noneSession } from '../../../../src/auth/none.ts';
import type { Connection } from '../../../../src/messenger/connection.ts';
import { Message } from '../../../../src/messenger/message.ts';
import { Messenger } from '../../../../src/messenger/messenger.ts';
import { Policy } from '../../../../src/messenger/policy.ts';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import { EntityAuthName, EntityType } from '../../../../src/wire/entity-name.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { MMonGetMap } from '../../../../src/wire/messages/m-mon-get-map.ts';
import { MMonMap } from '../../../../src/wire/messages/m-mon-map.ts';
import { type MessagePayload, MessageRegistry } from '../../../../src/wire/messages/registry.ts';
import { withTimeout } from '../../../support/timeout.ts';

/** In memory, on a free port, without authentication: everyone may do everything that he has the form for. */
export function openMonitor(): Promise<Monitor> {
  return Monitor.start({
    publicAddr: 'v2:127.0.0.1:0',
    options: {
      auth_cluster_required: 'none',
      auth_service_required: 'none',
      auth_client_required: 'none',
      paxos_propose_interval: 0.05,
      paxos_min_wait: 0.01,
    },
  });
}

export class HostileClient implements AsyncDisposable {
  readonly #messenger: Messenger;
  readonly #monitor: Monitor;
  #connection: Connection | undefined;
  #heard: (message: 'reset' | 'map') => void = () => {};

  constructor(monitor: Monitor, name = 'osd.0') {
    this.#monitor = monitor;
    this.#messenger = Messenger.create({
      name,
      auth: noneSession(EntityAuthName.parse(name)),
      messageTypes: new MessageRegistry(cephMessages),
      transport: 'simple',
    });
    this.#messenger.setDefaultPolicy(Policy.lossyClient());
    this.#messenger.addDispatcherTail({
      dispatch: (message) => {
        if (message.type === MMonMap.type) this.#heard('map');
        return true;
      },
      handleReset: () => {
        this.#connection = undefined;
        this.#heard('reset');
      },
    });
    this.#messenger.start();
  }

  /**
   * Sends the payload and then asks for the monmap, on one connection: whichever comes first, the map or the
   * end of the session, tells what the monitor made of it.
   */
  async send(type: number, payload: MessagePayload): Promise<'reset' | 'map'> {
    const outcome = new Promise<'reset' | 'map'>((resolve) => {
      this.#heard = resolve;
    });
    this.#connection ??= this.#messenger.getConnection(this.#monitor.publicAddrs, {
      peerType: EntityType.Mon,
    });
    this.#connection.send(new Message({ type, ...payload }));
    this.#connection.send(Message.of(MMonGetMap, {}));
    return withTimeout(outcome, 10_000, `an outcome of message type ${type}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#messenger.shutdown();
  }
}
