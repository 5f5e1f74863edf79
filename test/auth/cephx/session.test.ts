/** The session with monitors: hunting, tickets, renewal, rotating keys, and what another thread gets of it. */
import { inspect } from 'node:util';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { CephxSession } from '../../../src/auth/cephx/session.ts';
import { SnapshotAuth } from '../../../src/auth/cephx/snapshot.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { parseAuthName } from '../../../src/auth/keyring.ts';
import { ErrorCode } from '../../../src/errors.ts';
import { resolveOptions } from '../../../src/options.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { msgrError } from '../../support/wire-checks.ts';
import { CephxWorld, expectReply, handshake, keyTypes, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;
const otherMon = EntityAddr.parse('v2:127.0.0.2:3300/0');
const hour = 3600_000;

for (const keyType of keyTypes) {
  test(`a client is let in, gets tickets and connects to a daemon (keys of type ${keyType})`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.session('client.a');
    assert.is(client.globalId, 0n);
    assert.not.ok(client.isComplete);
    assert.is(client.nextDue, Number.POSITIVE_INFINITY);
    assert.is(client.nextRequest(world.time), undefined);
    const known = world.join(client);
    assert.is(client.globalId, 4097n);
    assert.is(known.globalId, 4097n);
    assert.is(known.entity, 'client.a');
    assert.is(known.caps, 'allow r');
    assert.ok(client.isComplete);

    const osd = world.member('osd.3');
    const { connector, acceptor } = handshake(client.client(Osd), osd.server(Client));
    assert.is(acceptor.entity, 'client.a');
    assert.is(acceptor.globalId, client.globalId);
    assert.is(acceptor.caps, 'allow rw pool=data');
    assert.equal(connector.sessionKey, acceptor.sessionKey);
    assert.equal(connector.connectionSecret, acceptor.connectionSecret);
  });

  test(`tickets are renewed when a quarter of their time is left, 1,000 times (keys of type ${keyType})`, () => {
    const world = new CephxWorld({ keyType });
    const known = world.join(world.session('osd.9'));
    const client = world.session('client.a');
    const session = world.join(client);
    const osd = world.session('osd.3');
    const osdSession = world.join(osd);
    world.renewAll(osd, osdSession);
    assert.ok(known.requests);
    let renewals = 0;
    for (let round = 0; round < 1000; round++) {
      const { nextDue } = client;
      world.time = Math.min(nextDue, osd.nextDue) - 1;
      assert.is(client.nextRequest(world.time), undefined);
      handshake(client.client(Osd), osd.server(Client));
      world.time++;
      renewals += world.renewAll(client, session) + world.renewAll(osd, osdSession);
      assert.ok(client.isComplete && osd.isComplete, `round ${round}`);
      handshake(client.client(Osd), osd.server(Client));
      handshake(osd.client(Osd), osd.server(Osd));
    }
    assert.ok(renewals >= 1000, `${renewals}`);
    // Rounds of 45 minutes: beyond the 72 hours of the AUTH ticket many times over.
    assert.ok(world.time - Date.UTC(2026, 0, 1) > 100 * hour);
    assert.is(client.globalId, session.globalId);
  });
}

test('what is due when: a quarter of the time before the end', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  world.join(client);
  const { auth_service_ticket_ttl: ttl } = world.options;
  assert.is(client.nextDue, world.time + (ttl * 1000 * 3) / 4);
});

test('one request at a time; one that died with its session is asked again', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  const session = world.join(client);
  world.time += hour;
  const request = client.nextRequest(world.time);
  assert.ok(request);
  assert.is(client.nextRequest(world.time), undefined);
  assert.is(client.nextDue, Number.POSITIVE_INFINITY);
  client.abandonRequest();
  assert.ok(client.nextDue <= world.time);
  const again = client.nextRequest(world.time)!;
  client.handleReply({ globalId: client.globalId, ...session.requests!.handleRequest(again) });
  assert.ok(client.isComplete);
  const unasked = { result: 0, globalId: 0n, payload: again };
  msgrError(() => client.handleReply(unasked), ErrorCode.Auth);
});

