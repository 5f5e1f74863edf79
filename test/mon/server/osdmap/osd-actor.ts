/**
 * An OSD as its monitors see it: a messenger that others could dial, a session with the monitors, and the
 * messages that it sends them. It answers nobody and stores nothing.
 */

import { noneSession } from '../../../../src/auth/none.ts';
import type { Dispatcher } from '../../../../src/messenger/dispatcher.ts';
import { Message } from '../../../../src/messenger/message.ts';
import { Messenger } from '../../../../src/messenger/messenger.ts';
import { Policy } from '../../../../src/messenger/policy.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { type Options, resolveOptions } from '../../../../src/options.ts';
import { compatSetEmpty } from '../../../../src/wire/compat-set.ts';
import type { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityType } from '../../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../../src/wire/features.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { MMonSubscribe, SubscribeFlag } from '../../../../src/wire/messages/m-mon-subscribe.ts';
import type { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import type { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MOSDPGCreate2 } from '../../../../src/wire/messages/m-osd-pg-create2.ts';
import { MessageRegistry, type MessageType } from '../../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../../src/wire/osd-superblock.ts';
import type { Uuid } from '../../../../src/wire/uuid.ts';

export interface OsdActorInit {
  readonly id: number;
  readonly uuid: Uuid;
  readonly monHost: string;
  /** Where it can be dialled: `v2:127.0.0.1:0`. */
  readonly bind: string;
  readonly transport: 'async' | 'simple';
  readonly options?: Partial<Options>;
}

export class OsdActor implements AsyncDisposable {
  readonly id: number;
  readonly uuid: Uuid;
  readonly messenger: Messenger;
  readonly client: MonClient;

  private constructor(init: OsdActorInit) {
    this.id = init.id;
    this.uuid = init.uuid;
    const options = resolveOptions({ auth_client_required: 'none', ...init.options });
    const name = EntityAuthName.parse(`osd.${init.id}`);
    const auth = noneSession(name);
    this.messenger = Messenger.create({
      name: `osd.${init.id}`,
      label: `osd.${init.id}`,
      auth,
      messageTypes: new MessageRegistry(cephMessages),
      transport: init.transport,
      options,
    });
    this.messenger.setPolicy(EntityType.Mon, Policy.lossyClient());
    this.client = new MonClient({ name, monHost: init.monHost, auth, messenger: this.messenger, options });
  }

  static async connect(init: OsdActorInit): Promise<OsdActor> {
    const actor = new OsdActor(init);
    await actor.messenger.bind(init.bind);
    actor.messenger.start();
    await actor.client.connect();
    return actor;
  }

  /** What the monitor says that this OSD is to create, all of it; resolves with its next answer. */
  async askPgCreates(): Promise<MOSDPGCreate2> {
    const { client, messenger } = this;
    return new Promise((resolve) => {
      const listener: Dispatcher = {
        dispatch(message) {
          const body = message.as(MOSDPGCreate2);
          if (body === undefined) return false;
          messenger.removeDispatcher(listener);
          resolve(body);
          return true;
        },
      };
      messenger.addDispatcherHead(listener);
      const what = new Map([['osd_pg_creates', { start: 0n, flags: SubscribeFlag.OneTime }]]);
      client.send(Message.of(MMonSubscribe, { what, hostname: '' }));
    });
  }

  get addrs(): EntityAddrVec {
    return this.messenger.myAddrs;
  }

  send<Body>(type: MessageType<Body>, body: Body): void {
    this.client.send(Message.of(type, body));
  }

  /** As a process that was just started and has all maps up to `epoch`. */
  bootMessage(epoch: number, fields: Partial<MOSDBoot> = {}): MOSDBoot {
    const identity = { clusterFsid: this.client.fsid!, osdFsid: this.uuid, whoami: this.id };
    const superblock = freshOsdSuperblock({ ...identity, compatFeatures: compatSetEmpty });
    return {
      paxosVersion: BigInt(epoch),
      superblock: { ...superblock, newestMap: epoch, currentEpoch: epoch },
      heartbeatBackAddrs: this.addrs,
      clusterAddrs: this.addrs,
      bootEpoch: 0,
      heartbeatFrontAddrs: this.addrs,
      metadata: new Map([
        ['ceph_version_short', '16.2.15'],
        ['hostname', `host-of-${this.id}`],
      ]),
      osdFeatures: supportedDefault,
      ...fields,
    };
  }

  /** `flags` as MOSDFailure has them: 0 alive, 1 failed, 3 refused. */
  failureMessage(target: OsdActor, epoch: number, flags: number): MOSDFailure {
    return {
      paxosVersion: BigInt(epoch),
      fsid: this.client.fsid!,
      targetOsd: target.id,
      targetAddrs: target.addrs,
      epoch,
      flags,
      failedForSeconds: 21,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.messenger.shutdown();
  }
}
