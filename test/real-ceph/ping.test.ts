/**
 * `msgr2 ping` against a real ceph-osd: every ping answered, padded and not, on the front and on the back
 * network, and nothing in the OSD's log that calls us wrong.
 *
 * @timeLimitSeconds 300
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PingSummary } from '../../src/cli/ping/pinger.ts';
import { runCommand } from '../cli/command-line.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { testTransports } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const pings = suite<{ cluster: CephCluster }>('msgr2 ping and a real ceph-osd');
const count = 10_000;

/**
 * What the OSD's log says of us besides the traffic itself. Its messenger logs at level 1, where a session
 * that goes well is one line when it begins and four when we close it; lines are ours by our nonce. What
 * its heartbeat code has to say, it says under `handle_osd_ping`, and only of bad pings.
 */
function complaintsAbout(log: string, nonce: string): string[] {
  const lines = log.split('\n');
  const ours = lines.filter((line) => line.includes(`/${nonce} `));
  const end = ours.findIndex((line) => line.includes('peer close file descriptor'));
  return [
    ...ours
      .slice(0, end < 0 ? undefined : end)
      .filter((line) => !/ <== osd\.1 .* ==== osd_ping\(ping /.test(line))
      .filter((line) => !/ --> .* -- osd_ping\(ping_reply /.test(line))
      .filter((line) => !/\.ready entity=osd\.1 /.test(line)),
    ...lines.filter((line) => line.includes('handle_osd_ping')),
  ];
}

async function flood(cluster: CephCluster, address: string, flags: string[]): Promise<PingSummary> {
  const { epoch } = await cluster.osdDump();
  const identity = ['--fsid', cluster.fsid, '--epoch', String(epoch), '--from', 'osd.1'];
  const run = await runCommand(
    'ping',
    address,
    ...identity,
    '-c',
    String(count),
    '-i',
    '0',
    '--json',
    ...flags,
  );
  assert.is(run.stderr, '');
  assert.is(run.code, 0);
  return JSON.parse(run.stdout) as PingSummary;
}

if (requireCeph('test/real-ceph/ping')) {
  pings.before(async (context) => {
    // Two OSDs: one that is pinged, and one that we may claim to be.
    context.cluster = await CephCluster.start({ osds: 2, conf: { 'debug ms': '1/1' } });
  });
  pings.after(async ({ cluster }) => {
    await cluster.stop();
  });

  for (const transport of testTransports()) {
    for (const [what, size, pingBytes] of [
      ['padded to 2000', 2000, 2025],
      ['unpadded', 0, 54],
    ] as const) {
      for (const network of ['hbFront', 'hbBack'] as const) {
        pings(
          `${transport}: ${count} pings ${what}, ${network}, none lost, no complaint`,
          limited(100_000, async ({ cluster }) => {
            const address = (await cluster.addrsOf(0))[network];
            const flags = ['--size', String(size), '--window', '64', '--transport', transport];
            const summary = await flood(cluster, address, flags);
            assert.is(summary.peer, 'osd.0');
            assert.is(summary.sent, count);
            assert.is(summary.received, count);
            for (const key of ['lost', 'duplicates', 'late', 'unknown', 'youDied', 'disconnects'] as const) {
              assert.is(summary[key], 0, key);
            }
            assert.is(summary.pingBytes, pingBytes);
            // The OSD pads replies by its own osd_heartbeat_min_size, and tells its bound of our clocks' difference.
            assert.is(summary.replyBytes, 2033);

            const nonce = summary.fromAddress.split('/')[1]!;
            const readLog = (): string => readFileSync(cluster.osdLog(0), 'utf8');
            const answers = new RegExp(` --> .*/${nonce} -- osd_ping\\(ping_reply `, 'g');
            await waitUntil(
              () => (readLog().match(answers)?.length ?? 0) >= count,
              20_000,
              `${count} replies in the OSD's log`,
              200,
            );
            const log = readLog();
            assert.ok(log.includes('.ready entity=osd.1 '), 'our session is not in the log');
            assert.equal(complaintsAbout(log, nonce), []);
          }),
        );
      }
    }
  }

  pings('the search for complaints finds them (a canary)', () => {
    const ours = '1 --2- v2:127.1.1.10:6801/5 >> v2:127.0.0.1:0/77 conn(0x1 s=READY).';
    const bad = `${ours}handle_read_frame_epilogue_main bad crc`;
    const good = ` -- v2:127.1.1.10:6801/5 <== osd.1 v2:127.0.0.1:0/77 2 ==== osd_ping(ping e8) v5 ==== 2025+0+0`;
    const end = `${ours}read_bulk peer close file descriptor 33\n${ours}read_until read failed`;
    assert.equal(complaintsAbout([good, bad, good, end].join('\n'), '77'), [bad]);
    const fsid = '0 osd.0 7 handle_osd_ping from osd.1 bad fsid';
    assert.equal(complaintsAbout([good, fsid, end].join('\n'), '77'), [fsid]);
  });

  pings(
    'an OSD that the map does not have is told so',
    limited(60_000, async ({ cluster }) => {
      const { hbFront } = await cluster.addrsOf(0);
      const identity = ['--fsid', cluster.fsid, '--epoch', '1', '--from', 'osd.77'];
      const run = await runCommand('ping', hbFront, ...identity, '-c', '3', '-i', '0.05');
      assert.is(run.code, 0, run.stderr);
      assert.match(run.stdout, /osd\.0 says YOU_DIED: its OSDMap \(epoch \d+\) has no osd\.77/);
      assert.match(run.stdout, /3 pings sent, 3 replies, 0 lost/);
    }),
  );

  pings(
    'with a nonce of another day the OSD hangs up, and the error says what to look at',
    limited(60_000, async ({ cluster }) => {
      const { hbFront } = await cluster.addrsOf(0);
      const stale = hbFront.replace(/\d+$/, (nonce) => String(Number(nonce) + 1));
      const identity = ['--fsid', cluster.fsid, '--epoch', '1', '--from', 'osd.1'];
      const run = await runCommand('ping', stale, ...identity, '-c', '1');
      assert.is(run.code, 1);
      assert.match(run.stderr, /^msgr2 ping: no session with .*compare the address with 'ceph osd dump'\n$/);
    }),
  );
}

pings.run();