test('a refusal is an error with its number, and is not asked again at once', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  world.join(client);
  world.time += hour;
  client.nextRequest(world.time);
  const empty = new Uint8Array(0);
  const refused = { result: -Errno.EACCES, globalId: client.globalId, payload: empty };
  const error = msgrError(() => client.handleReply(refused), ErrorCode.Auth);
  assert.is(error.errno, Errno.EACCES);
  assert.match(error.message, /client\.a with EACCES \(13\)/);
  assert.is(client.nextRequest(world.time), undefined);
  assert.ok(client.nextDue > world.time && client.nextDue < world.time + 60_000);
});

test('a service that the monitor gives no ticket for is asked for in intervals', () => {
  const world = new CephxWorld();
  const strange = 0x40;
  const client = world.session('client.a', { services: Osd | strange });
  const session = world.join(client);
  assert.not.ok(client.isComplete);
  assert.is(world.renewAll(client, session), 1);
  assert.ok(client.nextDue >= world.time + 1000);
  world.time = client.nextDue;
  assert.is(world.renewAll(client, session), 1);
});

// ── Several monitors at once, and coming back ─────────────────────────────────────────────────────

test('what a monitor gave counts once it is chosen', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  const { acceptor: a } = handshake(client.client(Mon, monAddr), world.mon.server(Client));
  const { acceptor: b } = handshake(client.client(Mon, otherMon), world.mon.server(Client));
  assert.is(client.globalId, 0n);
  assert.not.ok(client.isComplete);
  assert.not.equal(a.globalId, b.globalId);
  client.choose(otherMon);
  assert.is(client.globalId, b.globalId);
  // The tickets are those of that monitor: they open with its global id.
  const osd = world.member('osd.3');
  assert.is(handshake(client.client(Osd), osd.server(Client)).acceptor.globalId, b.globalId);
  client.choose(monAddr);
  assert.is(client.globalId, b.globalId, 'what was not chosen is forgotten');
});

test('the global id is kept over sessions, with the old ticket as its proof', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  world.join(client);
  const { globalId } = client;
  for (let round = 0; round < 3; round++) {
    world.time += hour;
    const known = world.join(client, round % 2 === 0 ? otherMon : monAddr);
    assert.is(known.globalId, globalId);
    assert.ok(client.isComplete);
  }
  assert.is(world.lastGlobalId, globalId);
});

test('a global id that is not given back is given up, and a new one taken', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  world.join(client);
  const { globalId } = client;
  world.time += 30 * 24 * hour;
  const refused = msgrError(() => world.join(client), ErrorCode.Auth);
  assert.is(refused.errno, Errno.EACCES);
  assert.match(refused.message, /global id/);
  world.join(client);
  assert.is.not(client.globalId, globalId);
  assert.ok(client.isComplete);
});

test('a connection that breaks after any frame leaves no trace; the next attempt succeeds', () => {
  const world = new CephxWorld();
  for (let frames = 0; frames < 4; frames++) {
    for (const isMember of [false, true]) {
      const client = isMember ? world.member('client.a') : world.session('client.a');
      const before = client.globalId;
      const attempt = client.client(Mon, monAddr);
      const server = world.mon.server(Client);
      if (frames >= 1) {
        const request = attempt.start();
        if (frames >= 2) {
          const more = expectReply(server.handleRequest(request), 'more');
          const proof = attempt.handleReplyMore(more.payload);
          if (frames >= 3) server.handleRequestMore(proof);
        }
      }
      assert.is(client.globalId, before);
      world.join(client);
      assert.ok(client.isComplete, `after ${frames} frames`);
      if (isMember) assert.is(client.globalId, before);
    }
  }
});

// ── Errors that a user meets ──────────────────────────────────────────────────────────────────────

test('a wrong key is EACCES, and the message says what to check', () => {
  for (const keyType of keyTypes) {
    const world = new CephxWorld({ keyType });
    world.key('client.a');
    const client = world.session('client.a', { key: CryptoKey.generate(keyType) });
    const error = msgrError(() => world.join(client), ErrorCode.Auth);
    assert.is(error.errno, Errno.EACCES);
    assert.match(error.message, /client\.a with EACCES \(13\).*another key.*`ceph auth get client\.a`/);
    const unknown = new CephxSession({
      name: parseAuthName('client.nobody'),
      key: CryptoKey.generate(keyType),
      options: world.options,
    });
    assert.is(msgrError(() => world.join(unknown), ErrorCode.Auth).errno, Errno.EACCES);
  }
});

