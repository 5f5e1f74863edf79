/** The maps that a new cluster begins with are those of ceph-mon 16.2.15, byte for byte. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMonMap, encodeMonMap } from '../../../../src/maps/mon-map.ts';
import { decodeOsdMap, encodeOsdMap } from '../../../../src/maps/osdmap-codec.ts';
import { initialMonMap, initialOsdMap } from '../../../../src/mon/server/initial-maps.ts';
import { emptyMgrMap } from '../../../../src/mon/server/mgr-map.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { MMgrMap } from '../../../../src/wire/messages/m-mgr-map.ts';
import { fixtureMessages } from '../../../support/captures.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';

test('the empty MgrMap is what a recorded monitor sent', () => {
  const [recorded] = fixtureMessages(MMgrMap.type);
  assert.ok(recorded !== undefined, 'the recordings hold one');
  assert.is(Buffer.from(emptyMgrMap).toString('hex'), recorded!.front.toString('hex'));
});

if (requireCeph('the first maps of a real ceph-mon')) {
  test('monmap and osdmap of epoch 1, but for ids and times', async () => {
    await using cluster = await CephCluster.start();
    const paths = [join(cluster.folder, 'osdmap'), join(cluster.folder, 'monmap')] as const;
    await cluster.ceph('osd', 'getmap', '1', '-o', paths[0]);
    await cluster.ceph('mon', 'getmap', '1', '-o', paths[1]);
    const [osdMapBytes, monMapBytes] = [readFileSync(paths[0]), readFileSync(paths[1])];

    const { created, fsid, modified } = decodeOsdMap(osdMapBytes);
    const options = resolveOptions({ osd_crush_chooseleaf_type: 0 });
    const osdMap = initialOsdMap({ fsid, now: 0, options });
    const ours = encodeOsdMap({ ...osdMap, created, modified });
    assert.is(Buffer.from(ours).toString('hex'), osdMapBytes.toString('hex'));

    const theirs = decodeMonMap(monMapBytes);
    const addrs = EntityAddrVec.parse(cluster.monAddrs[0]!);
    const monMap = initialMonMap('a', addrs, { fsid: theirs.fsid, now: 0 });
    const { created: born, lastChanged } = theirs;
    const encoded = encodeMonMap({ ...monMap, created: born, lastChanged });
    assert.is(Buffer.from(encoded).toString('hex'), monMapBytes.toString('hex'));
  });
}

test.run();
