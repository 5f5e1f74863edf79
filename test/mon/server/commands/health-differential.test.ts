/**
 * Two real OSDs at a real ceph-mon and two at ours, brought into the same trouble: status, health, versions
 * and places agree in everything that is not a time, an id or a version.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MonCommandError } from '../../../../src/mon/client/command-error.ts';
import type { MonCommand } from '../../../../src/mon/client/commands.ts';
import type { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';
import { clusterClient } from '../../../support/cluster-client.ts';
import { differences } from './differences.ts';

const shown: readonly MonCommand[] = [
  { prefix: 'status', format: 'json' },
  { prefix: 'health', format: 'json' },
  { prefix: 'health', detail: 'detail', format: 'json' },
  { prefix: 'health', detail: 'detail' },
  { prefix: 'status' },
  { prefix: 'node ls', format: 'json' },
  { prefix: 'versions', format: 'json' },
  { prefix: 'osd stat', format: 'json' },
];

/** Each, and then everything that is shown is compared. */
const steps: readonly (readonly MonCommand[])[] = [
  [],
  [
    { prefix: 'osd pool create', pool: 'data', pg_num: 8 },
    { prefix: 'osd set', key: 'noout' },
    { prefix: 'osd set', key: 'noscrub' },
    { prefix: 'osd set', key: 'noup' },
  ],
  [{ prefix: 'osd set-group', flags: 'nodown', who: ['osd.1'] }],
  [{ prefix: 'osd down', ids: ['0'] }],
  [{ prefix: 'health mute', code: 'OSD_DOWN', ttl: '1h' }],
  [
    { prefix: 'osd unset-group', flags: 'nodown', who: ['osd.1'] },
    { prefix: 'osd down', ids: ['1'] },
  ],
  [{ prefix: 'osd out', ids: ['0'] }],
  [
    { prefix: 'osd unset', key: 'noup' },
    { prefix: 'osd unset', key: 'noout' },
    { prefix: 'osd unset', key: 'noscrub' },
  ],
];

const excused =
  /(^|\.)(fsid|epoch|election_epoch|quorum_age|osd_up_since|osd_in_since|modified|ttl)$|^(mon|overall)\.(ceph|msgr2) version /;

async function outputOf(client: MonClient, command: MonCommand): Promise<string> {
  try {
    return (await client.command(command, { timeoutMs: 20_000 })).output.toString();
  } catch (error) {
    if (error instanceof MonCommandError) return error.message;
    throw error;
  }
}

async function compare(clients: readonly MonClient[]): Promise<string[]> {
  const problems: string[] = [];
  for (const command of shown) {
    const [real, ours] = await Promise.all(clients.map((client) => outputOf(client, command)));
    if (command.format === 'json') {
      for (const { ours: own, path, real: theirs } of differences(JSON.parse(real!), JSON.parse(ours!))) {
        if (excused.test(path)) continue;
        problems.push(
          `${command.prefix} ${path}\n    real ${JSON.stringify(theirs)}\n    ours ${JSON.stringify(own)}`,
        );
      }
    } else {
      const masked = [real!, ours!].map((text) =>
        text.replaceAll(/[\d.]+[smh]\b/g, 'AGE').replace(/id: .*/, 'id: FSID'),
      );
      if (masked[0] !== masked[1]) problems.push(`${command.prefix}\n    real ${real}\n    ours ${ours}`);
    }
  }
  return problems;
}

test('status and health of the same trouble', async () => {
  if (!requireCeph()) return;
  const options = {
    auth: 'cephx',
    osds: 2,
    conf: { mon_mgr_mkfs_grace: '3600' },
  } as const;
  const [real, ours] = await Promise.all([
    CephCluster.start(options),
    CephCluster.start({ ...options, monitor: 'ours' }),
  ]);
  const clients = [clusterClient(real).client, clusterClient(ours).client];
  try {
    for (const step of steps) {
      for (const command of step) {
        const [theirs, own] = await Promise.all(clients.map((client) => outputOf(client, command)));
        assert.is(own, theirs, JSON.stringify(command));
      }
      // A real one looks at its health on its tick, and OSDs boot when they notice: both come to rest.
      let problems = await compare(clients);
      for (let attempt = 0; problems.length > 0 && attempt < 40; attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        problems = await compare(clients);
      }
      assert.is(problems.length, 0, `after ${JSON.stringify(step)}\n${problems.join('\n')}`);
    }
  } finally {
    await Promise.all([...clients.map((client) => client.close()), real.stop(), ours.stop()]);
  }
});

test.run();
