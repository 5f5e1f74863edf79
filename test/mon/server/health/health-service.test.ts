/** Health over time: mutes that end when they should, and what the cluster log is told. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OSDMap } from '../../../../src/maps/osdmap.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import { HealthService } from '../../../../src/mon/server/health/health-service.ts';
import type { MonitorState } from '../../../../src/mon/server/monitor-state.ts';
import { type Options, resolveOptions } from '../../../../src/options.ts';
import { LogPriority } from '../../../../src/wire/log-entry.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { clusterMap } from '../osdmap/bench.ts';
import { ServiceBench } from '../support/service-bench.ts';

const healthy = clusterMap(4, 1);
const { exists } = OsdState;
const oneDown = withOsds(healthy, { 0: { state: exists } });
const twoDown = withOsds(healthy, { 0: { state: exists }, 1: { state: exists } });

class World {
  readonly bench = new ServiceBench();
  readonly said: string[] = [];
  nowMs = 1_800_000_000_000;
  osdMap: OSDMap = healthy;
  readonly monitor: MonitorState;
  service: HealthService;

  constructor(options: Partial<Options> = {}) {
    const world = this;
    this.monitor = {
      name: 'a',
      options: resolveOptions(options),
      wallMs: () => world.nowMs,
      clock: { nowMs: () => world.nowMs },
      startedMs: 1_800_000_000_000,
      monMap: { created: { sec: 1_800_000_000, nsec: 0 } },
      get osdMap() {
        return world.osdMap;
      },
      auth: { entities: () => [] },
      log: {
        log: (_channel: string, priority: number, text: string) => world.said.push(`${priority} ${text}`),
        info: (text: string) => world.said.push(`${LogPriority.Info} ${text}`),
      },
    } as never;
    this.service = new HealthService(this.monitor, this.bench.store);
  }

  get codes(): string {
    const { checks, mutes, status } = this.service.health;
    return [status, ...checks.map(({ code }) => (mutes.has(code) ? `(${code})` : code))].join(' ');
  }

  async mute(code: string, isSticky = false, untilMs = 0): Promise<void> {
    const check = this.service.health.checks.find((one) => one.code === code);
    this.service.mute({ code, isSticky, untilMs, summary: check?.summary ?? '', count: check?.count ?? 0 });
    await this.bench.commit(this.service);
  }
}

test('a mute takes its check out of the status, also after a start', async () => {
  const world = new World();
  world.osdMap = oneDown;
  assert.is(world.codes, 'HEALTH_WARN OSD_DOWN OSD_HOST_DOWN');
  await world.mute('OSD_DOWN');
  assert.is(world.codes, 'HEALTH_WARN (OSD_DOWN) OSD_HOST_DOWN');
  await world.mute('OSD_HOST_DOWN');
  assert.is(world.codes, 'HEALTH_OK (OSD_DOWN) (OSD_HOST_DOWN)');
  world.service = new HealthService(world.monitor, world.bench.store);
  assert.is(world.codes, 'HEALTH_OK (OSD_DOWN) (OSD_HOST_DOWN)');
  world.service.unmute('OSD_DOWN');
  await world.bench.commit(world.service);
  assert.is(world.codes, 'HEALTH_WARN OSD_DOWN (OSD_HOST_DOWN)');
  world.service.unmute(undefined);
  await world.bench.commit(world.service);
  assert.is(world.codes, 'HEALTH_WARN OSD_DOWN OSD_HOST_DOWN');
});

test('it ends when things get worse, when they get well, and at its time; a sticky one only at its time', async () => {
  const worse = new World();
  worse.osdMap = oneDown;
  await worse.mute('OSD_DOWN');
  worse.osdMap = twoDown;
  assert.match(worse.codes, / OSD_DOWN/);

  const well = new World();
  well.osdMap = oneDown;
  await well.mute('OSD_DOWN');
  well.osdMap = healthy;
  well.service.tick();
  await well.bench.commit(well.service);
  well.osdMap = oneDown;
  assert.match(well.codes, / OSD_DOWN/);

  const sticky = new World();
  sticky.osdMap = oneDown;
  await sticky.mute('OSD_DOWN', true, sticky.nowMs + 1000);
  sticky.osdMap = healthy;
  sticky.service.tick();
  await sticky.bench.commit(sticky.service);
  sticky.osdMap = twoDown;
  assert.match(sticky.codes, /\(OSD_DOWN\)/);
  sticky.nowMs += 1000;
  assert.match(sticky.codes, / OSD_DOWN/);
});

test('the log is told once of each change', () => {
  const world = new World();
  const tick = (map: OSDMap): string[] => {
    world.osdMap = map;
    world.service.tick();
    return world.said.splice(0);
  };
  assert.equal(tick(healthy), []);
  assert.equal(tick(oneDown), [
    '3 Health check failed: 1 osds down (OSD_DOWN)',
    '3 Health check failed: 1 host (1 osds) down (OSD_HOST_DOWN)',
  ]);
  assert.equal(tick(oneDown), []);
  assert.equal(tick(twoDown)[0], '3 Health check update: 2 osds down (OSD_DOWN)');
  assert.equal(tick(healthy), [
    '1 Health check cleared: OSD_DOWN (was: 2 osds down)',
    '1 Health check cleared: OSD_HOST_DOWN (was: 2 hosts (2 osds) down)',
    '1 Cluster is now healthy',
  ]);
});

test('that there is no manager is said on request, with the grace that Ceph gives', () => {
  const world = new World({ mon_warn_on_mgr_down: true });
  assert.is(world.codes, 'HEALTH_OK');
  world.nowMs += 121_000;
  assert.is(world.codes, 'HEALTH_ERR MGR_DOWN');
  const silent = new World();
  silent.nowMs += 121_000;
  assert.is(silent.codes, 'HEALTH_OK');
});

test('options that are dangerous to keep', () => {
  const world = new World({ mon_osd_down_out_interval: 0, auth_allow_insecure_global_id_reclaim: true });
  assert.is(world.codes, 'HEALTH_WARN AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED OSD_NO_DOWN_OUT_INTERVAL');
});

test.run();
