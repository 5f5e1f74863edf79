/** Options by section and mask, and what is kept of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CephOption,
  cephOption,
  cephOptions,
  checkValue,
} from '../../../../src/mon/server/config/ceph-options.ts';
import { configFor, configKey, parseConfigKey } from '../../../../src/mon/server/config/config-map.ts';
import { ConfigService } from '../../../../src/mon/server/config/config-service.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { ServiceBench } from '../support/service-bench.ts';

const osd3 = {
  entity: EntityAuthName.parse('osd.3'),
  location: new Map([
    ['root', 'default'],
    ['rack', 'r1'],
    ['host', 'a'],
  ]),
  deviceClass: 'ssd',
};

/** Value of option `o` for osd.3 under these keys. */
function winner(...keys: string[]): string | undefined {
  return configFor(
    keys.map((key) => parseConfigKey(`${key}/o`, key)),
    osd3,
  ).get('o')?.value;
}

const winners: readonly [winner: string | undefined, ...keys: string[]][] = [
  ['global', 'global'],
  ['osd', 'osd', 'global'],
  ['osd.3', 'osd.3', 'osd', 'global'],
  ['osd', 'osd.4', 'osd', 'mon'],
  [undefined, 'osd.4', 'mon', 'osd/host:b', 'osd/class:hdd', 'osd.30'],
  // A mask wins within its section, and not beyond it.
  ['osd/host:a', 'osd/host:a', 'osd'],
  ['osd.3', 'osd.3', 'osd/host:a'],
  ['osd/host:a', 'osd/rack:r1', 'osd/host:a', 'osd/root:default'],
  ['osd/rack:r1', 'osd/rack:r1', 'osd/root:default'],
  ['osd/class:ssd', 'osd/class:ssd', 'osd'],
  ['osd', 'global/host:a', 'osd'],
];

for (const [expected, ...keys] of winners) {
  test(`of ${keys.join(', ')}: ${expected ?? 'none'}`, () => {
    assert.is(winner(...keys), expected);
    assert.is(winner(...keys.reverse()), expected);
  });
}

test('client.rgw holds for client.rgw.a, and client.rgw.a wins', () => {
  const entries = ['client', 'client.rgw', 'client.rgw.a'].map((key) => parseConfigKey(`${key}/o`, key));
  const value = (name: string, from = entries) =>
    configFor(from, { entity: EntityAuthName.parse(name) }).get('o')?.value;
  assert.is(value('client.rgw.a'), 'client.rgw.a');
  assert.is(value('client.rgw.b'), 'client.rgw');
  assert.is(value('client.rgwx'), 'client');
});

test('keys of the store and back', () => {
  for (const [section, mask, option] of [
    ['global', '', 'o'],
    ['osd', 'host:a', 'o'],
    ['osd.3', 'class:ssd/host:a', 'o'],
  ] as const) {
    const key = configKey(section, mask, option);
    const { mask: readMask, option: readOption, section: readSection } = parseConfigKey(key, 'v');
    assert.equal([readSection, readMask, readOption], [section, mask, option]);
  }
});

test('durable with the proposal, and back after a start', async () => {
  const bench = new ServiceBench();
  const config = new ConfigService({ store: bench.store, proposer: bench });
  let commits = 0;
  config.onCommit(() => commits++);
  void config.set('osd/debug_osd', '10/10');
  void config.set('osd/o', '1');
  void config.setKey('a/b', Buffer.from([1, 2]));
  assert.is(config.entry('osd/debug_osd'), undefined);
  await bench.commit(config);
  void config.set('osd/o', undefined);
  await bench.commit(config);
  assert.is(commits, 2);
  for (const service of [config, new ConfigService({ store: bench.store, proposer: bench })]) {
    assert.equal([...service.configFor(osd3)], [['debug_osd', '10/10']]);
    assert.equal(service.keys(), ['a/b']);
    assert.equal(Buffer.from(service.key('a/b')!), Buffer.from([1, 2]));
    assert.is(service.version, 4);
  }
});

