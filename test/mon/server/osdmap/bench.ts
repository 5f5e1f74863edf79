/**
 * The OSDMap's service alone: its rules over a map that a test makes, with a clock that the test turns and
 * proposals that it commits. What the service sends and says is recorded.
 */
import { encodeCrushMap } from '../../../../src/maps/crush/codec.ts';
import type { CrushMap } from '../../../../src/maps/crush/map.ts';
import type { OSDMap } from '../../../../src/maps/osdmap.ts';
import type { Message } from '../../../../src/messenger/message.ts';
import type { MonitorState } from '../../../../src/mon/server/monitor-state.ts';
import { OsdMonitor } from '../../../../src/mon/server/osdmap/osd-monitor.ts';
import type { MonSession } from '../../../../src/mon/server/session.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';
import { putFirstOsdMap } from '../../../../src/mon/server/store/osd-map-history.ts';
import { type Options, resolveOptions } from '../../../../src/options.ts';
import { compatSetEmpty } from '../../../../src/wire/compat-set.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { supportedDefault } from '../../../../src/wire/features.ts';
import type { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import type { MessageType } from '../../../../src/wire/messages/registry.ts';
import { freshOsdSuperblock } from '../../../../src/wire/osd-superblock.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { smallMap } from '../../../maps/support/small-map.ts';

export type OsdNetwork = 'public' | 'cluster' | 'hbBack' | 'hbFront';
const networks: readonly OsdNetwork[] = ['public', 'cluster', 'hbBack', 'hbFront'];

/** Of the OSD's N-th life: another nonce. */
export function addrsOf(osd: number, network: OsdNetwork = 'public', life = 1): EntityAddrVec {
  return EntityAddrVec.parse(
    `v2:10.${networks.indexOf(network)}.${osd >> 8}.${osd & 255}:6800/${1000 + life}`,
  );
}

export function uuidOf(osd: number): Uuid {
  return Uuid.parse(`00000000-0000-4000-8000-${String(osd).padStart(12, '0')}`);
}

/** Hosts of OSDs, all up and in with the addresses of their first life; no pools. */
export function clusterMap(hosts: number, perHost: number, fields: Partial<OSDMap> = {}): OSDMap {
  const map = smallMap(hosts, perHost);
  const each = <T>(value: (osd: number) => T): T[] =>
    Array.from({ length: map.maxOsd }, (_, osd) => value(osd));
  return {
    ...map,
    pools: new Map(),
    poolNames: new Map(),
    clientAddrs: each((osd) => addrsOf(osd)),
    clusterAddrs: each((osd) => addrsOf(osd, 'cluster')),
    hbBackAddrs: each((osd) => addrsOf(osd, 'hbBack')),
    hbFrontAddrs: each((osd) => addrsOf(osd, 'hbFront')),
    osdUuid: each(uuidOf),
    osdInfo: each(() => ({ ...map.osdInfo[0]!, upFrom: 5 })),
    ...fields,
  };
}

export function withCrush(map: OSDMap, crush: CrushMap): OSDMap {
  return { ...map, crush, crushBytes: encodeCrushMap(crush) };
}

/** A session that keeps what it is sent. */
export interface RecordedSession extends MonSession {
  /** First epochs of the maps that it was sent. */
  readonly maps: number[];
  readonly replies: Message[];
}

export class Bench {
  readonly osd: OsdMonitor;
  readonly store = new MemoryStore();
  readonly options: Options;
  /** What was said in the cluster log; entries of level debug begin with `debug: `. */
  readonly lines: string[] = [];
  nowMs = 1_000_000;
  wallMs = Date.UTC(2026, 10, 27);
  #waiters: (() => void)[] = [];

  private constructor(options: Options, open: (bench: Bench) => OsdMonitor) {
    this.options = options;
    this.osd = open(this);
  }

  static async create(map: OSDMap, options: Partial<Options> = {}): Promise<Bench> {
    const transaction = new StoreTransaction();
    putFirstOsdMap(transaction, map);
    const operations = transaction;
    const bench = new Bench(resolveOptions(options), (self) => {
      void self.store.commit(operations);
      return OsdMonitor.open({
        store: self.store,
        monitor: self.#monitor(map.fsid),
        maps: { sendOsdMaps: (session, first) => (session as RecordedSession).maps.push(first) },
      });
    });
    return bench;
  }

  #monitor(fsid: Uuid): MonitorState {
    return {
      fsid,
      options: this.options,
      clock: { nowMs: () => this.nowMs },
      wallMs: () => this.wallMs,
      log: {
        info: (text: string) => this.lines.push(text),
        log: (_channel: string, priority: number, text: string) =>
          this.lines.push(priority === 0 ? `debug: ${text}` : text),
      },
      propose: () => new Promise<void>((resolve) => this.#waiters.push(resolve)),
    } as unknown as MonitorState;
  }

  get map(): OSDMap {
    return this.osd.map;
  }

  /** Entries that operators see by default. */
  get said(): string[] {
    return this.lines.filter((line) => !line.startsWith('debug: '));
  }

  session(name: string, addrs: EntityAddrVec): RecordedSession {
    const entity = EntityAuthName.parse(name);
    return { entity, addrs, isClosed: false, maps: [], replies: [] } as unknown as RecordedSession;
  }

  /** From osd.N in the given life. */
  sessionOf(osd: number, life = 1): RecordedSession {
    return this.session(`osd.${osd}`, addrsOf(osd, 'public', life));
  }

  send<Body>(type: MessageType<Body>, body: Body, session: RecordedSession): RecordedSession {
    // Over the wire and back: the rules see what a decoder would give them.
    const decoded = type.decode(type.encode(body));
    const message = { type: type.type, as: () => decoded };
    const reply = (answer: Message): void => void session.replies.push(answer);
    this.osd.dispatch({ message, body: undefined, session, reply } as never);
    return session;
  }

  /** One report; `failedFor` in seconds. */
  report(target: number, reporter: number, flags: number, failedFor = 21, life = 1): RecordedSession {
    const body = {
      fsid: this.map.fsid,
      targetOsd: target,
      targetAddrs: addrsOf(target, 'public', life),
      epoch: this.map.epoch,
      flags,
      failedForSeconds: failedFor,
    };
    return this.send(MOSDFailure, body, this.sessionOf(reporter));
  }

  bootOf(osd: number, life = 2, fields: Partial<MOSDBoot> = {}): MOSDBoot {
    const identity = { clusterFsid: this.map.fsid, osdFsid: uuidOf(osd), whoami: osd };
    const superblock = freshOsdSuperblock({ ...identity, compatFeatures: compatSetEmpty });
    const { epoch } = this.map;
    return {
      paxosVersion: BigInt(epoch),
      superblock: { ...superblock, newestMap: epoch, currentEpoch: epoch },
      heartbeatBackAddrs: addrsOf(osd, 'hbBack', life),
      clusterAddrs: addrsOf(osd, 'cluster', life),
      bootEpoch: 0,
      heartbeatFrontAddrs: addrsOf(osd, 'hbFront', life),
      metadata: new Map([['hostname', `host-of-${osd}`]]),
      osdFeatures: supportedDefault,
      ...fields,
    };
  }

  /** What is pending becomes the committed map, and whoever waits goes on. */
  async commit(): Promise<OSDMap> {
    const applied = await this.write();
    return applied();
  }

  /** The first half of {@link commit}: on its way to the disk, and not known to be there. */
  async write(): Promise<() => Promise<OSDMap>> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const transaction = new StoreTransaction();
    const apply = this.osd.hasPending ? this.osd.propose(transaction) : () => {};
    await this.store.commit(transaction);
    return async () => {
      apply();
      for (const resolve of waiters) resolve();
      await new Promise(setImmediate);
      return this.map;
    };
  }

  async tickAfter(seconds: number): Promise<OSDMap> {
    this.nowMs += seconds * 1000;
    this.wallMs += seconds * 1000;
    this.osd.tick();
    return this.commit();
  }
}
