/** The configuration of one entity: precedence, metavariables, typed options, monitors, keyrings, files. */
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephConfig, type CephConfigInit, parseGiven } from '../../src/config/ceph-config.ts';
import { ConfFile, clusterOf } from '../../src/config/conf-file.ts';
import { optionNamed, parseOption } from '../../src/config/option-text.ts';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { EntityAuthName } from '../../src/wire/entity-name.ts';
import { ConfFolder } from './support/ceph-conf.ts';

function config(text: string, name = 'client.admin', more: Partial<CephConfigInit> = {}): CephConfig {
  return new CephConfig({ name: EntityAuthName.parse(name), file: ConfFile.parse(text, 'f.conf'), ...more });
}

function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.instance(error, MsgrError);
    return (error as MsgrError).code;
  }
  throw new Error('did not throw');
}

test('the entity before its type before global, and what is given by hand before all', () => {
  const text = '[global]\na = g\nb = g\nc = g\nd = g\n[osd]\nb = t\nc = t\nd = t\n[osd.3]\nc = e\nd = e\n';
  const osd = config(text, 'osd.3', { given: { d: 'h' } });
  assert.equal(
    ['a', 'b', 'c', 'd', 'e'].map((key) => osd.get(key)),
    ['g', 't', 'e', 'h', undefined],
  );
  assert.is(config(text, 'osd.4').get('c'), 't');
  assert.is(config(text).get('c'), 'g');
  assert.is(osd.whereSet('b'), 'f.conf:7');
  assert.is(osd.whereSet('d'), 'option d');
  assert.is(osd.whereSet('e'), undefined);
});

test('metavariables', () => {
  const text = '[global]\nhost = h\na = $cluster $type $id $name $host $num!\nb = $a!\nc = $c $d\nd = $c\n';
  const osd = config(text, 'osd.3', { cluster: 'x' });
  assert.is(osd.get('a'), 'x osd 3 osd.3 h 3!');
  assert.is(osd.get('b'), 'x osd 3 osd.3 h 3!!');
  assert.is(osd.get('c'), '$c $c', 'a circle ends where it began');
  assert.is(osd.get('admin_socket'), '/var/run/ceph/x-osd.3.asok');
  assert.is(config('[global]\na = $pid\n').get('a'), String(process.pid));
});

test('options are typed by the table; what is refused is told, and the rest stands', () => {
  const read = config(
    '[global]\nms tcp nodelay = false\nms dispatch throttle bytes = 10M\nms max backoff = 1.5\nclient mount timeout = 1h 30m\nms bind ipv6 = yes\nms async op threads = 3\nsome other option = x\n',
  );
  assert.equal(read.options, {
    ms_tcp_nodelay: false,
    ms_dispatch_throttle_bytes: 10 << 20,
    ms_max_backoff: 1.5,
    client_mount_timeout: 5400,
  });
  assert.is(read.warnings.length, 2);
  assert.match(read.warnings.join('\n'), /^f\.conf:6: option ms_bind_ipv6 takes true or false, not "yes"$/m);
  assert.match(
    read.warnings.join('\n'),
    /^f\.conf:7: option ms_async_op_threads must be from 0 to 1, not 3$/m,
  );
  assert.is(read.get('some other option'), 'x');
  const typed = config('', 'client.admin', { given: { ms_bind_ipv6: 'yes' } });
  assert.is(
    codeOf(() => typed.options),
    ErrorCode.InvalidArgument,
  );
});

test('options by name: dashes and blanks too', () => {
  assert.is(optionNamed('ms-tcp nodelay'), 'ms_tcp_nodelay');
  assert.is(optionNamed('toString'), undefined);
  assert.is(
    codeOf(() => parseOption('ms_busy_poll_us', '9007199254740993')),
    ErrorCode.InvalidArgument,
  );
  assert.equal(parseGiven('a b = c=d'), ['a b', 'c=d']);
  assert.is(
    codeOf(() => parseGiven('x')),
    ErrorCode.InvalidArgument,
  );
});

test('a key is shown to nobody but those who ask for it', () => {
  const secret = 'AQBxxFpnSECRETSECRET==';
  const holder = config(`[client.admin]\nkey = ${secret}\n`, 'client.admin', { given: { key: secret } });
  assert.is(holder.get('key'), secret);
  assert.is(
    inspect(holder, { depth: 9, showHidden: true }),
    'CephConfig of client.admin in ceph, ConfFile f.conf [client.admin]',
  );
  for (const text of [`key = ${secret}\na = 1\n`, `[g]\na = 1\nkey SECRET\n`, `a = 1\nKey=${secret}\n`]) {
    try {
      config(text);
      assert.unreachable(text);
    } catch (error) {
      assert.not.match(String(error), /SECRET/);
      assert.match(String(error), /f\.conf:\d/);
    }
  }
});

test('monitors: mon host, else the mon addr of each [mon.x]', () => {
  assert.is(config('[global]\nmon host = a, b\n[mon.x]\nmon addr = c\n').monHost, 'a, b');
  const sections =
    '[mon.x]\nmon addr = 10.0.0.1:6789\n[mon]\nmon addr = no\n[mon.y]\nmon_addr = 10.0.0.2:3300\n';
  assert.is(config(sections).monHost, '10.0.0.1:6789,10.0.0.2:3300');
  assert.is(config('[global]\nfsid = x\n').monHost, undefined);
});

test('keyrings: the default places, or those of the option', () => {
  assert.equal(config('', 'client.admin').keyringPaths, [
    '/etc/ceph/ceph.client.admin.keyring',
    '/etc/ceph/ceph.keyring',
    '/etc/ceph/keyring',
    '/etc/ceph/keyring.bin',
  ]);
  assert.equal(config('', 'osd.3').keyringPaths, ['/var/lib/ceph/osd/ceph-3/keyring']);
  assert.equal(config('[client]\nkeyring = /a/$name , /b\n').keyringPaths, ['/a/client.admin', '/b']);
});

test('files: what is named must be there, what is looked for need not', () => {
  using folder = new ConfFolder();
  const name = EntityAuthName.parse('client.admin');
  const own = folder.write('[global]\na = own $cluster\n', 'own.conf');
  const environment = { HOME: folder.path };
  const load = (more: object): CephConfig => CephConfig.load({ name, environment, ...more });

  assert.is(load({ conf: own }).get('a'), 'own own', 'the cluster is named as the file');
  assert.is(load({ conf: own, cluster: 'x' }).get('a'), 'own x');
  assert.is(load({ conf: `${folder.path}/none.conf,${own}` }).get('a'), 'own own');
  assert.is(load({ conf: `${folder.path}/$cluster.conf`, cluster: 'own' }).get('a'), 'own own');
  assert.is(load({ environment: { ...environment, CEPH_CONF: own } }).get('a'), 'own ceph');
  assert.throws(
    () => load({ conf: `${folder.path}/none.conf` }),
    /no ceph\.conf can be opened: .*none\.conf \(ENOENT\)/,
  );

  const found = load({ cluster: 'no-such-cluster' });
  assert.is(found.file.path, '');
  assert.is(found.searched[0], '/etc/ceph/no-such-cluster.conf');
  assert.is(found.searched[1], `${folder.path}/.ceph/no-such-cluster.conf`);
  assert.is(
    codeOf(() => load({ conf: folder.write(Buffer.from([0x5b, 0xff, 0x5d, 0x0a])) })),
    ErrorCode.Malformed,
  );
  assert.is(clusterOf('/etc/ceph/a.b.conf'), 'a.b');
  assert.is(clusterOf('/etc/ceph/conf'), 'ceph');
});

test.run();
