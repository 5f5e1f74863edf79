/**
 * Many OSDs at one monitor, each with a messenger of its own that others could dial, over real loopback
 * sockets: they subscribe, boot and report, and count what they are told. They decode no map; an observer
 * does.
 */
import { noneSession } from '../../../../src/auth/none.ts';
import { encodeCrushMap } from '../../../../src/maps/crush/codec.ts';
import { isUp, type OSDMap } from '../../../../src/maps/osdmap.ts';
import type { Connection } from '../../../../src/messenger/connection.ts';
import { Message, type ReceivedMessage } from '../../../../src/messenger/message.ts';
import { Messenger } from '../../../../src/messenger/messenger.ts';
import { Policy } from '../../../../src/messenger/policy.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import type { Monitor } from '../../../../src/mon/server/monitor.ts';
import { compatSetEmpty } from '../../../../src/wire/compat-set.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityType } from '../../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../../src/wire/features.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { MMonSubscribe } from '../../../../src/wire/messages/m-mon-subscribe.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MOSDMap } from '../../../../src/wire/messages/m-osd-map.ts';
import { MessageRegistry } from '../../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../../src/wire/osd-superblock.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { smallCrush } from '../../../maps/support/small-map.ts';

/** Gives the monitor room for the OSDs, and hosts for them to hang below. */
export async function makeRoom(monitor: Monitor, hosts: number, perHost: number): Promise<void> {
  const { pendingOsdMap: pending } = monitor;
  const crush = smallCrush(hosts, perHost);
  pending.change.newMaxOsd = hosts * perHost;
  pending.change.crush = crush;
  pending.change.crushBytes = encodeCrushMap(crush);
  pending.touch();
  await monitor.propose();
}

class Member {
  readonly osd: number;
  readonly messenger: Messenger;
  readonly #connection: Connection;
  readonly #fsid: Uuid;
  /** Epochs in the order in which they came, those of full maps too. */
  readonly epochs: number[] = [];
  onMap: () => void = () => {};

  private constructor(osd: number, messenger: Messenger, mon: EntityAddrVec, fsid: Uuid) {
    this.osd = osd;
    this.messenger = messenger;
    this.#fsid = fsid;
    messenger.addDispatcherTail({ dispatch: (message) => this.#dispatch(message) });
    messenger.start();
    this.#connection = messenger.getConnection(mon, { peerType: EntityType.Mon });
  }

  static async create(osd: number, transport: 'async' | 'simple', mon: EntityAddrVec, fsid: Uuid) {
    const name = EntityAuthName.parse(`osd.${osd}`);
    const messenger = Messenger.create({
      name: `osd.${osd}`,
      label: `osd.${osd}`,
      auth: noneSession(name),
      messageTypes: new MessageRegistry(cephMessages),
      transport,
    });
    messenger.setPolicy(EntityType.Mon, Policy.lossyClient());
    // One address for each: a single one has no more than 500 ports for OSDs.
    await messenger.bind(`v2:127.88.${Math.floor(osd / 250)}.${(osd % 250) + 1}:0`);
    return new Member(osd, messenger, mon, fsid);
  }

  get addrs(): EntityAddrVec {
    return this.messenger.myAddrs;
  }

  get newest(): number {
    return this.epochs.at(-1) ?? 0;
  }

  subscribe(): void {
    const what = new Map([
      ['osd_pg_creates', { start: 0n, flags: 0 }],
      ['osdmap', { start: 0n, flags: 0 }],
    ]);
    this.#connection.send(Message.of(MMonSubscribe, { what, hostname: `host-of-${this.osd}` }));
  }

  boot(epoch: number): void {
    const osdFsid = Uuid.parse(`00000000-0000-4000-8000-${String(this.osd).padStart(12, '0')}`);
    const identity = { clusterFsid: this.#fsid, osdFsid, whoami: this.osd };
    const superblock = freshOsdSuperblock({ ...identity, compatFeatures: compatSetEmpty });
    this.#connection.send(
      Message.of(MOSDBoot, {
        paxosVersion: BigInt(epoch),
        superblock: { ...superblock, newestMap: epoch, currentEpoch: epoch },
        heartbeatBackAddrs: this.addrs,
        clusterAddrs: this.addrs,
        bootEpoch: 0,
        heartbeatFrontAddrs: this.addrs,
        metadata: new Map([['hostname', `host-of-${this.osd}`]]),
        osdFeatures: supportedDefault,
      }),
    );
  }

  report(target: Member, flags: number): void {
    this.#connection.send(
      Message.of(MOSDFailure, {
        paxosVersion: BigInt(this.newest),
        fsid: this.#fsid,
        targetOsd: target.osd,
        targetAddrs: target.addrs,
        epoch: this.newest,
        flags,
        failedForSeconds: 21,
      }),
    );
  }

  #dispatch(message: ReceivedMessage): boolean {
    const body = message.as(MOSDMap);
    if (body === undefined) return false;
    this.epochs.push(...[...body.maps.keys(), ...body.incrementalMaps.keys()].sort((a, b) => a - b));
    this.onMap();
    return true;
  }
}