test('versions: one for each change, none for what changes nothing; back to any of them', async () => {
  const bench = new ServiceBench();
  const config = new ConfigService({ store: bench.store, proposer: bench, wallMs: () => 1000 });
  void config.set('osd/a', '1');
  void config.set('osd/a', '1');
  void config.set('osd/a', '2');
  void config.set('osd/a', '1');
  await bench.commit(config);
  void config.setAll(
    [
      ['osd/b', '3'],
      ['osd/a', undefined],
      ['osd/c', undefined],
    ],
    'both',
  );
  await bench.commit(config);
  assert.is(config.version, 5);
  assert.equal(config.history.at(-1), {
    version: 5,
    stampMs: 1000,
    name: 'both',
    changes: [
      { key: 'osd/a', before: '1', after: undefined },
      { key: 'osd/b', before: undefined, after: '3' },
    ],
  });
  const values = (service: ConfigService) => [...service.entries].map(({ key, value }) => `${key}=${value}`);
  for (const [version, expected] of [
    [3, ['osd/a=2']],
    [5, ['osd/b=3']],
    [1, []],
    [4, ['osd/a=1']],
    [0, []],
  ] as const) {
    const done = config.resetTo(version);
    await bench.commit(config);
    assert.ok(await done);
    assert.equal(values(config), expected, `version ${version}`);
  }
  assert.not(await config.resetTo(99));
  const restarted = new ConfigService({ store: bench.store, proposer: bench });
  assert.equal(restarted.history.length, config.history.length);
  assert.is(restarted.version, 10);
});

test('old versions are forgotten, in memory and in the store', async () => {
  const bench = new ServiceBench();
  const config = new ConfigService({ store: bench.store, proposer: bench });
  for (let value = 0; value < 1200; value++) void config.set('osd/a', String(value));
  await bench.commit(config);
  assert.is(config.history.length, 1000);
  assert.is([...bench.store.keys('config-history')].length, 1000);
  const restarted = new ConfigService({ store: bench.store, proposer: bench });
  assert.is(restarted.history.length, 1000);
  assert.is(restarted.history[0]!.version, config.history[0]!.version);
  assert.not(await config.resetTo(5));
});

// ── Ceph's options ───────────────────────────────────────────────────────────────────────────────────

test('the table holds what Ceph 16 has', () => {
  assert.ok(cephOptions().size > 1700);
  const types = new Set([...cephOptions().values()].map(({ type }) => type));
  assert.equal([...types].sort(), [
    'addr',
    'addrvec',
    'bool',
    'float',
    'int',
    'log',
    'millisecs',
    'secs',
    'size',
    'str',
    'uint',
    'uuid',
  ]);
  assert.equal(
    (({ default: value, isNeverKept, isRuntime, level, type }: CephOption) => [
      type,
      level,
      isRuntime,
      isNeverKept,
      value,
    ])(cephOption('osd_heartbeat_grace')!),
    ['int', 'advanced', true, false, '20'],
  );
  assert.ok(cephOption('mon_host')!.isNeverKept);
  assert.is(cephOption('mon_osd_min_in_ratio')!.type, 'float');
  assert.is(cephOption('debug_ms')!.type, 'log');
});

const kept: readonly [option: string, given: string, value: string][] = [
  ['debug_osd', '10', '10/10'],
  ['debug_osd', '1/20', '1/20'],
  ['osd_heartbeat_grace', '30', '30'],
  ['rgw_thread_pool_size', '4K', '4000'],
  ['mds_cache_memory_limit', '4G', '4294967296'],
  ['mds_cache_memory_limit', '1GiB', '1073741824'],
  ['mon_osd_min_in_ratio', '.5', '0.500000'],
  ['mon_allow_pool_delete', 'yes', 'true'],
  ['mon_allow_pool_delete', '0', 'false'],
  ['osd_pool_default_pg_autoscale_mode', 'warn', 'warn'],
];
for (const [option, given, value] of kept) {
  test(`${option} = ${given} is kept as ${value}`, () => {
    const checked = checkValue(cephOption(option)!, given);
    assert.equal(checked, { value });
  });
}

const refused: readonly [option: string, given: string][] = [
  ['debug_osd', 'x'],
  ['debug_osd', '1/2/3'],
  ['osd_heartbeat_grace', 'x'],
  ['osd_heartbeat_grace', '9'.repeat(30)],
  ['rgw_thread_pool_size', '4X'],
  ['mon_osd_min_in_ratio', 'half'],
  ['mon_allow_pool_delete', 'perhaps'],
  ['osd_pool_default_pg_autoscale_mode', 'sometimes'],
];
for (const [option, given] of refused) {
  test(`${option} = ${given.slice(0, 10)} is refused`, () => {
    assert.type(checkValue(cephOption(option)!, given).problem, 'string');
  });
}

test.run();
