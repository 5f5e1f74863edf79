/**
 * Our process as an OSD of a real cluster, as far as authentication goes: registered with a key of its own,
 * with a session with the monitors that fetches rotating keys, the four messengers that others dial, and up
 * in the OSDMap. It answers heartbeats, and `version` of `ceph tell`; it stores nothing.
 */
import { randomInt } from 'node:crypto';
import { CryptoKey } from '../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../src/auth/cephx/key-type.ts';
import { CephxSession } from '../../src/auth/cephx/session.ts';
import { isUp, type OSDMap } from '../../src/maps/osdmap.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import type { Dispatcher } from '../../src/messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { MonClient } from '../../src/mon/client/mon-client.ts';
import { type Options, resolveOptions } from '../../src/options.ts';
import { compatSetEmpty } from '../../src/wire/compat-set.ts';
import type { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { supportedDefault } from '../../src/wire/features.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';
import { MCommand } from '../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../src/wire/messages/m-command-reply.ts';
import { MOSDBoot } from '../../src/wire/messages/m-osd-boot.ts';
import { MOSDPing, OSDPingOp } from '../../src/wire/messages/m-osd-ping.ts';
import { MessageRegistry } from '../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../src/wire/osd-superblock.ts';
import { signedspanFromNs } from '../../src/wire/utime.ts';
import { Uuid } from '../../src/wire/uuid.ts';
import type { CephCluster } from './ceph-cluster.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { TestTransport } from './messengers.ts';
import { ProxiedTransport } from './proxied-transport.ts';
import { withTimeout } from './timeout.ts';

export interface PlayedOsdInit {
  readonly cluster: CephCluster;
  /** A client.admin, who registers the OSD. */
  readonly admin: ClusterClient;
  readonly id: number;
  readonly transport: TestTransport;
  /** The one mode in which it lets others in; Ceph's preference when absent. */
  readonly mode?: 'crc' | 'secure';
  readonly options?: Partial<Options>;
}

/** What others dial. */
export type OsdNetwork = 'public' | 'cluster' | 'hbFront' | 'hbBack';

/** A message that was served, and who had sent it. */
export interface Served {
  /** Of a command its prefix. */
  readonly what: string;
  readonly connection: Connection;
}

const bootTimeoutMs = 30_000;

export class PlayedOsd implements AsyncDisposable {
  readonly id: number;
  readonly session: CephxSession;
  readonly client: MonClient;
  readonly messengers: Readonly<Record<OsdNetwork, Messenger>>;
  /** Commands and pings in the order in which they came, by the network they came over. */
  readonly served: Record<OsdNetwork, Served[]> = { public: [], cluster: [], hbFront: [], hbBack: [] };
  readonly #transports: Record<OsdNetwork, ProxiedTransport>;
  readonly #uuid: Uuid;
  #map: OSDMap | undefined;

  private constructor(init: PlayedOsdInit, key: CryptoKey, uuid: Uuid) {
    const { cluster, id, mode, transport } = init;
    this.id = id;
    this.#uuid = uuid;
    const modes =
      mode === undefined ? {} : { ms_cluster_mode: mode, ms_service_mode: mode, ms_client_mode: mode };
    const options = resolveOptions({ ...modes, ...init.options });
    const name = EntityAuthName.parse(`osd.${id}`);
    this.session = new CephxSession({ name, key, options, isDaemon: true });
    const nonce = randomInt(1, 2 ** 31);
    const transports: Partial<Record<OsdNetwork, ProxiedTransport>> = {};
    const make = (network: OsdNetwork): Messenger => {
      transports[network] = new ProxiedTransport(transport);
      const messenger = Messenger.create({
        name: `osd.${id}`,
        label: `osd.${id} ${network}`,
        auth: this.session,
        messageTypes: new MessageRegistry(cephMessages),
        transport: transports[network],
        nonce,
        options,
      });
      messenger.setDefaultPolicy(
        network === 'public' ? Policy.statelessRegisteredServer() : Policy.statelessServer(),
      );
      messenger.setPolicy(EntityType.Mon, Policy.lossyClient());
      if (network === 'cluster') messenger.setPolicy(EntityType.Osd, Policy.losslessPeer());
      return messenger;
    };
    this.messengers = {
      public: make('public'),
      cluster: make('cluster'),
      hbFront: make('hbFront'),
      hbBack: make('hbBack'),
    };
    this.#transports = transports as Record<OsdNetwork, ProxiedTransport>;
    // The monitor takes the public address from the connection that MOSDBoot comes over.
    this.client = new MonClient({
      name,
      monHost: cluster.monAddrs.join(','),
      auth: this.session,
      messenger: this.messengers.public,
      options,
    });
    this.messengers.public.addDispatcherTail(this.#commandServer());
    for (const network of ['hbFront', 'hbBack'] as const) {
      this.messengers[network].addDispatcherTail(this.#pingServer(network));
    }
  }

  /** Resolves when the OSDMap has it up, with its addresses. */
  static async start(init: PlayedOsdInit): Promise<PlayedOsd> {
    const uuid = Uuid.random();
    const key = CryptoKey.generate(KeyType.Aes);
    const input = Buffer.from(JSON.stringify({ cephx_secret: key.toBase64() }));
    await init.admin.client.command({ prefix: 'osd new', uuid: String(uuid), id: init.id }, { input });
    const osd = new PlayedOsd(init, key, uuid);
    try {
      await withTimeout(osd.#boot(init.cluster), bootTimeoutMs, `osd.${init.id} to be up`);
    } catch (error) {
      await osd[Symbol.asyncDispose]();
      throw error;
    }
    return osd;
  }

  /** With its nonce, as the OSDMap has it. */
  addr(network: OsdNetwork): EntityAddr {
    return this.messengers[network].myAddrs.front!;
  }

  /** Whoever dials this OSD comes through it. */
  proxy(network: OsdNetwork): ProxiedTransport['proxies'][number] {
    return this.#transports[network].proxies[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await Promise.all(Object.values(this.messengers).map((messenger) => messenger.shutdown()));
    await Promise.all(Object.values(this.#transports).map((transport) => transport.close()));
  }

  async #boot(cluster: CephCluster): Promise<void> {
    const { client, messengers } = this;
    const front = `v2:${cluster.frontIp(this.id)}:0`;
    const back = `v2:${cluster.backIp(this.id)}:0`;
    await messengers.public.bind(front);
    await messengers.cluster.bind(back);
    await messengers.hbFront.bind(front);
    await messengers.hbBack.bind(back);
    for (const messenger of Object.values(messengers)) messenger.start();
    await client.connect();
    const isOurs = (map: OSDMap): boolean =>
      isUp(map, this.id) && map.clientAddrs[this.id]!.contains(this.addr('public'));
    const { newest } = await client.getVersion('osdmap');
    const isThere = new Promise<void>((resolve, reject) => {
      const onMap = (map: OSDMap): void => {
        if (isOurs(map)) resolve();
      };
      this.#follow(onMap).catch(reject);
    });
    const superblock = freshOsdSuperblock({
      clusterFsid: client.fsid!,
      osdFsid: this.#uuid,
      whoami: this.id,
      compatFeatures: compatSetEmpty,
    });
    client.send(
      Message.of(MOSDBoot, {
        paxosVersion: newest,
        superblock: { ...superblock, newestMap: Number(newest), currentEpoch: Number(newest) },
        heartbeatBackAddrs: messengers.hbBack.myAddrs,
        clusterAddrs: messengers.cluster.myAddrs,
        bootEpoch: 0,
        heartbeatFrontAddrs: messengers.hbFront.myAddrs,
        metadata: new Map([
          ['ceph_release', 'pacific'],
          ['ceph_version_short', '16.2.15'],
          ['hostname', 'localhost'],
        ]),
        osdFeatures: supportedDefault,
      }),
    );
    await isThere;
  }

  /** Ends with the client. */
  async #follow(onMap: (map: OSDMap) => void): Promise<void> {
    for await (const { map } of this.client.osdMaps()) {
      this.#map = map;
      onMap(map);
    }
  }

  #commandServer(): Dispatcher {
    return {
      dispatch: (message) => {
        const command = message.as(MCommand);
        if (command === undefined) return false;
        const { prefix } = JSON.parse(command.command[0]!) as { prefix: string };
        this.served.public.push({ what: prefix, connection: message.connection });
        return message.reply(Message.of(MCommandReply, answerTo(prefix, this.id))) || true;
      },
    };
  }

  #pingServer(network: 'hbFront' | 'hbBack'): Dispatcher {
    return {
      canFastDispatch: (message) => message.type === MOSDPing.type,
      fastDispatch: (message) => this.#answerPing(network, message),
    };
  }

  #answerPing(network: 'hbFront' | 'hbBack', message: ReceivedMessage): void {
    const ping = message.as(MOSDPing)!;
    if (ping.op !== OSDPingOp.Ping) return;
    this.served[network].push({ what: 'ping', connection: message.connection });
    message.reply(
      Message.of(MOSDPing, {
        ...ping,
        op: OSDPingOp.PingReply,
        mapEpoch: this.#map?.epoch ?? 0,
        upFrom: this.#map?.osdInfo[this.id]?.upFrom ?? 0,
        monoSendStamp: signedspanFromNs(process.hrtime.bigint()),
        deltaUb: undefined,
      }),
    );
  }
}

/** `ceph` asks which commands there are before it sends one. */
function answerTo(prefix: string, id: number): MCommandReply {
  const noOutput = Buffer.alloc(0);
  if (prefix === 'get_command_descriptions') {
    const version = { sig: ['version'], help: 'what runs here', module: 'osd', perm: 'r', flags: 0 };
    return { result: 0, status: '', output: Buffer.from(JSON.stringify({ cmd000: version })) };
  }
  if (prefix !== 'version') return { result: -22, status: `${prefix}: not played`, output: noOutput };
  return { result: 0, status: '', output: Buffer.from(JSON.stringify({ version: `osd.${id} of msgr2` })) };
}