export interface SwarmInit {
  readonly mon: string;
  readonly fsid: Uuid;
  readonly count: number;
  readonly transport: 'async' | 'simple';
}

export class Swarm implements AsyncDisposable {
  readonly members: Member[] = [];
  readonly #observer: MonClient;
  map: OSDMap | undefined;
  #onChange: () => void = () => {};

  private constructor(init: SwarmInit) {
    this.#observer = new MonClient({ name: 'client.admin', monHost: init.mon, transport: init.transport });
  }

  /** All are connected and bound; nobody has said anything yet. */
  static async start(init: SwarmInit): Promise<Swarm> {
    const swarm = new Swarm(init);
    const mon = EntityAddrVec.parse(init.mon);
    await swarm.#observer.connect();
    void swarm.#observe();
    for (let osd = 0; osd < init.count; osd++) {
      const member = await Member.create(osd, init.transport, mon, init.fsid);
      member.onMap = () => swarm.#onChange();
      swarm.members.push(member);
    }
    return swarm;
  }

  async #observe(): Promise<void> {
    for await (const { map } of this.#observer.osdMaps()) {
      this.map = map;
      this.#onChange();
    }
  }

  get upCount(): number {
    const { map } = this;
    return map === undefined ? 0 : this.members.filter(({ osd }) => isUp(map, osd)).length;
  }

  /** Everyone subscribes and boots in the same turn; resolves when all are up and know it. */
  async bootAll(): Promise<void> {
    const { newest } = await this.#observer.getVersion('osdmap');
    for (const member of this.members) {
      member.subscribe();
      member.boot(Number(newest));
    }
    await this.until(() => this.upCount === this.members.length && this.haveAll(this.members));
  }

  /** Everyone in the list has the observer's map. */
  haveAll(members: readonly Member[]): boolean {
    const epoch = this.map?.epoch ?? 0;
    return members.every((member) => member.newest >= epoch);
  }

  /** Those end without a word; three others of each, of different hosts, report it. */
  async fail(victims: readonly Member[], perHost: number): Promise<void> {
    const dead = new Set(victims);
    const alive = this.members.filter((member) => !dead.has(member));
    await Promise.all(victims.map((victim) => victim.messenger.shutdown()));
    victims.forEach((victim, index) => {
      for (let reporter = 0; reporter < 3; reporter++) {
        alive[(index + reporter * perHost) % alive.length]!.report(victim, 1);
      }
    });
    await this.until(() => this.upCount === alive.length && this.haveAll(alive));
  }

  /** Looks again whenever a map has come. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => {
        if (condition()) resolve();
      };
      this.#onChange();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer.close();
    await Promise.all(this.members.map(({ messenger }) => messenger.shutdown()));
  }
}

/** Epochs that came more than once; a full map counts as its epoch. */
export function repeated(epochs: readonly number[]): number[] {
  return epochs.filter((epoch, index) => epochs.indexOf(epoch) !== index);
}