test('modes that do not meet are named on both sides', () => {
  const world = new CephxWorld({ options: { ms_mon_service_mode: 'secure' } });
  const client = world.session('client.a', { options: resolveOptions({ ms_mon_client_mode: 'crc' }) });
  const error = msgrError(() => world.join(client), ErrorCode.Auth);
  assert.is(error.errno, Errno.EOPNOTSUPP);
  assert.match(error.message, /cephx in mode crc with EOPNOTSUPP.*in mode secure/);
});

test('without a ticket, or without the kind of peer, the attempt says so', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  assert.match(msgrError(() => client.client(Osd).start(), ErrorCode.Auth).message, /no ticket for osd/);
  const any = client.client(EntityType.Any);
  assert.match(msgrError(() => any.start(), ErrorCode.InvalidArgument).message, /peerType/);
  world.join(client);
  world.time += hour;
  assert.match(msgrError(() => client.client(Osd).start(), ErrorCode.Auth).message, /run out/);
});

test('keys of type aes are refused where the option leaves them out', () => {
  const options = resolveOptions({ auth_allowed_ciphers: 'aes256k' });
  const world = new CephxWorld({ keyType: KeyType.Aes });
  const error = msgrError(() => world.session('client.a', { options }), ErrorCode.Auth);
  assert.match(error.message, /client\.a is of type aes.*auth_allowed_ciphers/);
  // An entity of type aes256k in a cluster whose services have keys of type aes.
  const key = world.key('client.strong', KeyType.Aes256k);
  const client = world.session('client.strong', { options, key });
  assert.match(msgrError(() => world.join(client), ErrorCode.Auth).message, /session key for .* type aes/);
  assert.is(client.globalId, 0n);
  const wrong = resolveOptions({ auth_allowed_ciphers: 'des' });
  msgrError(() => world.session('client.a', { options: wrong }), ErrorCode.InvalidArgument);
});

test('a service with keys of type aes gives a client of type aes256k session keys of type aes', () => {
  const world = new CephxWorld({ keyType: KeyType.Aes });
  const client = world.member('client.strong', { key: world.key('client.strong', KeyType.Aes256k) });
  const types = new Map(client.snapshot().tickets.map((ticket) => [ticket.service, ticket.sessionKey.type]));
  assert.is(types.get(EntityType.Auth), KeyType.Aes256k);
  assert.is(types.get(Osd), KeyType.Aes);
  handshake(client.client(Osd), world.member('osd.3').server(Client));
});

// ── Rotating keys ─────────────────────────────────────────────────────────────────────────────────

test('a daemon fetches rotating keys, and again when the one in use runs out', () => {
  const world = new CephxWorld();
  const osd = world.session('osd.3');
  const session = world.join(osd);
  assert.not.ok(osd.isComplete);
  assert.is(world.renewAll(osd, session), 1);
  assert.ok(osd.isComplete);
  const ids = () => osd.snapshot().rotating!.secrets.map(({ id }) => id);
  assert.equal(ids(), [1n, 2n, 3n]);
  let fetched = 0;
  const end = world.time + 12 * hour;
  while (world.time < end) {
    world.time = osd.nextDue;
    const before = ids();
    world.renewAll(osd, session);
    if (ids().join() !== before.join()) fetched++;
  }
  assert.ok(fetched >= 10 && fetched <= 14, `${fetched} times in 12 hours`);
  assert.is(ids().length, 3);
});

test('a monitor whose clock is behind is not asked again and again', () => {
  const world = new CephxWorld();
  const osd = world.session('osd.3', { now: () => world.time + 3 * hour });
  const session = world.join(osd);
  let asked = 0;
  for (let second = 0; second < 100; second++) {
    world.time += 1000;
    const request = osd.nextRequest(world.time + 3 * hour);
    if (request === undefined) continue;
    asked++;
    osd.handleReply({ globalId: osd.globalId, ...session.requests!.handleRequest(request) });
  }
  assert.ok(asked <= 12, `${asked} times in 100 seconds`);
});

