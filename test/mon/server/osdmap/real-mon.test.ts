/**
 * The same messages to a real ceph-mon and to our rules: the same maps, epoch after epoch, in every field that
 * is not a time. Ours start from the real one's map.
 */
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isUp } from '../../../../src/maps/osdmap.ts';
import { Placement } from '../../../../src/maps/placement.ts';
import { MOSDAlive } from '../../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../../src/wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../../src/wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../../src/wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreate2 } from '../../../../src/wire/messages/m-osd-pg-create2.ts';
import { MOSDPGTemp } from '../../../../src/wire/messages/m-osd-pg-temp.ts';
import { utimeZero } from '../../../../src/wire/utime.ts';
import { requireCeph } from '../../../support/ceph-cluster.ts';
import { withTimeout } from '../../../support/timeout.ts';
import { Comparison, stepTimeoutMs } from './comparison.ts';
import type { OsdActor } from './osd-actor.ts';

function shape(line: string): string {
  return line.replaceAll(/\d+(\.\d+)?/g, '#').replaceAll(/\[|\]/g, '');
}

const real = suite('the rules beside a real ceph-mon');
let both: Comparison;

if (requireCeph('the rules beside a real ceph-mon')) {
  real.before(async () => {
    both = await Comparison.start().catch((e) => {
      console.log('START', e);
      throw e;
    });
  });
  real.after(() => both?.[Symbol.asyncDispose]());

  real('boots, one after the other', async () => {
    await both.begin();
    for (const actor of both.actors) {
      await both.send(actor, MOSDBoot, actor.bootMessage(both.map.epoch));
      await both.same();
    }
    assert.equal(
      both.actors.map(({ id }) => isUp(both.map, id)),
      [true, true, true, true],
    );
  });

  real('up_thru, asked for and there already', async () => {
    await both.begin();
    const [osd] = both.actors;
    await both.send(osd!, MOSDAlive, { paxosVersion: BigInt(both.map.epoch), want: both.map.epoch });
    const { epoch } = await both.same();
    await both.send(osd!, MOSDAlive, { paxosVersion: BigInt(epoch), want: epoch - 1 });
    await both.still();
  });

  real('silence: one report, the second, and the boot of one that never stopped', async () => {
    await both.begin();
    const [target, first, second] = both.actors as [OsdActor, OsdActor, OsdActor];
    await both.send(first, MOSDFailure, first.failureMessage(target, both.map.epoch, 1));
    await both.still();
    await both.send(second, MOSDFailure, second.failureMessage(target, both.map.epoch, 1));
    const down = await both.same();
    assert.not(isUp(down, target.id));
    const bootEpoch = down.osdInfo[0]!.upFrom;
    await both.send(target, MOSDBoot, target.bootMessage(down.epoch, { bootEpoch }));
    const up = await both.same();
    assert.ok(up.osdXinfo[0]!.laggyProbability > 0);
  });

  real('a report that is taken back does not count', async () => {
    await both.begin();
    const [target, first, second] = both.actors as [OsdActor, OsdActor, OsdActor];
    await both.send(first, MOSDFailure, first.failureMessage(target, both.map.epoch, 1));
    await both.send(first, MOSDFailure, first.failureMessage(target, both.map.epoch, 0));
    await both.send(second, MOSDFailure, second.failureMessage(target, both.map.epoch, 1));
    await both.still();
    await both.send(second, MOSDFailure, second.failureMessage(target, both.map.epoch, 0));
  });

  real('connection refused, and the boot of a new process at another address', async () => {
    await both.begin();
    const [target, reporter] = both.actors as [OsdActor, OsdActor];
    await both.send(reporter, MOSDFailure, reporter.failureMessage(target, both.map.epoch, 3));
    const down = await both.same();
    assert.is(down.osdXinfo[0]!.deadEpoch, down.epoch);
    await both.send(target, MOSDBoot, target.bootMessage(down.epoch));
    await both.same();
    const moved = await both.connectOsd(0, target.uuid);
    await both.send(moved, MOSDBoot, moved.bootMessage(both.map.epoch));
    const up = await both.same(2);
    assert.ok(up.clientAddrs[0]!.equals(moved.addrs));
    both.actors[0] = moved;
    both.actors.pop();
    await target[Symbol.asyncDispose]();
  });

  real('an OSD says that it stops, that it stops dead, that it was dead', async () => {
    await both.begin();
    const [osd] = both.actors as [OsdActor];
    const message = (downAndDead: boolean) => ({
      paxosVersion: BigInt(both.map.epoch),
      fsid: both.map.fsid,
      targetOsd: osd.id,
      targetAddrs: osd.addrs,
      epoch: both.map.epoch,
      requestAck: true,
      downAndDead,
    });
    for (const isDead of [false, true]) {
      await both.send(osd, MOSDMarkMeDown, message(isDead));
      const { epoch } = await both.same();
      await both.send(osd, MOSDMarkMeDead, {
        paxosVersion: BigInt(epoch),
        fsid: both.map.fsid,
        targetOsd: 0,
        epoch: 3,
      });
      await both.same();
      await both.send(osd, MOSDBoot, osd.bootMessage(both.map.epoch));
      await both.same();
    }
  });

  real('fullness, of the OSD and of the pools above it, and a pg_temp', async () => {
    // The pool stays `creating`: nobody creates its groups, in neither of the two.
    await both.command('osd pool create', {
      pool: 'data',
      pg_num: 8,
      pgp_num: 8,
      size: 3,
      autoscale_mode: 'off',
    });
    await both.begin();
    const [osd] = both.actors as [OsdActor];
    for (const state of [1 << 5, 1 << 4, 1 << 6, 0]) {
      const { epoch } = both.map;
      await both.send(osd, MOSDFull, { paxosVersion: BigInt(epoch), epoch, state });
      await both.same();
    }
    const { up } = new Placement(both.map).pgToUpActing({ pool: 1, seed: 0 });
    const primary = both.actors[up[0]!]!;
    const { epoch } = both.map;
    const wish = (osds: number[]) => ({ pgid: { pool: 1n, seed: 0 }, osds });
    const body = { paxosVersion: BigInt(epoch), epoch, forced: false };
    await both.send(primary, MOSDPGTemp, { ...body, pgTemp: [wish([up[1]!, up[0]!])] });
    assert.is((await both.same()).pgTemp.size, 1);
    await both.send(both.actors[up[1]!]!, MOSDPGTemp, { ...body, pgTemp: [wish([])] });
    assert.is((await both.same()).pgTemp.size, 0);
  });

  real('a beacon with news about snapshots, and one without', async () => {
    await both.begin();
    const [osd] = both.actors as [OsdActor];
    const { epoch } = both.map;
    const body = { paxosVersion: BigInt(epoch), pgs: [], minLastEpochClean: 0, reportIntervalSeconds: 300 };
    await both.send(osd, MOSDBeacon, { ...body, lastPurgedSnapsScrub: utimeZero });
    await both.still();
    await both.send(osd, MOSDBeacon, { ...body, lastPurgedSnapsScrub: { sec: 1_700_000_000, nsec: 5 } });
    await both.same();
  });

  real('groups to create, and what they went through while nobody had created them', async () => {
    await both.begin();
    const name = 'made';
    await both.command('osd pool create', {
      pool: name,
      pg_num: 8,
      pgp_num: 8,
      size: 2,
      autoscale_mode: 'off',
    });
    const { epoch } = both.bench.map;
    await both.until(epoch + 1);
    // Ours is told of the same pool by hand.
    const { pending } = both.bench.osd;
    const [id] = [...both.map.poolNames].find(([, other]) => other === name)!;
    pending.changePool(id, both.map.pools.get(id)!);
    pending.change.newPoolNames.set(id, name);
    pending.change.newPoolMax = id;
    await both.same();

    // One that lived to see it goes, and is up again: three intervals, in one of which it may have served.
    const [osd] = both.actors as [OsdActor];
    await both.send(osd, MOSDAlive, { paxosVersion: BigInt(both.map.epoch), want: both.map.epoch });
    await both.same();
    const ending = { paxosVersion: BigInt(both.map.epoch), fsid: both.map.fsid, requestAck: false };
    const target = { targetOsd: osd.id, targetAddrs: osd.addrs, epoch: both.map.epoch, downAndDead: false };
    await both.send(osd, MOSDMarkMeDown, { ...ending, ...target });
    await both.same();
    await both.send(osd, MOSDBoot, osd.bootMessage(both.map.epoch));
    await both.same();

    let seen = 0;
    for (const actor of both.actors) {
      const theirs = await withTimeout(actor.askPgCreates(), stepTimeoutMs, `osd.${actor.id} to be told`);
      const ours = MOSDPGCreate2.decode(both.bench.osd.pgCreates(actor.id, 0).message!);
      assert.is(ours.epoch, theirs.epoch);
      const shapes = (message: MOSDPGCreate2) =>
        message.histories
          .filter(({ pgid }) => pgid.pool === BigInt(id))
          .map(({ pgid, history, pastIntervals }) => {
            // Behind the epochs come times and what is not known yet.
            const epochs = Buffer.from(history.subarray(0, 6 + 28)).toString('hex');
            return [pgid.seed, pgid.shard, epochs, Buffer.from(pastIntervals).toString('hex')] as const;
          })
          .sort(([left], [right]) => left - right);
      assert.equal(shapes(ours), shapes(theirs));
      seen += shapes(theirs).filter(([, , , past]) => past.length > 2 * 29).length;
    }
    assert.ok(seen > 0, 'some group had a past');
  });

  real('down to out, and in again with the boot', async () => {
    await both.command('config set', { who: 'mon', name: 'mon_osd_down_out_interval', value: '2' });
    await both.begin({ mon_osd_down_out_interval: 2 });
    const [osd] = both.actors as [OsdActor];
    const { epoch } = both.map;
    await both.send(osd, MOSDMarkMeDown, {
      paxosVersion: BigInt(epoch),
      fsid: both.map.fsid,
      targetOsd: osd.id,
      targetAddrs: osd.addrs,
      epoch,
      requestAck: false,
      downAndDead: false,
    });
    await both.same();
    both.bench.nowMs += 600_000;
    both.bench.osd.tick();
    const out = await both.same();
    assert.is(out.osdWeight[0], 0);
    await both.send(osd, MOSDBoot, osd.bootMessage(out.epoch));
    assert.is((await both.same()).osdWeight[0], 0x10000);
  });

  /** What both have said so far; a real monitor's log shows the last fifty entries only. */
  const ours = new Set<string>();
  const theirs = new Set<string>();
  real.after.each(async () => {
    for (const line of both.bench.lines) ours.add(shape(line.replace('debug: ', '')));
    // An entry is shown once it is committed, which may be after the map that it is about.
    for (let tries = 0; tries < 20; tries++) {
      const args = { num: 50, level: 'debug', channel: 'cluster', format: 'json' };
      const entries = JSON.parse(String(await both.command('log last', args))) as { message: string }[];
      for (const { message } of entries) theirs.add(shape(message));
      if ([...ours].every((line) => theirs.has(line))) break;
      await setTimeout(100);
    }
  });

  real("the cluster log says it in Ceph's words", () => {
    assert.equal(
      [...ours].filter((line) => !theirs.has(line)),
      [],
    );
    assert.ok(ours.size >= 9, [...ours].join('\n'));
  });
}

real.run();
