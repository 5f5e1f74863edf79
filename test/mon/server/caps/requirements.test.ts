/**
 * Who may send what: every message type and every command against capabilities from none to all. A type that
 * the monitor handles without a row, or a row without a handler, fails here.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MonCaps } from '../../../../src/mon/server/caps/mon-caps.ts';
import { admits, messageRequirements, type Requester } from '../../../../src/mon/server/caps/requirements.ts';
import { CommandServer } from '../../../../src/mon/server/command-server.ts';
import { allCommands } from '../../../../src/mon/server/commands/all-commands.ts';
import { tellCommands } from '../../../../src/mon/server/commands/tell.ts';
import { MonDispatcher } from '../../../../src/mon/server/mon-dispatcher.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { cephMessages } from '../../../../src/wire/messages/ceph-messages.ts';
import { openMonitor } from '../hostile/hostile-clients.ts';

function requester(entity: string, caps: string): Requester {
  return {
    entity: EntityAuthName.parse(entity),
    caps: MonCaps.parseOrNone(caps),
    connection: { remoteHost: '127.0.0.1' },
  };
}

const clients = ['', 'allow r', 'allow rw', 'allow rwx', 'allow *'].map((caps) =>
  requester('client.x', caps),
);
const osds = ['', 'allow r', 'allow rw', 'allow profile osd', 'allow *'].map((caps) =>
  requester('osd.0', caps),
);

/** `.` refused, `+` admitted: a client with none, r, rw, rwx, *; an OSD with none, r, rw, profile osd, *. */
const expected: Readonly<Record<string, string>> = {
  auth: '+++++ +++++',
  ping: '+++++ +++++',
  mon_getmap: '+++++ +++++',
  mon_get_version: '+++++ +++++',
  mon_subscribe: '+++++ +++++',
  mon_command: '+++++ +++++',
  command: '+++++ +++++',
  mon_get_osdmap: '.++++ .++++',
  mon_get_purged_snaps: '.++++ .++++',
  log: '..+++ ..+++',
  statfs: '.++++ .++++',
  get_pool_stats: '.++++ .++++',
  poolop: '..+++ ..+++',
  osd_boot: '..... ...++',
  osd_alive: '..... ...++',
  osd_beacon: '..... ...++',
  osd_failure: '..... ...++',
  osd_full: '..... ...++',
  osd_mark_me_dead: '..... ...++',
  osd_mark_me_down: '..... ...++',
  osd_pg_created: '..... ...++',
  osd_pgtemp: '..... ...++',
};

const byType = new Map(cephMessages.map((message) => [message.type, message.name]));

function rowOf(type: number): string {
  const marks = (who: readonly Requester[]): string =>
    who.map((one) => (admits(one, type) ? '+' : '.')).join('');
  return `${marks(clients)} ${marks(osds)}`;
}

for (const type of messageRequirements.keys()) {
  const name = byType.get(type)!;
  test(`${name}: ${expected[name]}`, () => assert.is(rowOf(type), expected[name]));
}

test('a type without a row is admitted from nobody', () => {
  for (const { type } of cephMessages) {
    if (!messageRequirements.has(type)) assert.is(rowOf(type), '..... .....');
  }
  assert.is(rowOf(0xffff), '..... .....');
});

test('what is handled has a row, and what has a row is handled', async () => {
  await using monitor = await openMonitor();
  const init = { monitor, commands: new CommandServer(monitor), admits: () => false };
  const dispatcher = new MonDispatcher(init as never);
  const handled = cephMessages.filter(({ type }) => dispatcher.handles(type)).map(({ name }) => name);
  const rows = [...messageRequirements.keys()].map((type) => byType.get(type)!);
  assert.equal(handled.sort(), rows.sort());
});

// ── Commands ─────────────────────────────────────────────────────────────────────────────────────────

/** From what permission on everything an operator may run it, by module and permissions. */
function leastCaps(module: string, permissions: string): string {
  if (module === 'config-key') return 'allow *';
  return `allow ${permissions}`;
}

const ladder = ['allow service nothing r', 'allow r', 'allow rw', 'allow rx', 'allow rwx', 'allow *'];

test('every command, from no permission to all', () => {
  for (const { module, permissions, signature } of [...allCommands, ...tellCommands]) {
    const least = leastCaps(module, permissions);
    for (const caps of ladder) {
      const isEnough =
        caps === 'allow *' ||
        (least !== 'allow *' && [...permissions].every((letter) => caps.slice(6).includes(letter)));
      const who = requester('client.x', caps);
      const prefix = signature.split(' name=')[0]!;
      const may = who.caps.allows(who, module, permissions, { prefix, args: new Map() });
      // "nothing" is a service, whose letters are no permissions.
      assert.is(may, caps.includes('service') ? false : isEnough, `${prefix} with ${caps}`);
    }
  }
});

test('a command that changes something needs more than to read', () => {
  const reading = allCommands.filter(({ permissions }) => permissions === 'r');
  const changing = /(^| )(set|rm|del|create|add|put|import|new|mute|unmute|caps|purge|destroy|reset)( |$)/;
  for (const { signature } of reading) {
    const words = signature.split(' name=')[0]!;
    assert.not.match(words, changing);
  }
});

test('to the monitor itself only with all of mon', () => {
  for (const { module, permissions } of tellCommands) assert.is(`${module} ${permissions}`, 'mon rwx');
});

test.run();
