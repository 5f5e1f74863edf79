/**
 * docs/mon.md, "When one machine is outgrown": the commands that stand there, with the same flags, against
 * our monitor and against three ceph-mon processes, one of which is killed.
 *
 * @timeLimitSeconds 180
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCli, programEnvironment } from '../mon/server/support/monitor-process.ts';
import { CephCluster, type CephClusterOptions, requireCeph } from '../support/ceph-cluster.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The block of shell below the heading. */
function documentedCommands(): string[][] {
  const text = readFileSync(join(root, 'docs/mon.md'), 'utf8');
  const section = text.slice(text.indexOf('## When one machine is outgrown'));
  const [, block] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  assert.ok(block !== undefined, 'docs/mon.md has the commands');
  return block!
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

async function runDocumented(cluster: CephCluster, main: string): Promise<string[]> {
  const outputs: string[] = [];
  for (const words of documentedCommands()) {
    const [program, ...args] = words.map((word) => (word === 'ceph.conf' ? cluster.confPath : word));
    const isOurs = program === 'msgr2';
    const { stdout } = await run(isOurs ? process.execPath : program!, isOurs ? [main, ...args] : args, {
      timeout: 60_000,
      env: programEnvironment,
    });
    outputs.push(stdout.trim());
  }
  return outputs;
}

const kinds: Record<string, CephClusterOptions> = {
  'our monitor': { monitor: 'ours', auth: 'cephx' },
  'three ceph-mon': { mons: 3, auth: 'cephx' },
};

if (requireCeph('one monitor of ours and three of Ceph')) {
  const program = compileCli();
  test.after(() => program.remove());
  for (const [kind, options] of Object.entries(kinds)) {
    test(`${kind}: the documented commands`, async () => {
      await using cluster = await CephCluster.start(options);
      const mons = options.mons ?? 1;
      const check = async (): Promise<void> => {
        const outputs = await runDocumented(cluster, program.main);
        assert.ok(outputs[0]!.includes(cluster.fsid), outputs[0]);
        assert.is(outputs[3], 'hello');
        assert.match(outputs[4]!, new RegExp(`mon: ${mons} daemons`));
      };
      await check();
      if (mons === 1) return;
      await cluster.killMon('a');
      await cluster.untilQuorum(mons - 1, ['b', 'c']);
      await check();
    });
  }
}
test.run();
