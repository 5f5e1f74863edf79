/**
 * How long a monitor takes to start on a long history.
 *
 *     node --import tsx scripts/mon-start.ts [--epochs 100000] [--osds 3]
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Monitor } from '../src/mon/server/monitor.ts';
import { LmdbStore } from '../src/mon/server/store/lmdb-store.ts';
import { addEpochs } from '../test/mon/server/support/long-history.ts';
import { compileCli, startMonitorProcess } from '../test/mon/server/support/monitor-process.ts';
import { seedStore } from '../test/mon/server/support/seeded-store.ts';

const { values } = parseArgs({
  options: { epochs: { type: 'string', default: '100000' }, osds: { type: 'string', default: '3' } },
});
const epochs = Number(values.epochs);
const folder = mkdtempSync(join(tmpdir(), 'msgr2-start-'));
const data = join(folder, 'data');
const options = {
  auth_cluster_required: 'none',
  auth_service_required: 'none',
  auth_client_required: 'none',
};
const since = (startMs: number): string => `${Math.round(performance.now() - startMs)} ms`;
const program = compileCli();
try {
  await seedStore(
    { data, publicAddr: `127.${randomInt(16, 250)}.${randomInt(1, 250)}.1`, options },
    Number(values.osds),
  );
  const writingMs = performance.now();
  const store = await LmdbStore.open(data);
  await addEpochs(store, epochs);
  await store.close();
  const mib = Math.round(statSync(join(data, 'store.lmdb')).size / 2 ** 20);
  console.log(`${epochs} epochs, ${mib} MiB, written in ${since(writingMs)}`);
  for (let turn = 0; turn < 3; turn++) {
    const startMs = performance.now();
    const monitor = await Monitor.start({ data, options });
    console.log(`Monitor.start: ${since(startMs)}, at epoch ${monitor.osdMap.epoch}`);
    await monitor.close();
  }
  for (let turn = 0; turn < 3; turn++) {
    const monitor = startMonitorProcess(program.main, data, options);
    console.log(`msgr2 mon, from its exec to its line: ${Math.round(await monitor.ready)} ms`);
    monitor.child.kill('SIGTERM');
    await monitor.gone;
  }
} finally {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
}
