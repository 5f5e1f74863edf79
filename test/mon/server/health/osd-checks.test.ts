/** What an OSDMap shows to be wrong; the texts are those of a ceph-mon 16.2.15 in the same state. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { OSDMap } from '../../../../src/maps/osdmap.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import type { HealthCheck } from '../../../../src/mon/server/health/health-check.ts';
import { osdChecks } from '../../../../src/mon/server/health/osd-checks.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { clusterMap } from '../osdmap/bench.ts';

const { exists, up, full, nearfull, noout, noup, nodown } = OsdState;
const inWeight = 0x10000;

/** `CODE: summary | detail | detail` */
function shown(map: OSDMap): string[] {
  return osdChecks(map).map(({ code, detail, summary }: HealthCheck) =>
    [`${code}: ${summary}`, ...detail].join(' | '),
  );
}

function withStates(map: OSDMap, states: Record<number, number>, weight = inWeight): OSDMap {
  const osds = Object.entries(states).map(([osd, state]) => [osd, { state, weight }]);
  return withOsds(map, Object.fromEntries(osds));
}

const healthy = clusterMap(2, 2);

test('a map in order shows nothing', () => assert.equal(shown(healthy), []));

test('one down', () => {
  assert.equal(shown(withStates(healthy, { 1: exists })), [
    'OSD_DOWN: 1 osds down | osd.1 (root=default,host=host0) is down',
  ]);
});

test('one that is out may be down', () => {
  assert.equal(shown(withStates(healthy, { 1: exists }, 0)), []);
});

test('all of a host', () => {
  assert.equal(shown(withStates(healthy, { 2: exists, 3: exists })), [
    'OSD_HOST_DOWN: 1 host (2 osds) down | host host1 (root=default) (2 osds) is down',
    'OSD_DOWN: 2 osds down | osd.2 (root=default,host=host1) is down | osd.3 (root=default,host=host1) is down',
  ]);
});

test('all', () => {
  const checks = shown(withStates(healthy, { 0: exists, 1: exists, 2: exists, 3: exists }));
  assert.equal(checks.slice(0, 2), [
    'OSD_ROOT_DOWN: 1 root (4 osds) down | root default (4 osds) is down',
    'OSD_HOST_DOWN: 2 hosts (4 osds) down | host host1 (root=default) (2 osds) is down | host host0 (root=default) (2 osds) is down',
  ]);
  assert.match(checks[2]!, /^OSD_DOWN: 4 osds down/);
});

test('flags of the map, counted as Ceph counts', () => {
  const map = { ...healthy, flags: healthy.flags | (1 << 5) | (1 << 7) | (1 << 11) };
  assert.equal(osdChecks(map), [
    {
      code: 'OSDMAP_FLAGS',
      severity: 'HEALTH_WARN',
      summary: 'noup,noout,noscrub flag(s) set',
      count: 18,
      detail: [],
    },
  ]);
});

test('flags of OSDs, of places and of classes', () => {
  const map = withStates(healthy, { 0: exists | up | noup, 1: exists | up | nodown | noout });
  assert.equal(shown({ ...map, crushNodeFlags: new Map([[-2, noout]]) })[0]!.split(' | '), [
    'OSD_FLAGS: 3 OSDs or CRUSH {nodes, device-classes} have {NOUP,NODOWN,NOIN,NOOUT} flags set',
    'osd.0 has flags noup',
    'osd.1 has flags nodown,noout',
    'host host0 has flags noout',
  ]);
});

test('full ones are an error, and are not named twice', () => {
  const map = withStates(healthy, { 0: exists | up | full | nearfull, 1: exists | up | nearfull });
  assert.equal(shown(map), [
    'OSD_FULL: 1 full osd(s) | osd.0 is full',
    'OSD_NEARFULL: 1 nearfull osd(s) | osd.1 is near full',
  ]);
  assert.is(osdChecks(map)[0]!.severity, 'HEALTH_ERR');
});

test('ratios in the wrong order', () => {
  const map = { ...healthy, nearfullRatio: 0.9, backfillfullRatio: 0.8, fullRatio: 0.95 };
  assert.is(osdChecks(map)[0]!.code, 'OSD_OUT_OF_ORDER_FULL');
});

test('in the CRUSH map, but not in the OSDMap', () => {
  const states = Uint32Array.from(healthy.osdState);
  states[3] = 0;
  assert.equal(shown({ ...healthy, osdState: states }), [
    'OSD_ORPHAN: 1 osd exist in the crush map but not in the osdmap | osd.3 exists in crush map but not in osdmap',
  ]);
});

test.run();
