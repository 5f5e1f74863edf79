/** Sessions of clients: who they are, and how long a silent one lasts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../../src/messenger/connection.ts';
import { Sessions } from '../../../../src/mon/server/sessions.ts';
import { EntityName } from '../../../../src/wire/entity-name.ts';

interface Played {
  readonly connection: Connection;
  bytesReceived: number;
  isMarkedDown: boolean;
}

function play(auth: Connection['auth'] | undefined, name = EntityName.client(7)): Played {
  const played: Played = {
    bytesReceived: 0,
    isMarkedDown: false,
    connection: {
      auth,
      peerName: name,
      counters: () => ({ bytesReceived: played.bytesReceived }),
      markDown: () => {
        played.isMarkedDown = true;
      },
    } as unknown as Connection,
  };
  return played;
}

test('who proved nothing has what Ceph gives them; who proved to be somebody has the caps of that', () => {
  const sessions = new Sessions();
  const open = { globalId: 5n, connectionMode: 1, entity: 'client.bob' };
  assert.ok(sessions.of(play(open).connection, 0).caps.isAllowAll);
  const proven = sessions.of(play({ ...open, caps: 'allow r' }).connection, 0);
  assert.is(String(proven.entity), 'client.bob');
  assert.not(proven.caps.isAllowAll);
  assert.ok(proven.caps.allows(proven, 'osd', 'r'));
  assert.not(proven.caps.allows(proven, 'osd', 'w'));
  const unreadable = sessions.of(play({ ...open, caps: 'allow everything' }).connection, 0);
  assert.not(unreadable.caps.allows(unreadable, 'mon', 'r'));
});

test('a name that is none is the one that the peer greeted with', () => {
  const sessions = new Sessions();
  const strange = play({ globalId: 5n, connectionMode: 1, entity: 'unknown type 77.x' });
  assert.is(String(sessions.of(strange.connection, 0).entity), 'client.7');
});

test('silence ends a session; messages and keepalives are no silence', () => {
  const sessions = new Sessions();
  const silent = play(undefined);
  const talking = play(undefined);
  const keptAlive = play(undefined);
  for (const { connection } of [silent, talking, keptAlive]) sessions.of(connection, 0);
  const timeoutMs = 300_000;
  assert.equal(sessions.endSilent(timeoutMs, 299_000), []);
  sessions.of(talking.connection, 299_500);
  keptAlive.bytesReceived = 40;
  const ended = sessions.endSilent(timeoutMs, 301_000);
  assert.equal(
    ended.map(({ connection }) => connection),
    [silent.connection],
  );
  assert.ok(silent.isMarkedDown);
  assert.ok(ended[0]!.isClosed);
  assert.is(sessions.size, 2);
  // From then on it counts from the sign of life.
  assert.is(sessions.endSilent(timeoutMs, 600_500).length, 1);
  assert.is(sessions.endSilent(timeoutMs, 601_500).length, 1);
});

test('a session ends with its connection, and the same one does not begin twice', () => {
  const sessions = new Sessions();
  const { connection } = play(undefined);
  const session = sessions.of(connection, 0);
  assert.is(sessions.of(connection, 10), session);
  sessions.end(connection);
  sessions.end(connection);
  assert.ok(session.isClosed);
  assert.is(sessions.size, 0);
});

test.run();
