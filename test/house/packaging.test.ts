/** What is packaged for bare metal: the example ceph.conf is read without a complaint, the unit is a unit. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephConfig } from '../../src/config/ceph-config.ts';
import { optionTable } from '../../src/options.ts';
import { EntityAuthName } from '../../src/wire/entity-name.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('every option of the example ceph.conf is known, those in comments too, and taken', () => {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-packaging-'));
  const text = read('packaging/ceph.conf.example').replaceAll(/^# (osd [a-z ]+ = )/gm, '$1');
  const conf = join(folder, 'ceph.conf');
  writeFileSync(conf, text);
  const config = CephConfig.load({ name: EntityAuthName.parse('osd.3'), conf, environment: {} });
  assert.equal(config.warnings, []);
  const names = [...text.matchAll(/^([a-z][a-z ]*?) = /gm)].map(([, name]) => name!.replaceAll(' ', '_'));
  assert.ok(names.length > 10);
  // Those that are of the cluster, and no option of a daemon's behaviour.
  const others = ['fsid', 'mon_host', 'public_network', 'cluster_network'];
  const unknown = names.filter((name) => !(name in optionTable) && !others.includes(name));
  assert.equal(unknown, []);
  for (const name of others) assert.ok(config.get(name), name);
  rmSync(folder, { recursive: true });
});

test('options and metrics that the page on bare metal names exist', () => {
  const page = read('docs/bare-metal.md');
  const options = [...page.matchAll(/`(osd [a-z ]+?)(?: = [^`]*)?`/g)].map(([, name]) =>
    name!.replaceAll(' ', '_'),
  );
  assert.ok(options.length > 3);
  assert.equal(
    options.filter((name) => !(name in optionTable)),
    [],
  );
  const metrics = [...page.matchAll(/\b(msgr2_[a-z_]+)/g)].map(([, name]) => name!);
  const source = read('src/osd/admin/metrics.ts');
  const missing = metrics.filter(
    (name) => !source.includes(name.replace('msgr2_heartbeat_failures', 'failures')),
  );
  assert.equal(missing, []);
});

if (existsSync('/usr/bin/systemd-analyze')) {
  test('systemd takes the unit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'msgr2-packaging-'));
    const unit = join(folder, 'msgr2-osd@3.service');
    writeFileSync(unit, read('packaging/msgr2-osd@.service'));
    const output = execFileSync('systemd-analyze', ['verify', unit], { encoding: 'utf8', stdio: 'pipe' });
    assert.is(output.trim(), '');
    rmSync(folder, { recursive: true });
  });
}

test.run();
