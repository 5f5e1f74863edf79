/**
 * A real monitor's own history: each change applied to the map before it must give the monitor's bytes.
 *
 * @timeLimitSeconds 240
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyIncrementalChecked } from '../../src/maps/apply.ts';
import { encodeCrushMap } from '../../src/maps/crush/codec.ts';
import { decodeIncremental, encodeIncremental } from '../../src/maps/incremental-codec.ts';
import { decodeOsdMap, encodeOsdMap } from '../../src/maps/osdmap-codec.ts';
import { Placement } from '../../src/maps/placement.ts';
import { formatOsdMap } from '../../src/maps/print.ts';
import { requireCeph } from '../support/ceph-cluster.ts';
import { haveCephTools, inTemporaryFolderAsync, runTool } from './support/ceph-tools.ts';
import { dumpPgs } from './support/differential.ts';
import { recordMonitorHistory } from './support/monitor-history.ts';

if (requireCeph('test/maps/monitor-history') && haveCephTools('test/maps/monitor-history')) {
  test('a session of a hundred epochs: decoded, encoded, applied and printed as Ceph does', () =>
    inTemporaryFolderAsync(async (folder) => {
      const history = await recordMonitorHistory(folder);
      assert.ok(history.length > 90, `only ${history.length} epochs`);
      let previous: ReturnType<typeof decodeOsdMap> | undefined;
      for (const { epoch, incremental, full } of history) {
        const change = decodeIncremental(incremental);
        assert.ok(incremental.equals(encodeIncremental(change)), `incremental ${epoch} encoded again`);
        const map = decodeOsdMap(full);
        assert.ok(full.equals(encodeOsdMap(map)), `osdmap ${epoch} encoded again`);
        assert.ok(
          Buffer.from(encodeCrushMap(map.crush)).equals(map.crushBytes),
          `crush of ${epoch} encoded again`,
        );
        if (previous !== undefined) {
          const { encoded } = applyIncrementalChecked(previous, change);
          assert.ok(full.equals(encoded), `epoch ${epoch} by its incremental`);
        }
        previous = map;

        const path = join(folder, 'osdmap');
        // Ceph keeps its blocklist unordered: maps with more than one entry print in no certain order.
        if (map.blocklist.size > 1 || epoch % 5 !== 0) continue;
        writeFileSync(path, full);
        assert.is(formatOsdMap(map), runTool(folder, 'osdmaptool', [path, '--print']), `print ${epoch}`);
        const dump = runTool(folder, 'osdmaptool', [path, '--test-map-pgs-dump-all']);
        const theirs = dump.split('\n').filter((line) => / raw /.test(line));
        assert.equal([...dumpPgs(new Placement(map))], theirs, `PGs of ${epoch}`);
      }
    }));
}

test.run();
