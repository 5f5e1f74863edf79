/** An OSD's life, step by step: the states, what is asked for, and what the maps do to it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MsgrError } from '../../../src/errors.ts';
import { emptyOsdMap, noOsdInfo, type OSDMap } from '../../../src/maps/osdmap.ts';
import { OsdState as MapState } from '../../../src/maps/states.ts';
import { type Options, resolveOptions } from '../../../src/options.ts';
import { Lifecycle } from '../../../src/osd/daemon/lifecycle.ts';
import { OsdState } from '../../../src/osd/daemon/osd-state.ts';
import type { OwnAddresses } from '../../../src/osd/daemon/own-addresses.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

const whoami = 1;
const sortbitwise = 1 << 15;
const noup = 1 << 5;

function addressesAt(incarnation: number): OwnAddresses {
  const at = (port: number): EntityAddrVec => EntityAddrVec.parse(`v2:10.0.0.1:${port}/7`);
  return {
    public: at(6800),
    cluster: at(6801 + incarnation),
    hbBack: at(6802 + incarnation),
    hbFront: at(6803 + incarnation),
  };
}

class Bench {
  readonly did: string[] = [];
  readonly lines: string[] = [];
  nowMs = 0;
  options: Options = resolveOptions();
  isHealthy = true;
  newest = 10;
  oldest = 1;
  areMonitorsSilent = false;
  rebindError: Error | undefined;
  incarnation = 0;
  readonly life: Lifecycle;

  constructor() {
    this.life = new Lifecycle({
      whoami,
      osdFsid: String(Uuid.zero),
      options: () => this.options,
      nowMs: () => this.nowMs,
      addresses: () => addressesAt(this.incarnation),
      checkHealth: (isAfterMarkdown) => ({
        isHealthy: this.isHealthy || !isAfterMarkdown,
        healthyPeers: 0,
        peers: 2,
        reason: 'only 0/2 up peers (less than 33%)',
      }),
      monitorEpochs: async () => {
        if (this.areMonitorsSilent) throw new Error('silence');
        return { newest: BigInt(this.newest), oldest: BigInt(this.oldest) };
      },
      sendBoot: (bootEpoch) => this.did.push(`boot ${bootEpoch}`),
      sendMarkMeDead: (epoch) => this.did.push(`dead ${epoch}`),
      sendBeacon: () => this.did.push('beacon'),
      rebind: async () => {
        this.did.push('rebind');
        if (this.rebindError !== undefined) throw this.rebindError;
        this.incarnation += 10;
      },
      stateChanged: (state) => this.did.push(state),
      cameUp: (upFrom) => this.did.push(`up from ${upFrom}`),
      shutdown: () => this.did.push('shutdown'),
      log: (_level, line) => this.lines.push(line),
      clusterLog: (level, line) => this.lines.push(`${level}: ${line}`),
    });
  }

  /** What was done since this was asked last. */
  async done(): Promise<string[]> {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    return this.did.splice(0);
  }

  async active(): Promise<void> {
    this.life.mapApplied(mapOf(10));
    this.life.startBoot();
    await this.done();
    this.life.mapApplied(mapOf(11, { upFrom: 11, addresses: addressesAt(this.incarnation) }));
    assert.is(this.life.state, OsdState.Active);
    await this.done();
  }
}

interface MapChange {
  readonly upFrom?: number;
  readonly downAt?: number;
  readonly addresses?: OwnAddresses;
  readonly flags?: number;
  readonly state?: number;
}

/** A map with two OSDs, of which osd.1 is ours. */
function mapOf(epoch: number, change: MapChange = {}): OSDMap {
  const { addresses, downAt = 0, flags = 0, state = MapState.exists, upFrom = 0 } = change;
  const none = EntityAddrVec.empty;
  const up = upFrom > 0 ? MapState.up : 0;
  const blank = emptyOsdMap({} as OSDMap['crush'], new Uint8Array(0));
  return {
    ...blank,
    epoch,
    flags: sortbitwise | flags,
    maxOsd: 2,
    osdState: Uint32Array.of(MapState.exists, state | up),
    osdWeight: Uint32Array.of(0x10000, 0x10000),
    clientAddrs: [none, addresses?.public ?? none],
    clusterAddrs: [none, addresses?.cluster ?? none],
    hbBackAddrs: [none, addresses?.hbBack ?? none],
    hbFrontAddrs: [none, addresses?.hbFront ?? none],
    osdInfo: [noOsdInfo, { ...noOsdInfo, upFrom, downAt }],
    osdUuid: [Uuid.zero, Uuid.zero],
  };
}

