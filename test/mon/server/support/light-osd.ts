/**
 * An OSD as a monitor sees one, and no more of it: it boots when the map says that it is down, asks for
 * up_thru, and says what it was told to say of others. AUTH_NONE.
 */

import { noneSession } from '../../../../src/auth/none.ts';
import { isUp, type OSDMap } from '../../../../src/maps/osdmap.ts';
import { Message } from '../../../../src/messenger/message.ts';
import { Messenger } from '../../../../src/messenger/messenger.ts';
import { Policy } from '../../../../src/messenger/policy.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import type { Options } from '../../../../src/options.ts';
import { compatSetEmpty } from '../../../../src/wire/compat-set.ts';
import { AddrType, EntityAddr } from '../../../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../../src/wire/features.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { MOSDAlive } from '../../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure, OSDFailureFlag } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MessageRegistry } from '../../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../../src/wire/osd-superblock.ts';
import { seededOsdUuid } from './seeded-store.ts';

export interface LightOsdInit {
  readonly id: number;
  readonly monHost: string;
  /** Where it says that it listens; nothing does. */
  readonly host: string;
  readonly options?: Partial<Options>;
  readonly transport?: 'simple' | 'async';
}

const repeatMs = 400;

export class LightOsd implements AsyncDisposable {
  readonly id: number;
  readonly client: MonClient;
  readonly messenger: Messenger;
  #map: OSDMap | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #address: (kind: number) => EntityAddrVec;

  constructor(init: LightOsdInit) {
    const { host, id, monHost, options = {}, transport } = init;
    this.id = id;
    const name = EntityAuthName.parse(`osd.${id}`);
    const auth = noneSession(name);
    this.messenger = Messenger.create({
      name: `osd.${id}`,
      auth,
      messageTypes: new MessageRegistry(cephMessages),
      options,
      ...(transport === undefined ? {} : { transport }),
    });
    this.messenger.setDefaultPolicy(Policy.lossyClient());
    this.client = new MonClient({ name, monHost, auth, messenger: this.messenger, options });
    this.#address = (kind) =>
      EntityAddrVec.of(
        new EntityAddr({ type: AddrType.Msgr2, host, port: 6800 + kind, nonce: this.messenger.nonce }),
      );
  }

  get map(): OSDMap | undefined {
    return this.#map;
  }

  get isUp(): boolean {
    const { map } = this;
    return map !== undefined && isUp(map, this.id) && map.clientAddrs[this.id]!.contains(this.#own);
  }

  get #own(): EntityAddr {
    return this.messenger.myAddrs.front!;
  }

  /** Resolves when it has a session; it boots from then on whenever it is down. */
  async start(host: string): Promise<void> {
    await this.messenger.bind(`v2:${host}:0`);
    this.messenger.start();
    await this.client.connect();
    void this.#follow().catch(() => {});
    this.#timer = setInterval(() => this.#bootIfDown(), repeatMs);
  }

  /** Says that it has heard nothing of another for a minute. */
  reportFailed(target: number): void {
    const { map } = this;
    if (map === undefined || !isUp(map, target)) return;
    this.client.send(
      Message.of(MOSDFailure, {
        paxosVersion: BigInt(map.epoch),
        fsid: this.client.fsid!,
        targetOsd: target,
        targetAddrs: map.clientAddrs[target]!,
        epoch: map.epoch,
        flags: OSDFailureFlag.Failed,
        failedForSeconds: 60,
      }),
    );
  }

  wantUpThru(): void {
    const { map } = this;
    if (map === undefined) return;
    this.client.send(Message.of(MOSDAlive, { paxosVersion: BigInt(map.epoch), want: map.epoch }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.client.close();
    await this.messenger.shutdown();
  }

  async #follow(): Promise<void> {
    for await (const { map } of this.client.osdMaps()) {
      this.#map = map;
      this.#bootIfDown();
    }
  }

  #bootIfDown(): void {
    const { map } = this;
    if (map === undefined || this.isUp) return;
    const superblock = freshOsdSuperblock({
      clusterFsid: this.client.fsid!,
      osdFsid: seededOsdUuid(this.id),
      whoami: this.id,
      compatFeatures: compatSetEmpty,
    });
    const bootMessage = Message.of(MOSDBoot, {
      paxosVersion: BigInt(map.epoch),
      superblock: { ...superblock, newestMap: map.epoch, currentEpoch: map.epoch },
      heartbeatBackAddrs: this.#address(3),
      clusterAddrs: this.#address(2),
      bootEpoch: 0,
      heartbeatFrontAddrs: this.#address(1),
      metadata: new Map([['ceph_version_short', '16.2.15']]),
      osdFeatures: supportedDefault,
    });
    this.client.send(bootMessage);
  }
}
