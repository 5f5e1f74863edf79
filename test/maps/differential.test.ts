/**
 * A small run of scripts/maps-differential.ts: generated clusters placed by osdmaptool, crushtool and us.
 *
 * @timeLimitSeconds 240
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { haveCephTools, inTemporaryFolder } from './support/ceph-tools.ts';
import { compareCluster } from './support/differential.ts';

/** Seeds of their own, so that the long run sees other clusters. */
const seedFirst = 100_001;
const clusters = 24;

if (haveCephTools('test/maps/differential')) {
  test(`${clusters} clusters, every placement as Ceph's`, () => {
    inTemporaryFolder((folder) => {
      let placements = 0;
      for (let seed = seedFirst; seed < seedFirst + clusters; seed++) {
        const { pgs, inputs, differences } = compareCluster(seed, folder, {
          osdsMax: 200,
          pgs: 400,
          inputs: 40,
        });
        assert.equal(differences, []);
        placements += pgs + inputs;
      }
      assert.ok(placements > 10_000, `only ${placements} placements`);
    });
  });

  test('a difference would be seen (a canary)', () => {
    inTemporaryFolder((folder) => {
      const spoil = (line: string): string => line.replace('acting ([', 'acting ([7,');
      const { differences } = compareCluster(seedFirst, folder, { osdsMax: 20, pgs: 50, inputs: 5 }, spoil);
      assert.ok(differences.length > 0);
    });
  });
}

test.run();