test('boots once it has a recent map, and is active when the map has it up', async () => {
  const bench = new Bench();
  bench.life.startBoot();
  assert.equal(await bench.done(), ['preboot']);
  assert.ok(bench.lines.includes('waiting for initial osdmap'));
  bench.life.mapApplied(mapOf(10));
  assert.equal(await bench.done(), ['boot 0', 'booting']);
  bench.life.mapApplied(mapOf(11));
  assert.equal(await bench.done(), [], 'another OSD’s map changes nothing');
  bench.life.mapApplied(mapOf(12, { upFrom: 12, addresses: addressesAt(0) }));
  assert.equal(await bench.done(), ['up from 12', 'active', 'beacon']);
  assert.equal([bench.life.bootEpoch, bench.life.upEpoch], [12, 12]);
});

test('a map that is far behind the monitors’ is not booted from', async () => {
  const bench = new Bench();
  bench.newest = 100;
  bench.life.mapApplied(mapOf(10));
  bench.life.startBoot();
  assert.equal(await bench.done(), ['preboot']);
  bench.life.mapApplied(mapOf(60));
  assert.equal(await bench.done(), [], '40 epochs behind is too far');
  bench.life.mapApplied(mapOf(61));
  assert.equal(await bench.done(), ['boot 0', 'booting']);
});

test('noup, destroyed and a newer release are waited out, and told once', async () => {
  for (const [change, line] of [
    [{ flags: noup }, /NOUP flag is set/],
    [{ state: MapState.exists | MapState.noup }, /NOUP flag is set/],
    [{ state: MapState.exists | MapState.destroyed }, /I am destroyed/],
  ] as const) {
    const bench = new Bench();
    bench.life.startBoot();
    bench.life.mapApplied(mapOf(10, change));
    await bench.done();
    bench.life.mapApplied(mapOf(11, change));
    await bench.done();
    assert.is(bench.life.state, OsdState.Preboot);
    assert.is(bench.lines.filter((each) => line.test(each)).length, 1);
    bench.life.mapApplied(mapOf(12));
    assert.equal(await bench.done(), ['boot 0', 'booting']);
  }
});

test('a new session hears of the boot again, and of life when it is active', async () => {
  const bench = new Bench();
  bench.life.mapApplied(mapOf(10));
  bench.life.startBoot();
  await bench.done();
  bench.life.monConnected();
  assert.equal(await bench.done(), ['boot 0']);
  bench.life.mapApplied(mapOf(11, { upFrom: 11, addresses: addressesAt(0) }));
  await bench.done();
  bench.life.monConnected();
  assert.equal(await bench.done(), ['beacon']);
});

test('monitors that do not answer are asked again', async () => {
  const bench = new Bench();
  bench.areMonitorsSilent = true;
  bench.life.mapApplied(mapOf(10));
  bench.life.startBoot();
  assert.equal(await bench.done(), ['preboot']);
  bench.areMonitorsSilent = false;
  bench.life.tick();
  assert.equal(await bench.done(), ['boot 0', 'booting']);
});

test('wrongly marked down: says so, moves, waits for its peers, boots again as the same process', async () => {
  const bench = new Bench();
  await bench.active();
  bench.isHealthy = false;
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  assert.equal(await bench.done(), ['dead 12', 'waiting_for_healthy', 'rebind']);
  assert.ok(bench.lines.includes('warn: Monitor daemon marked osd.1 down, but it is still running'));
  assert.ok(bench.lines.includes('debug: map e12 wrongly marked me down at e12'));
  bench.life.tick();
  bench.life.tick();
  assert.equal(await bench.done(), [], 'nobody answers yet');
  const waits = bench.lines.filter(
    (line) => line === 'not healthy; waiting to boot: only 0/2 up peers (less than 33%)',
  );
  assert.is(waits.length, 1);
  bench.isHealthy = true;
  bench.life.tick();
  assert.equal(await bench.done(), ['preboot', 'boot 11', 'booting']);
  bench.life.mapApplied(mapOf(13, { upFrom: 13, addresses: addressesAt(10) }));
  assert.equal(await bench.done(), ['up from 13', 'active', 'beacon']);
  assert.is(bench.life.bootEpoch, 11, 'the first boot of the process');
});

