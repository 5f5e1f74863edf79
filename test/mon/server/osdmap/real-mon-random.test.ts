/**
 * Random lives of OSDs, told to a real ceph-mon and to our rules: MSGR2_LONG=1 for some minutes of them, a
 * short one otherwise. MSGR2_SEED repeats one.
 *
 * @timeLimitSeconds 600
 */
import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isUp } from '../../../../src/maps/osdmap.ts';
import { MOSDAlive } from '../../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../../src/wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../../src/wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../../src/wire/messages/m-osd-mark-me-down.ts';
import { SeededRandom } from '../../../maps/support/random.ts';
import { requireCeph } from '../../../support/ceph-cluster.ts';
import { Comparison } from './comparison.ts';
import type { OsdActor } from './osd-actor.ts';

const steps = process.env.MSGR2_LONG ? 1500 : 40;
const seed = Number(process.env.MSGR2_SEED ?? randomInt(2 ** 31));

const real = suite('random lives beside a real ceph-mon');
let both: Comparison;

/** One message of one OSD, sensible or not; its name, for a failure. */
async function step(random: SeededRandom): Promise<string> {
  const { map } = both.bench;
  const actor = random.pick(both.actors);
  // Ceph lets an OSD report itself; ours do not.
  const other = random.pick(both.actors.filter((osd) => osd !== actor));
  const { epoch, fsid } = map;
  const paxosVersion = BigInt(epoch);
  const about = (osd: OsdActor) => ({
    paxosVersion,
    fsid,
    targetOsd: osd.id,
    targetAddrs: osd.addrs,
    epoch,
  });
  const kinds = isUp(map, actor.id)
    ? ['fail', 'fail', 'fail', 'alive', 'full', 'end', 'beacon']
    : ['boot', 'boot', 'dead'];
  const kind = random.pick(
    random.chance(0.1) ? ['boot', 'fail', 'alive', 'full', 'end', 'dead', 'beacon'] : kinds,
  );
  const name = `osd.${actor.id} ${kind}`;
  switch (kind) {
    case 'boot': {
      const message = actor.bootMessage(epoch, { bootEpoch: random.chance(0.5) ? 0 : 3 });
      const [mounted, cleanThru] = [random.between(0, epoch), random.between(0, epoch)];
      const newestMap = random.chance(0.2) ? 0 : epoch;
      const superblock = { ...message.superblock, mounted, cleanThru, newestMap };
      await both.send(actor, MOSDBoot, { ...message, superblock });
      return name;
    }
    case 'fail': {
      const flags = random.pick([0, 1, 1, 1, 3]);
      // Always the same of one reporter: of two that differ Ceph sometimes heeds the first, sometimes the second.
      const failedForSeconds = (actor.id + other.id) % 2 === 0 ? 100 : 900;
      await both.send(actor, MOSDFailure, { ...about(other), flags, failedForSeconds });
      return `${name} of osd.${other.id}, ${flags}, ${failedForSeconds} s`;
    }
    case 'alive':
      await both.send(actor, MOSDAlive, { paxosVersion, want: random.between(1, epoch) });
      return name;
    case 'full':
      await both.send(actor, MOSDFull, { paxosVersion, epoch, state: random.pick([0, 16, 32, 64, 48]) });
      return name;
    case 'end':
      await both.send(actor, MOSDMarkMeDown, {
        ...about(actor),
        requestAck: random.chance(0.5),
        downAndDead: random.chance(0.5),
      });
      return name;
    case 'dead':
      await both.send(actor, MOSDMarkMeDead, { paxosVersion, fsid, targetOsd: actor.id, epoch });
      return name;
    default:
      await both.send(actor, MOSDBeacon, {
        paxosVersion,
        pgs: [],
        minLastEpochClean: 0,
        lastPurgedSnapsScrub: { sec: random.between(0, 1000), nsec: 0 },
        reportIntervalSeconds: 300,
      });
      return name;
  }
}

if (requireCeph('random lives beside a real ceph-mon')) {
  real.before(async () => {
    // Nothing becomes old enough by itself, on a tick or while a message waits: ours has no clock here.
    both = await Comparison.start({
      mon_tick_interval: '3600',
      osd_heartbeat_grace: '600',
      mon_osd_adjust_heartbeat_grace: 'false',
    });
    both.comparesLaggyIntervals = false;
  });
  real.after(() => both?.[Symbol.asyncDispose]());

  real(`${steps} messages, seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    await both.begin({ osd_heartbeat_grace: 600, mon_osd_adjust_heartbeat_grace: false });
    const told: string[] = [];
    // Where all others are down, OSDs that were registered and have never been up abort ceph-mon 16.2.15
    // (OSDMap::check_health counts them among the down, and not among those that are in).
    for (const actor of both.actors) {
      await both.send(actor, MOSDBoot, actor.bootMessage(both.bench.map.epoch));
      await both.same();
    }
    try {
      for (let count = 0; count < steps; count++) {
        const name = await step(random);
        const isPending = both.bench.osd.hasPending;
        told.push(`${isPending ? '* ' : '  '}${name}`);
        if (isPending) await both.same();
        else if (random.chance(0.1)) await both.still();
      }
      await both.still();
    } catch (error) {
      console.log(`seed ${seed}, the last of ${told.length} messages (*: made an epoch):`);
      console.log(told.slice(-12).join('\n'));
      throw error;
    }
    assert.ok(both.bench.map.epoch > 10);
  });
}

real.run();
