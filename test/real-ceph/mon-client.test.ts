/**
 * The monitor client and a real ceph-mon: commands, versions, maps, the cluster log and the configuration
 * database, each compared with what Ceph's own tool says.
 *
 * @timeLimitSeconds 300
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { osdExists } from '../../src/maps/osdmap.ts';
import { encodeOsdMap } from '../../src/maps/osdmap-codec.ts';
import { MonCommandError } from '../../src/mon/client/command-error.ts';
import type { MonClient } from '../../src/mon/client/mon-client.ts';
import { adminClient, type Protection, protections } from '../mon/support/real-client.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { type TestTransport, testTransports } from '../support/messengers.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

interface Context {
  cluster: CephCluster;
  client: MonClient;
}

async function rejection(promise: Promise<unknown>): Promise<MsgrError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MsgrError) return error;
    throw error;
  }
  throw new Error('it did not reject');
}

function testsOf(protection: Protection, transport: TestTransport): void {
  const tests = suite<Context>(`monitor client, ${protection.title}, ${transport}`);
  tests.before(async (context) => {
    context.cluster = await CephCluster.start({ osds: 1, ...protection.cluster });
    context.client = adminClient(context.cluster, protection, { transport });
    await context.client.connect({ timeoutMs: 20_000 });
  });
  tests.after(async ({ client, cluster }) => {
    await client?.close();
    await cluster?.stop();
  });

  tests(
    'a session with mon.a, its map and the fsid',
    limited(20_000, async ({ client, cluster }) => {
      assert.is(String(client.fsid), cluster.fsid);
      assert.equal([client.currentMon!.name, client.currentMon!.rank], ['a', 0]);
      assert.equal([...client.monMap!.monitors.keys()], ['a']);
      assert.ok(client.globalId > 0n);
    }),
  );

  tests(
    "answers equal those of the ceph tool, plain and JSON, and its errors are the monitor's own",
    limited(60_000, async ({ client, cluster }) => {
      for (const prefix of ['osd tree', 'osd dump', 'mon dump', 'osd crush dump', 'fsid']) {
        for (const format of ['json', 'plain']) {
          const ours = async () => (await client.command({ prefix, format })).output.toString().trim();
          // The OSD that has just come up still changes the map: one of ours is of the same moment.
          const before = await ours();
          const theirs = (await cluster.ceph(...prefix.split(' '), '--format', format)).trim();
          if (before !== theirs) assert.is(await ours(), theirs, `${prefix}, ${format}`);
        }
      }
      const wrong = await rejection(client.command({ prefix: 'osd pool get', pool: 'none', var: 'size' }));
      assert.ok(wrong instanceof MonCommandError);
      assert.equal([wrong.errnoName, wrong.status], ['ENOENT', "unrecognized pool 'none'"]);
    }),
  );

  tests(
    'a command with input, and one with much output',
    limited(30_000, async ({ client }) => {
      const value = Buffer.alloc(60_000, 'v');
      await client.command({ prefix: 'config-key set', key: 'msgr2/test' }, { input: value });
      const { output } = await client.command({ prefix: 'config-key get', key: 'msgr2/test' });
      assert.is(Buffer.compare(output, value), 0);
      const all = await client.command({ prefix: 'get_command_descriptions', format: 'json' });
      assert.ok(all.output.length > 50_000);
      JSON.parse(all.output.toString());
    }),
  );

  tests(
    'a thousand commands at once, each with its own answer',
    limited(60_000, async ({ client }) => {
      const pools = Array.from({ length: 1000 }, (_, index) => `nobody-${index}`);
      const answers = await Promise.all(
        pools.map((pool) => rejection(client.command({ prefix: 'osd pool get', pool, var: 'size' }))),
      );
      for (const [index, error] of answers.entries()) {
        assert.ok(error instanceof MonCommandError);
        assert.is(error.status, `unrecognized pool 'nobody-${index}'`);
      }
    }),
  );

  tests(
    'told to one monitor: answered by it alone, with its own errors',
    limited(30_000, async ({ client }) => {
      for (const target of ['mon.a', 'a', 0]) {
        const { output } = await client.command({ prefix: 'mon_status', format: 'json' }, { target });
        assert.is((JSON.parse(output.toString()) as { name: string }).name, 'a');
      }
      const error = await rejection(client.command({ prefix: 'osd tree' }, { target: 'mon.a' }));
      assert.ok(error instanceof MonCommandError);
      assert.is(error.errnoName, 'EINVAL');
      const nobody = await rejection(client.command({ prefix: 'mon_status' }, { target: 'mon.z' }));
      assert.is(nobody.code, ErrorCode.InvalidArgument);
    }),
  );

  tests(
    'every OSDMap from the first on, applied as the monitor has it, and new ones as they come',
    limited(60_000, async ({ client, cluster }) => {
      const { newest, oldest } = await client.getVersion('osdmap');
      const maps = client.osdMaps({ from: 1 });
      const next = async () => (await withTimeout(maps.next(), 10_000, 'the next map')).value!;
      for (let epoch = Number(oldest); epoch <= Number(newest); epoch++) {
        const update = await next();
        assert.is(update.epoch, epoch);
        assert.is(update.map.epoch, epoch);
      }
      for (const prefix of ['osd set', 'osd unset', 'osd set']) {
        await client.command({ prefix, key: 'nodown' });
        const update = await next();
        assert.is(update.epoch, (await cluster.osdDump()).epoch);
        assert.is(update.incremental?.epoch, update.epoch);
        assert.ok(osdExists(update.map, 0));
        const { output } = await client.command({ prefix: 'osd getmap', epoch: update.epoch });
        assert.is(Buffer.compare(encodeOsdMap(update.map), output), 0);
      }
      await maps.return();
      for await (const { epoch } of client.osdMaps()) {
        assert.is(epoch, (await cluster.osdDump()).epoch);
        break;
      }
    }),
  );

  tests(
    'options from the configuration database come, change and go',
    limited(30_000, async ({ client }) => {
      const set = { prefix: 'config set', who: 'client.admin', name: 'ms_initial_backoff', value: '0.7' };
      await client.command(set);
      await waitUntil(() => client.config.get('ms_initial_backoff')?.startsWith('0.7'), 10_000, 'the option');
      await client.command({ prefix: 'config rm', who: 'client.admin', name: 'ms_initial_backoff' });
      await waitUntil(() => !client.config.has('ms_initial_backoff'), 10_000, 'the option to go');
    }),
  );

  tests(
    'the cluster log has our entries, once each and in order',
    limited(30_000, async ({ client, cluster }) => {
      for (let n = 1; n <= 30; n++) client.log('cluster', n % 2 === 0 ? 'warn' : 'info', `msgr2 entry ${n}`);
      await client.flushLog();
      const lines = (await cluster.ceph('log', 'last', '200', 'info', 'cluster')).split('\n');
      const ours = lines.filter((line) => line.includes('msgr2 entry'));
      assert.is(ours.length, 30);
      for (const [index, line] of ours.entries()) {
        const n = index + 1;
        const level = n % 2 === 0 ? 'WRN' : 'INF';
        const end = `client.admin (client.${client.globalId}) ${n} : cluster [${level}] msgr2 entry ${n}`;
        assert.ok(line.endsWith(end), `${line} does not end with ${end}`);
      }
    }),
  );

  tests(
    'the manager map comes when it is subscribed to',
    limited(20_000, async ({ client }) => {
      const head = await withTimeout(
        new Promise<{ epoch: number; available: boolean }>((resolve) => {
          client.once('mgrmap', resolve);
          client.subscribe('mgrmap');
        }),
        10_000,
        'the mgrmap',
      );
      assert.ok(head.epoch >= 1);
      assert.not(head.available);
    }),
  );

  tests(
    'the monitor restarts: the session comes back, and with it what was under way',
    limited(60_000, async ({ client, cluster }) => {
      const epochs: number[] = [];
      void (async () => {
        for await (const { epoch } of client.osdMaps()) epochs.push(epoch);
      })();
      await waitUntil(() => epochs.length > 0, 10_000, 'the first map');
      const idBefore = client.globalId;
      await cluster.killMon('a');
      await client.command({ prefix: 'status' }, { timeoutMs: 300 }).catch(() => {});
      const asked = client.command({ prefix: 'osd unset', key: 'nodown' });
      await cluster.startMon('a');
      assert.is((await asked).code, 0);
      const newest = Number((await client.getVersion('osdmap')).newest);
      await waitUntil(() => epochs.at(-1)! >= newest, 10_000, 'the newest map');
      assert.equal(
        epochs,
        epochs.map((_, index) => epochs[0]! + index),
      );
      assert.is(client.globalId, idBefore, 'the global id is kept');
    }),
  );

  tests(
    'who cannot be who he says is told so at once',
    limited(30_000, async ({ cluster }) => {
      await using other = adminClient(cluster, protection, {
        transport,
        fsid: '11111111-2222-4333-8444-555555555555',
      });
      const error = await rejection(other.connect({ timeoutMs: 20_000 }));
      assert.is(error.code, ErrorCode.PeerMismatch);
      assert.match(error.message, new RegExp(`of cluster ${cluster.fsid}, not of 11111111-`));
    }),
  );

  tests("the monitor's log has nothing to say against us", ({ cluster }) => {
    const complaints = readFileSync(cluster.monLog('a'), 'utf8')
      .split('\n')
      .filter((line) =>
        /bad (crc|msg|fsid)|failed to decode|unrecognized|verify_authorizer|corrupt/i.test(line),
      )
      .filter((line) => !/unrecognized pool 'no/.test(line));
    assert.equal(complaints, []);
  });

  tests.run();
}

if (requireCeph('test/real-ceph/mon-client')) {
  for (const protection of protections) {
    for (const transport of protection.title === 'auth none'
      ? testTransports()
      : testTransports().slice(0, 1)) {
      testsOf(protection, transport);
    }
  }
} else {
  suite('monitor client').run();
}
