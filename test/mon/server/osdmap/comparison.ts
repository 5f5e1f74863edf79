/**
 * A real ceph-mon and our rules, told the same: played OSDs send each message to both, and after each epoch
 * the two maps are compared. Ours start from the real one's map.
 */
import { setTimeout } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { OSDMap } from '../../../../src/maps/osdmap.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import type { Options } from '../../../../src/options.ts';
import type { MessageType } from '../../../../src/wire/messages/registry.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { CephCluster } from '../../../support/ceph-cluster.ts';
import { testTransports } from '../../../support/messengers.ts';
import { withTimeout } from '../../../support/timeout.ts';
import { Bench } from './bench.ts';
import { OsdActor } from './osd-actor.ts';

/** Four OSDs on four hosts, so that reporters are of different ones. */
const osdCount = 4;
export const stepTimeoutMs = 15_000;
const ceph = { mon_osd_immediate_failure_needs_corroboration: false } as const;
const conf = {
  mon_osd_min_down_reporters: '2',
  mon_osd_prime_pg_temp: 'false',
  paxos_propose_interval: '0.1',
  paxos_min_wait: '0.02',
  mon_tick_interval: '1',
};

/** The map without what differs from one run to the next. */
function comparable(map: OSDMap): Record<string, unknown> {
  const { created, modified, lastUpChange, lastInChange, crushBytes, ...rest } = map;
  const osdXinfo = map.osdXinfo.map(({ downStamp, laggyInterval, ...xinfo }) => xinfo);
  return JSON.parse(
    JSON.stringify(
      { ...rest, osdXinfo, pgTemp: [...map.pgTemp], primaryTemp: [...map.primaryTemp] },
      (_, value) => {
        if (typeof value === 'bigint') return String(value);
        if (value instanceof Map) return [...value];
        return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
      },
    ),
  );
}

export class Comparison implements AsyncDisposable {
  readonly cluster: CephCluster;
  readonly admin: MonClient;
  readonly actors: OsdActor[] = [];
  readonly #maps: OSDMap[] = [];
  #changed: () => void = () => {};
  bench!: Bench;
  /** They follow from times: a real monitor forgets some of those that an OSD went down. */
  comparesLaggyIntervals = true;

  private constructor(cluster: CephCluster) {
    this.cluster = cluster;
    this.admin = new MonClient({ name: 'client.admin', monHost: cluster.monAddrs.join(',') });
  }

  static async start(more: Record<string, string> = {}): Promise<Comparison> {
    const comparison = new Comparison(await CephCluster.start({ conf: { ...conf, ...more } }));
    try {
      await comparison.#prepare();
    } catch (error) {
      await comparison[Symbol.asyncDispose]();
      throw error;
    }
    return comparison;
  }

  async #prepare(): Promise<void> {
    await this.admin.connect();
    void this.#follow();
    for (let osd = 0; osd < osdCount; osd++) await this.connectOsd(osd, Uuid.random());
    for (const { id, uuid } of this.actors) {
      await this.command('osd new', { uuid: String(uuid), id });
      // A whole number in JSON is no CephFloat to a real monitor.
      const place = { id, weight: 1.5, args: [`host=host${id}`, 'root=default'] };
      await this.command('osd crush create-or-move', place);
    }
  }

  async connectOsd(id: number, uuid: Uuid): Promise<OsdActor> {
    const actor = await OsdActor.connect({
      id,
      uuid,
      monHost: this.cluster.monAddrs.join(','),
      bind: `v2:${this.cluster.frontIp(id)}:0`,
      transport: testTransports()[0]!,
    });
    this.actors.push(actor);
    return actor;
  }

  async command(prefix: string, args: Record<string, unknown> = {}): Promise<Buffer> {
    const { output } = await this.admin.command({ prefix, ...args });
    return Buffer.from(output);
  }

  async #follow(): Promise<void> {
    for await (const { map } of this.admin.osdMaps()) {
      this.#maps.push(map);
      this.#changed();
    }
  }

  get map(): OSDMap {
    return this.#maps.at(-1)!;
  }

  /** The real one's latest map, which ours then starts from. */
  async begin(options: Partial<Options> = {}): Promise<void> {
    const { newest } = await this.admin.getVersion('osdmap');
    await this.until(Number(newest));
    this.bench = await Bench.create(this.map, { ...ceph, ...options });
  }

  async until(epoch: number): Promise<OSDMap> {
    const reached = new Promise<void>((resolve) => {
      this.#changed = () => {
        if ((this.#maps.at(-1)?.epoch ?? 0) >= epoch) resolve();
      };
      this.#changed();
    });
    await withTimeout(reached, stepTimeoutMs, `epoch ${epoch} of the real monitor`);
    return this.#maps.find((map) => map.epoch === epoch)!;
  }

  /** To both; ours has no network, and is told what the connection would say. */
  async send<Body>(actor: OsdActor, type: MessageType<Body>, body: Body): Promise<void> {
    const { bench } = this;
    [bench.nowMs, bench.wallMs] = [performance.now() + 1e9, Date.now()];
    actor.send(type, body);
    bench.send(type, body, bench.session(`osd.${actor.id}`, actor.addrs));
    // Once this is answered the real one has seen the message: what another OSD sends comes after it.
    await actor.client.getVersion('monmap');
  }

  /** Both make `epochs` epochs, and each is the same. */
  async same(epochs = 1): Promise<OSDMap> {
    for (let count = 0; count < epochs; count++) {
      const ours = await this.bench.commit();
      const theirs = await this.until(ours.epoch);
      this.equal(ours, theirs);
    }
    return this.map;
  }

  equal(ours: OSDMap, theirs: OSDMap): void {
    assert.equal(comparable(ours), comparable(theirs));
    if (!this.comparesLaggyIntervals) return;
    ours.osdXinfo.forEach(({ laggyInterval }, osd) => {
      assert.ok(Math.abs(laggyInterval - theirs.osdXinfo[osd]!.laggyInterval) <= 1, 'laggy interval');
    });
  }

  /** Neither has anything to commit: the real one is asked something that it answers in order. */
  async still(): Promise<void> {
    assert.is(this.bench.osd.hasPending, false);
    const { epoch } = this.bench.map;
    await setTimeout(300);
    const { newest } = await this.admin.getVersion('osdmap');
    assert.is(Number(newest), epoch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const actor of this.actors) await actor[Symbol.asyncDispose]();
    await this.admin.close();
    await this.cluster.stop();
  }
}