test('rotations of a short period are kept up with, by a daemon whose clock is ahead', () => {
  const world = new CephxWorld({ options: { auth_service_ticket_ttl: 4, auth_mon_ticket_ttl: 8 } });
  // What it asks for when its own clock says so, the monitor has not made yet.
  const now = (): number => world.time + 500;
  const osd = world.session('osd.3', { now });
  const session = world.join(osd);
  const client = world.session('client.a');
  const clientSession = world.join(client);
  const newest = new Set<bigint>();
  for (const end = world.time + 60_000; world.time < end; world.time += 100) {
    for (let request = osd.nextRequest(now()); request !== undefined; request = osd.nextRequest(now())) {
      osd.handleReply({ globalId: osd.globalId, ...session.requests!.handleRequest(request) });
    }
    world.renewAll(client, clientSession);
    newest.add(osd.snapshot().rotating!.maxId);
    handshake(client.client(Osd), osd.server(Client));
  }
  assert.ok(newest.size >= 12, `${newest.size} rotations in 60 seconds`);
});

test('a client has no rotating keys, and may have none', () => {
  const world = new CephxWorld();
  const client = world.member('client.a');
  assert.is(client.snapshot().rotating, undefined);
  assert.is(
    client.server(Client).handleRequest(world.member('client.b').client(Osd).start()).kind,
    'refused',
  );
  const pretender = world.session('client.c', { isDaemon: true });
  const session = world.join(pretender);
  const request = pretender.nextRequest(world.time)!;
  assert.is(session.requests!.handleRequest(request).result, -Errno.EACCES);
});

test('a ticket that a daemon has no secret for any more is renewed early', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  const session = world.join(client);
  const stranger = new CephxWorld().member('osd.3');
  const attempt = client.client(Osd);
  const refusal = expectReply(stranger.server(Client).handleRequest(attempt.start()), 'refused');
  assert.ok(client.nextDue > world.time + hour / 2);
  assert.match(msgrError(() => attempt.handleBadMethod(refusal), ErrorCode.Auth).message, /the osd refuses/);
  assert.ok(client.nextDue <= world.time + 1000);
  world.time += 1000;
  assert.is(world.renewAll(client, session), 1);
  assert.ok(client.nextDue > world.time + hour / 2);
});

// ── For worker threads ────────────────────────────────────────────────────────────────────────────

test('a snapshot crosses a port, serves both ways there and is brought up to date', () => {
  const world = new CephxWorld();
  const osd = world.session('osd.3');
  const session = world.join(osd);
  world.renewAll(osd, session);
  const { port1, port2 } = new MessageChannel();
  const across = (): ReturnType<typeof osd.snapshot> => {
    port1.postMessage(osd.snapshot());
    return receiveMessageOnPort(port2)!.message;
  };
  const worker = new SnapshotAuth({ options: world.options, type: Osd, now: world.now }, across());
  const client = world.session('client.a');
  const clientSession = world.join(client);
  for (let round = 0; round < 5; round++) {
    const accepted = handshake(client.client(Osd), worker.server(Client)).acceptor;
    assert.is(accepted.entity, 'client.a');
    const peer = handshake(worker.client(Osd), worker.server(Osd)).acceptor;
    assert.is(peer.entity, 'osd.3');
    world.time += 2 * hour;
    world.renewAll(client, clientSession);
    world.renewAll(osd, session);
    // Two hours later its tickets have run out, and it has no secret for new ones.
    msgrError(() => worker.client(Osd).start(), ErrorCode.Auth);
    worker.update(across());
  }
  port1.close();
});

test('a snapshot and a session that are printed show no secret', () => {
  for (const keyType of keyTypes) {
    const world = new CephxWorld({ keyType });
    const osd = world.member('osd.3');
    const snapshot = osd.snapshot();
    const shown = inspect([osd, snapshot, structuredClone(snapshot)], { depth: 9, showHidden: true });
    const secrets = [
      world.key('osd.3').secret,
      ...snapshot.tickets.map(({ sessionKey }) => sessionKey.secret),
      ...snapshot.rotating!.secrets.map(({ key }) => key.secret),
    ];
    for (const secret of secrets) {
      const bytes = secret.export();
      assert.not.ok(shown.includes(bytes.toString('hex')));
      assert.not.ok(shown.includes(bytes.toString('base64')));
      assert.not.ok(shown.includes(inspect(bytes).slice(8, -1)));
    }
  }
});

test.run();
