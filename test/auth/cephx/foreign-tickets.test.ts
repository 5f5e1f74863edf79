/** Tickets of others: another cluster's, another service's, another client's, one that has run out. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { unsealAuthorizeChallenge } from '../../../src/auth/cephx/authorizer.ts';
import { plusOne } from '../../../src/auth/cephx/u64.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { authorizer, refusesRequest, request, ticketOf } from '../support/attack-tools.ts';
import { CephxWorld, expectReply, keyTypes } from '../support/cephx-world.ts';

const { Auth, Client, Mgr, Osd } = EntityType;

for (const keyType of keyTypes) {
  const suffix = `(keys of type ${keyType})`;

  test(`foreign, expired and mismatched tickets are refused ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.member('client.a');
    const osd = world.member('osd.3');
    const { globalId } = client;
    const ticket = ticketOf(client, Osd);
    const server = () => osd.server(Client);
    expectReply(server().handleRequest(request(authorizer({ globalId, ticket }))), 'more');
    // Another cluster, whose secrets have the same numbers.
    const abroad = new CephxWorld({ keyType }).member('client.a');
    refusesRequest(
      server(),
      authorizer({ globalId: abroad.globalId, ticket: ticketOf(abroad, Osd) }),
      /does not open/,
    );
    // Another service's ticket, as what it is and as if it were ours.
    const mgr = ticketOf(client, Mgr);
    refusesRequest(server(), authorizer({ globalId, ticket: mgr }), /no secret 2 of service mgr/);
    refusesRequest(server(), authorizer({ globalId, ticket: mgr, service: Osd }), /does not open/);
    refusesRequest(
      server(),
      authorizer({ globalId, ticket: ticketOf(client, Auth), service: Osd }),
      /does not open/,
    );
    // Somebody else's global id.
    refusesRequest(server(), authorizer({ globalId: globalId + 1n, ticket }), /claims global id/);
    refusesRequest(server(), authorizer({ globalId: 0n, ticket }), /claims global id/);
    // Somebody else's ticket, seen on the wire, without its session key.
    const seen = { ...ticketOf(world.member('client.b'), Osd), sessionKey: ticket.sessionKey };
    refusesRequest(
      server(),
      authorizer({ globalId: client.globalId + 2n, ticket: seen }),
      /claims global id|does not open/,
    );
    // Secrets that do not exist: the general one of old protocols among them.
    for (const secretId of [0n, 99n, 0xffff_ffff_ffff_ffffn]) {
      const { blob } = ticket.ticket;
      refusesRequest(
        server(),
        authorizer({ globalId, ticket: { ...ticket, ticket: { secretId, blob } } }),
        /no secret/,
      );
    }
    // A monitor's mode, no mode.
    refusesRequest(server(), authorizer({ globalId, ticket, mode: 10 }), /no authorizer/);
    refusesRequest(server(), authorizer({ globalId, ticket, mode: 0 }), /no authorizer/);
    // Who greets as a daemon must prove to be one.
    refusesRequest(osd.server(Osd), authorizer({ globalId, ticket }), /client\.a greets as if it were a osd/);
    expectReply(osd.server(Osd).handleRequest(osd.client(Osd).start()), 'more');
    world.time = ticket.expires;
    refusesRequest(server(), authorizer({ globalId, ticket }), /run out/);
    world.time = ticket.expires - 1;
    expectReply(server().handleRequest(request(authorizer({ globalId, ticket }))), 'more');
  });

  test(`the second round may not be with another ticket than the first ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.session('client.a');
    const session = world.join(client);
    const osd = world.member('osd.3');
    const { globalId } = client;
    const older = ticketOf(client, Osd);
    world.time = client.nextDue;
    world.renewAll(client, session);
    const newer = ticketOf(client, Osd);
    assert.not.equal(older.ticket.blob, newer.ticket.blob);
    for (const [shown, answered, kind] of [
      [older, older, 'done'],
      [older, newer, 'refused'],
      [newer, older, 'refused'],
    ] as const) {
      const server = osd.server(Client);
      const first = request(authorizer({ globalId, ticket: shown }));
      const { payload } = expectReply(server.handleRequest(first), 'more');
      // Whoever holds both tickets knows the challenge.
      const challengePlusOne = plusOne(unsealAuthorizeChallenge(shown.sessionKey, payload));
      const second = authorizer({ globalId, ticket: answered, challengePlusOne });
      expectReply(server.handleRequestMore(second), kind);
      if (kind === 'refused') assert.match(server.refusal!.message, /another ticket/);
    }
  });
}

test.run();
