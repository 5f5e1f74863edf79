/** `msgr2 top`: the matrix as lines, and the command against admin sockets of daemons that are made up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixLines } from '../../src/cli/top/matrix.ts';
import { type Observation, observe, type Sight } from '../../src/cli/top/observation.ts';
import { AdminSocket } from '../../src/osd/admin/admin-socket.ts';
import { adminCommands } from '../../src/osd/admin/commands.ts';
import { CommandTable } from '../../src/osd/daemon/command-table.ts';
import { madeUpDaemon } from '../osd/admin/made-up-daemon.ts';
import { runCommand } from './command-line.ts';

const plain = { width: 100, isColoured: false };
const up = (lastRttMs: number): Sight => ({ state: 'up', reason: '', lastRttMs, lastHeardMs: 20 });
const down: Sight = { state: 'down', reason: 'no answer', lastRttMs: 0, lastHeardMs: 7000 };

function observation(
  osd: number,
  sights: Observation['sights'],
  more: Partial<Observation> = {},
): Observation {
  return { osd, state: 'active', epoch: 5, sights, faults: [], failuresReported: 0, ...more };
}

test('observers by peers, for each network', () => {
  const lines = matrixLines(
    [
      observation(1, new Map([[0, { front: up(12.5), back: up(0.3) }]])),
      observation(0, new Map([[1, { front: up(0.254), back: down }]])),
    ],
    new Map(),
    plain,
  );
  assert.equal(lines, [
    'front          osd.0      osd.1',
    'osd.0              ·    0.25 ms',
    'osd.1          13 ms          ·',
    '',
    'back           osd.0      osd.1',
    'osd.0              ·       down',
    'osd.1        0.30 ms          ·',
    '',
  ]);
});

test('one observer: its peers, both networks side by side, and how old the last answer is', () => {
  const lines = matrixLines([observation(3, new Map([[1, { front: up(1), back: down }]]))], new Map(), plain);
  assert.equal(lines, [
    'osd.3 →        front    heard       back    heard',
    'osd.1        1.00 ms    20 ms       down    7.0 s',
    '',
  ]);
});

test('a NIC that stands out is one line, whoever sees it; so are OSDs that do not run and sockets that are gone', () => {
  const fault = { network: 'back', owner: 2, state: 'oneWay', separated: [0, 1], reason: 'x' } as const;
  const lines = matrixLines(
    [
      observation(0, new Map(), { faults: [fault], state: 'waiting_for_healthy' }),
      observation(1, new Map(), { faults: [{ ...fault, separated: [2] }] }),
    ],
    new Map([['/run/osd.4.asok', 'nobody answers']]),
    plain,
  );
  assert.equal(lines.slice(-3), [
    'osd.0 is waiting for healthy',
    'back NIC of osd.2 is one-way, apart from osd.0, osd.1: x',
    '/run/osd.4.asok: nobody answers',
  ]);
});

test('what does not fit the terminal is counted, not wrapped', () => {
  const sights = new Map(Array.from({ length: 50 }, (_, osd) => [osd, { front: up(1), back: up(1) }]));
  const lines = matrixLines([observation(0, sights), observation(1, sights)], new Map(), plain);
  assert.match(lines[0]!, /… 42 more$/);
  assert.ok(lines.every((line) => line.length <= 110));
});

test('states have colours on a terminal', () => {
  const [, row] = matrixLines([observation(3, new Map([[1, { front: up(1) }]]))], new Map(), {
    ...plain,
    isColoured: true,
  });
  assert.match(row!, '\u001b[32m');
});

test('the command asks admin sockets, ours and those that answer as Ceph does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-top-'));
  const daemon = madeUpDaemon();
  for (const command of adminCommands(daemon)) daemon.commands.add(command);
  const ceph = new CommandTable();
  ceph.add({ signature: 'status', help: '', run: () => ({ whoami: 0, state: 'active', newest_map: 4 }) });
  ceph.add({
    signature: 'dump_osd_network name=value,type=CephInt,req=false',
    help: '',
    run: () => ({
      entries: [
        { 'from osd': 0, 'to osd': 1, interface: 'back', stale: false, last: 0.5 },
        { 'from osd': 0, 'to osd': 1, interface: 'front', stale: true, last: 0.5 },
        { 'from osd': 7, 'to osd': 1, interface: 'front', stale: false, last: 9 },
      ],
    }),
  });
  await using ours = await AdminSocket.listen(join(folder, 'ceph-osd.3.asok'), daemon.commands);
  await using theirs = await AdminSocket.listen(join(folder, 'ceph-osd.0.asok'), ceph);
  const seen = await observe(theirs.path);
  assert.equal([...seen.sights.keys()], [1]);
  assert.is(seen.sights.get(1)!.back!.state, 'up');
  assert.is(seen.sights.get(1)!.front!.state, 'unknown');

  const { code, stdout } = await runCommand('top', ours.path, theirs.path, join(folder, 'gone'));
  assert.is(code, 0, stdout);
  assert.match(stdout, /3 OSDs asked, osdmap e12/);
  assert.match(stdout, /back NIC of osd.1 is down, apart from osd.3/);
  assert.match(stdout, /gone: nobody answers/);
  rmSync(folder, { recursive: true });
});

test('the command says what it could not ask', async () => {
  const nobody = await runCommand('top', '/nonexistent/osd.asok');
  assert.is(nobody.code, 1);
  assert.match(nobody.stderr, /nobody answers at the admin socket \/nonexistent\/osd.asok/);
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-top-'));
  const path = join(folder, 'mon.asok');
  const monitor = new CommandTable();
  monitor.add({ signature: 'status', help: '', run: () => ({ name: 'a' }) });
  await using _socket = await AdminSocket.listen(path, monitor);
  const wrong = await runCommand('top', path);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, /is not an OSD's/);
  const silent = createServer((client) => client.end()).listen(join(folder, 'silent'));
  const broken = await runCommand('top', join(folder, 'silent'));
  assert.match(broken.stderr, /has 0 bytes/);
  silent.close();
  rmSync(folder, { recursive: true });
});

test.run();
