/**
 * A real monitor's OSDMaps: every epoch whole and as the change that led to it, after an operator's session
 * that touches as much of the map as one monitor and three OSDs allow.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CephCluster } from '../../support/ceph-cluster.ts';
import { runTool } from './ceph-tools.ts';

/** One per line; each makes at least one epoch. */
const commands = `
osd pool create one 8 8
osd pool create two 7 5
osd pool set one size 2
osd pool set two pg_autoscale_mode off
osd pool set two nodelete 1
osd pool set two nodelete 0
osd pool application enable one rbd
osd pool application set one rbd key value
osd pool set-quota one max_bytes 1000000
osd pool set two compression_mode aggressive
osd pool set two compression_required_ratio 0.7
osd pool set two scrub_min_interval 100
osd pool set two recovery_priority 5
osd pool mksnap one snap1
osd pool mksnap one snap2
osd pool rmsnap one snap1
osd erasure-code-profile set ec21 k=2 m=1 crush-failure-domain=osd
osd erasure-code-profile set ec22 k=2 m=2 crush-failure-domain=osd
osd pool create ecpool 8 8 erasure ec21
osd erasure-code-profile rm ec22
osd crush rule create-replicated rr default osd
osd crush reweight osd.0 2.5
osd reweight 1 0.5
osd reweight 1 1
osd primary-affinity 2 0.25
osd primary-affinity 1 0
osd set-require-min-compat-client luminous
osd pg-upmap 1.1 2 0
osd pg-upmap-items 1.2 0 1
osd pg-upmap-items 1.3 1 2
osd rm-pg-upmap 1.1
osd rm-pg-upmap-items 1.2
osd pg-temp 1.4 1 2
osd primary-temp 1.5 2
osd pg-temp 1.4
osd blocklist add 1.2.3.4:0/123 1000
osd blocklist add 1.2.3.5:0/124 2000
osd blocklist add 1.2.3.5:0/124 3000
osd blocklist rm 1.2.3.4:0/123
osd set noout
osd unset noout
osd set-full-ratio 0.97
osd set-nearfull-ratio 0.86
osd set-backfillfull-ratio 0.91
osd out 2
osd in 2
osd set-group noup,noin osd.1
osd unset-group noup,noin osd.1
osd set-group noout default
osd set-group nodown hdd
osd unset-group noout default
osd crush rm-device-class osd.1
osd crush set-device-class fast osd.1
osd crush rule create-replicated fastrule default osd fast
osd crush weight-set create-compat
osd crush weight-set reweight-compat osd.0 1.5
osd crush weight-set create one flat
osd crush weight-set reweight one osd.1 0.7
osd crush tunables bobtail
osd crush tunables optimal
osd pool rename two zwei
osd pool set one pg_num 16
osd tier add one zwei
osd tier cache-mode zwei writeback
osd tier set-overlay one zwei
osd pool set zwei hit_set_type bloom
osd pool set zwei hit_set_count 4
osd pool set zwei target_max_bytes 100000
osd tier remove-overlay one
osd tier cache-mode zwei proxy
osd tier remove one zwei
osd down 0
osd pool rm zwei zwei --yes-i-really-really-mean-it
osd pool set one pg_num_min 4
osd setmaxosd 10
osd setmaxosd 5
osd new 8d2cf1a0-75ba-4b3f-9d6a-bf8b5ef51234
osd destroy-actual 3 --yes-i-really-mean-it
osd purge-actual 3 --yes-i-really-mean-it
`
  .trim()
  .split('\n');

/** After osd.2 was killed. */
const funeral = [
  'osd down 2',
  'osd lost 2 --yes-i-really-mean-it',
  'osd destroy-actual 2 --yes-i-really-mean-it',
  'osd purge-actual 2 --yes-i-really-mean-it',
];

export interface Epoch {
  readonly epoch: number;
  readonly incremental: Buffer;
  readonly full: Buffer;
}

/** Boots a cluster, runs the session, stops the monitor and reads its store. `folder` is for files. */
export async function recordMonitorHistory(folder: string): Promise<Epoch[]> {
  const cluster = await CephCluster.start({
    osds: 3,
    conf: {
      'mon allow pool delete': 'true',
      'mon allow pool size one': 'true',
      'mon max pg per osd': '1000',
    },
  });
  try {
    await runCommands(cluster, commands);
    await cluster.killOsd(2);
    await runCommands(cluster, funeral);
    const { epoch: last } = await cluster.osdDump();
    await cluster.killMon('a', 'SIGTERM');
    const store = join(cluster.folder, 'mon.a', 'store.db');
    return Array.from({ length: last }, (_, index) => ({
      epoch: index + 1,
      incremental: readStore(folder, store, String(index + 1)),
      full: readStore(folder, store, `full_${index + 1}`),
    }));
  } finally {
    await cluster.stop();
  }
}

/** One `ceph` process for all: starting one takes longer than twenty commands. */
async function runCommands(cluster: CephCluster, lines: readonly string[]): Promise<void> {
  const child = spawn('ceph', ['-c', cluster.confPath, '--connect-timeout', '30'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  const refused = errors.split('\n').filter((line) => line.startsWith('Error '));
  if (code !== 0 || refused.length > 0) throw new Error(`ceph: exit ${code}\n${refused.join('\n')}`);
}

function readStore(folder: string, store: string, key: string): Buffer {
  const path = join(folder, 'value');
  runTool(folder, 'ceph-kvstore-tool', ['rocksdb', store, 'get', 'osdmap', key, 'out', path]);
  return readFileSync(path);
}
