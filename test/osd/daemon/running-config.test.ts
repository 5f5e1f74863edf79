/** Options of a running OSD: whose word counts, and what may be changed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephConfig } from '../../../src/config/ceph-config.ts';
import { ConfFile } from '../../../src/config/conf-file.ts';
import { RunningConfig } from '../../../src/osd/daemon/running-config.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';

function configOf(text: string): { config: RunningConfig; changes: number[] } {
  const changes: number[] = [];
  const file = ConfFile.parse(text, '/etc/ceph/ceph.conf');
  const ceph = new CephConfig({ name: EntityAuthName.parse('osd.3'), file, environment: {} });
  const config = new RunningConfig(ceph, (options) => changes.push(options.osd_heartbeat_grace));
  return { config, changes };
}

test('default, monitors, file, operator: the later wins', () => {
  const { config, changes } = configOf('[osd]\nosd heartbeat interval = 3\n');
  const grace = 'osd_heartbeat_grace';
  assert.is(config.get(grace), '20');
  config.setFromMonitors(
    new Map([
      [grace, '30'],
      ['osd_heartbeat_interval', '9'],
      ['no_such_option', '1'],
    ]),
  );
  assert.is(config.get(grace), '30');
  assert.is(config.get('osd_heartbeat_interval'), '3', 'ceph.conf is nearer than the monitors');
  assert.equal(config.set(grace, '40'), { name: grace, needsRestart: false });
  config.setFromMonitors(new Map([[grace, '50']]));
  assert.is(config.get(grace), '40');
  assert.equal(changes, [30, 40]);
  const diff = config.diff();
  assert.equal([...diff.keys()].sort(), [grace, 'osd_heartbeat_interval']);
  assert.equal(diff.get(grace), { default: '20', value: '40', source: 'override' });
  assert.is(diff.get('osd_heartbeat_interval')!.source, 'file');
});

test('an option of the monitors that cannot be used is left at what it was', () => {
  const { config, changes } = configOf('');
  config.setFromMonitors(new Map([['osd_heartbeat_grace', 'soon']]));
  assert.is(config.get('osd_heartbeat_grace'), '20');
  assert.equal(changes, []);
  config.setFromMonitors(new Map([['osd_heartbeat_grace', '21']]));
  config.setFromMonitors(new Map());
  assert.is(config.get('osd_heartbeat_grace'), '20', 'what the monitors no longer say no longer holds');
});

test('a value that is refused changes nothing', () => {
  const { config, changes } = configOf('');
  for (const [name, value] of [
    ['osd_heartbeat_grace', 'soon'],
    ['osd_heartbeat_grace', '0'],
    ['no_such_option', '1'],
    ['public_addr', '10.0.0.1'],
  ] as const) {
    assert.throws(() => config.set(name, value), /option|named/);
  }
  assert.equal([config.get('osd_heartbeat_grace'), changes.length], ['20', 0]);
});

test('shows every option and no key', () => {
  const { config } = configOf(
    '[global]\nkey = AQBSdFhcAAAAABAAtopsecretopsecretopsec==\nosd data = /data/$id\n',
  );
  const shown = config.show();
  assert.is(shown.get('osd_heartbeat_grace'), '20');
  assert.is(shown.get('osd_data'), '/data/3');
  assert.is(config.get('key'), undefined);
  assert.not([...shown.values()].some((value) => value.includes('topsecret')));
  assert.ok(config.set('ms_tcp_nodelay', 'false').needsRestart);
});

test.run();