test('up and down again in one message is not missed', async () => {
  const bench = new Bench();
  bench.life.mapApplied(mapOf(10));
  bench.life.startBoot();
  await bench.done();
  bench.life.mapApplied(mapOf(11, { upFrom: 11, addresses: addressesAt(0) }));
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  const did = await bench.done();
  assert.ok(did.includes('rebind'));
  assert.is(did.at(-1), 'booting');
});

test('a map of its former life does not make it active', async () => {
  const bench = new Bench();
  await bench.active();
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  await bench.done();
  bench.life.mapApplied(mapOf(13, { upFrom: 11, addresses: addressesAt(0) }));
  assert.equal(await bench.done(), []);
  assert.is(bench.life.state, OsdState.Booting);
});

test('up under other addresses than its own is an error that it mends itself', async () => {
  const bench = new Bench();
  await bench.active();
  bench.life.mapApplied(
    mapOf(12, { upFrom: 12, addresses: { ...addressesAt(0), hbBack: addressesAt(5).hbBack } }),
  );
  assert.equal((await bench.done()).slice(0, 2), ['waiting_for_healthy', 'rebind']);
  assert.ok(bench.lines.some((line) => /^error: map e12 had wrong heartbeat back addr/.test(line)));
});

test('marked down too often within the period it ends; outside of it, it does not', async () => {
  const bench = new Bench();
  bench.options = resolveOptions({ osd_max_markdown_count: 1, osd_max_markdown_period: 600 });
  await bench.active();
  const markDown = async (epoch: number): Promise<string[]> => {
    bench.life.mapApplied(mapOf(epoch, { downAt: epoch }));
    await bench.done();
    bench.life.mapApplied(mapOf(epoch + 1, { upFrom: epoch + 1, addresses: addressesAt(bench.incarnation) }));
    return bench.done();
  };
  assert.ok((await markDown(20)).includes('active'));
  bench.nowMs += 601_000;
  assert.ok((await markDown(30)).includes('active'));
  bench.life.mapApplied(mapOf(40, { downAt: 40 }));
  assert.equal(await bench.done(), ['dead 40', 'waiting_for_healthy', 'shutdown']);
});

test('a port that cannot be had, and the end that the map decides', async () => {
  const bench = new Bench();
  await bench.active();
  bench.rebindError = new MsgrError('ERR_MSGR_BIND', 'all ports in use');
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  assert.ok((await bench.done()).includes('shutdown'));
  assert.ok(bench.lines.some((line) => /rebind failed: all ports in use/.test(line)));
  for (const change of [{ state: 0 }, { state: MapState.exists | MapState.stop }]) {
    const other = new Bench();
    await other.active();
    other.life.mapApplied(mapOf(12, change));
    assert.equal(await other.done(), ['shutdown']);
  }
});

test('a heartbeat server that had to move is told by another boot', async () => {
  const bench = new Bench();
  await bench.active();
  bench.incarnation = 3;
  bench.life.addressesChanged();
  assert.equal(await bench.done(), ['preboot', 'boot 11', 'booting']);
  // The monitor marks the old one down before it marks the new one up.
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  assert.equal(await bench.done(), []);
  bench.life.mapApplied(mapOf(13, { upFrom: 13, addresses: addressesAt(3) }));
  assert.equal(await bench.done(), ['up from 13', 'active', 'beacon']);
});

test('who stops is not brought back by a map', async () => {
  const bench = new Bench();
  await bench.active();
  bench.life.stopping();
  bench.life.mapApplied(mapOf(12, { downAt: 12 }));
  bench.life.tick();
  bench.life.startBoot();
  assert.equal(await bench.done(), ['stopping']);
});

test('a boot that the monitor leaves unanswered is explained', async () => {
  const bench = new Bench();
  bench.life.mapApplied(mapOf(10, { state: 0 }));
  bench.life.startBoot();
  await bench.done();
  assert.is(bench.life.state, OsdState.Booting);
  bench.nowMs += 31_000;
  bench.life.tick();
  assert.ok(bench.lines.some((line) => /has not marked me up yet: osd\.1 is not in the osdmap/.test(line)));
});

test.run();
