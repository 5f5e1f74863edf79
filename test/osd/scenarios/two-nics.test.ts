/**
 * OSDs on two NICs, beside a real ceph-mon, in network namespaces: what breaks is seen, named, and mended; what
 * does not break is left alone. `scripts/osd-scenarios.ts` measures the same with Ceph's own intervals.
 *
 * @timeLimitSeconds 300
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requireCeph } from '../../support/ceph-cluster.ts';
import { requireNetworkLab } from '../../support/network-lab/lab.ts';
import { runTrial, scenarios } from './scenarios.ts';
import { TwoNicCluster } from './two-nic-cluster.ts';

const test = suite('two NICs');
const graceSeconds = 4;
/** The rest differ in degree only; the script has them all. */
const chosen = [
  'process killed',
  'host frozen',
  'front NIC down',
  'back NIC down',
  'loss 5 %',
  'delay 200 ms ± 100',
  'MTU black hole at 1500',
];

if (requireCeph('OSDs on two NICs') && (await requireNetworkLab('OSDs on two NICs'))) {
  let cluster: TwoNicCluster;
  test.before(async () => {
    cluster = await TwoNicCluster.start({
      osds: 4,
      conf: {
        'osd heartbeat interval': '1',
        'osd heartbeat grace': String(graceSeconds),
        'mon osd adjust heartbeat grace': 'false',
        'osd max markdown count': '1000',
      },
    });
  });
  test.after(() => cluster?.close());

  for (const [index, name] of chosen.entries()) {
    const scenario = scenarios.find((each) => each.name === name)!;
    test(name, async () => {
      const victim = index % cluster.osds.length;
      // What must happen is waited for; what must not has two graces in which it could.
      const watchMs = scenario.isDown ? 60_000 : 2000 * graceSeconds;
      const trial = await runTrial(cluster, scenario, victim, watchMs);
      assert.is(trial.detectedMs !== undefined, scenario.isDown, 'marked down');
      assert.is(trial.namedMs !== undefined, scenario.named !== undefined, 'the NIC is named');
      assert.equal(trial.falselyDown, []);
      assert.is(trial.falseReports, 0);
    });
  }
}

test.run();
