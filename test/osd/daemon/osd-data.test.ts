/** An OSD's data folder: made once, opened by its own OSD only, by one process at a time. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MsgrError } from '../../../src/errors.ts';
import { makeOsdData, OsdData } from '../../../src/osd/store/osd-data.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

const data = suite<{ parent: string; folder: string }>('osd data');
const clusterFsid = Uuid.random();

data.before.each((context) => {
  context.parent = mkdtempSync(join(tmpdir(), 'msgr2-osd-data-'));
  context.folder = join(context.parent, 'osd', 'ceph-3');
});

data.after.each(({ parent }) => rmSync(parent, { recursive: true, force: true }));

async function failure(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    assert.instance(error, MsgrError);
    assert.is((error as MsgrError).code, 'ERR_MSGR_STORE');
    return (error as MsgrError).message;
  }
  throw new Error('it should have failed');
}

data('is made with what ceph-osd keeps there, and can be made twice', ({ folder }) => {
  const osdFsid = Uuid.random();
  const first = makeOsdData(folder, { whoami: 3, clusterFsid, osdFsid });
  assert.ok(first.isNew);
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
  assert.is(text('whoami'), '3\n');
  assert.is(text('fsid'), `${osdFsid}\n`);
  assert.is(text('ceph_fsid'), `${clusterFsid}\n`);
  assert.is(text('type'), 'msgr2\n');
  assert.is(statSync(join(folder, 'superblock')).mode & 0o777, 0o600);
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
    'nothing half written is left',
  );
  const second = makeOsdData(folder, { whoami: 3, clusterFsid });
  assert.not(second.isNew);
  assert.is(String(second.identity.osdFsid), String(osdFsid));
});

data('is not made over another OSD, another cluster, or a real ceph-osd', async ({ folder }) => {
  makeOsdData(folder, { whoami: 3, clusterFsid });
  const make = (whoami: number, fsid: Uuid, osdFsid?: Uuid) => () =>
    makeOsdData(folder, { whoami, clusterFsid: fsid, osdFsid });
  assert.match(await failure(make(4, clusterFsid)), /provided osd id 4 != superblock's 3/);
  assert.match(await failure(make(3, Uuid.random())), /provided cluster fsid/);
  assert.match(await failure(make(3, clusterFsid, Uuid.random())), /provided osd fsid/);
  writeFileSync(join(folder, 'type'), 'bluestore\n');
  assert.match(await failure(make(3, clusterFsid)), /type "bluestore", which is not for msgr2 to touch/);
  assert.match(await failure(() => OsdData.open(folder, 3)), /bluestore/);
});

data('keeps the superblock from one run to the next', async ({ folder }) => {
  makeOsdData(folder, { whoami: 3, clusterFsid });
  const first = await OsdData.open(folder, 3);
  assert.is(first.superblock.mounted, 0);
  first.saveSuperblock({ mounted: 17, cleanThru: 21, newestMap: 21 });
  await first.close();
  const second = await OsdData.open(folder, 3);
  assert.is(second.superblock.mounted, 17);
  assert.is(second.superblock.cleanThru, 21);
  assert.is(second.superblock.whoami, 3);
  await second.close();
});

data('is opened by one at a time', async ({ folder }) => {
  makeOsdData(folder, { whoami: 3, clusterFsid });
  const first = await OsdData.open(folder, 3);
  assert.match(await failure(() => OsdData.open(folder, 3)), /another OSD is running on/);
  await first.close();
  await (await OsdData.open(folder, 3)).close();
});

data('is not opened when it was not made, is another’s, or is damaged', async ({ folder }) => {
  assert.match(await failure(() => OsdData.open(folder, 3)), /holds no OSD: make it with/);
  makeOsdData(folder, { whoami: 3, clusterFsid });
  assert.match(await failure(() => OsdData.open(folder, 4)), /OSD id 3 != my id 4/);
  const superblock = readFileSync(join(folder, 'superblock'));
  for (let length = 0; length < superblock.byteLength; length++) {
    writeFileSync(join(folder, 'superblock'), superblock.subarray(0, length));
    assert.match(await failure(() => OsdData.open(folder, 3)), /superblock/);
  }
  const foreign = Buffer.from(superblock);
  foreign[6] = foreign[6]! ^ 0xff;
  writeFileSync(join(folder, 'superblock'), foreign);
  assert.match(await failure(() => OsdData.open(folder, 3)), /of another OSD/);
  writeFileSync(join(folder, 'superblock'), superblock);
  writeFileSync(join(folder, 'fsid'), 'no uuid\n');
  assert.match(await failure(() => OsdData.open(folder, 3)), /uuid/i);
});

data.run();
