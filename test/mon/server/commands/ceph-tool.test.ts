/** The real `ceph` against our monitor, with cephx in secure mode and without authentication. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';

const questions = [
  'status',
  'health detail',
  'auth ls',
  'log hello from the tool',
  'log last 2',
  'config set osd osd_heartbeat_grace 25',
  'config dump',
  'versions',
  'mon dump',
  'auth get-or-create client.tool mon "allow r" osd "allow rw pool=data"',
  'fsid',
];

const expected: readonly RegExp[] = [
  /health: HEALTH_OK/,
  /mon: 1 daemons, quorum a \(age/,
  /\[client\.tool\]\n\tkey = /,
  /client\.admin\n\tkey: /,
  /\[INF\] hello from the tool/,
  /osd {6,}advanced +osd_heartbeat_grace +25/,
  /"msgr2 version /,
  /0: v2:127\.[\d.]+:3300\/0 mon\.a/,
];

for (const options of [{ auth: 'cephx', mode: 'secure' }, { auth: 'none' }] as const) {
  const title = options.auth === 'none' ? 'no authentication' : 'cephx, secure mode';
  test(`the ceph tool, ${title}`, async () => {
    if (!requireCeph()) return;
    await using cluster = await CephCluster.start({ ...options, monitor: 'ours' });
    const [answers, pong, version, refusal] = await Promise.all([
      cluster.cephWithInput(`${questions.join('\n')}\n`),
      cluster.ceph('ping', 'mon.a'),
      cluster.ceph('tell', 'mon.a', 'version'),
      cluster.ceph('osd', 'perf').catch(String),
    ]);
    for (const pattern of expected) assert.match(answers, pattern);
    assert.ok(answers.includes(cluster.fsid));
    assert.match(version, /"release": "pacific"/);
    // Where a real monitor without a manager lets the tool wait for ever.
    assert.match(refusal, /'osd perf' is answered by a manager, and this cluster has none/);
    const { health, mon_status: status } = JSON.parse(pong);
    assert.is(health.status, 'HEALTH_OK');
    assert.is(status.state, 'leader');
  });
}

test.run();
