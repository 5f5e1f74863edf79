/** What was recorded is played again, or the challenge left out: CVE-2018-1128, CVE-2020-25660. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CephxSession } from '../../../src/auth/cephx/session.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { ErrorCode } from '../../../src/errors.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { msgrError } from '../../support/wire-checks.ts';
import { authorizer, request, ticketOf } from '../support/attack-tools.ts';
import { CephxWorld, expectReply, keyTypes, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;

for (const keyType of keyTypes) {
  const suffix = `(keys of type ${keyType})`;

  test(`a handshake with a daemon that is played again is refused ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.member('client.a');
    const osd = world.member('osd.3');
    const attempt = client.client(Osd);
    const first = attempt.start();
    const server = osd.server(Client);
    const second = attempt.handleReplyMore(expectReply(server.handleRequest(first), 'more').payload);
    expectReply(server.handleRequestMore(second), 'done');
    // The same server again, and others: each has a challenge of its own, good for one answer.
    expectReply(server.handleRequestMore(second), 'refused');
    for (const again of [osd.server(Client), osd.server(Client), world.member('osd.4').server(Client)]) {
      expectReply(again.handleRequest(first), 'more');
      assert.is(expectReply(again.handleRequestMore(second), 'refused').result, -Errno.EACCES);
      assert.match(again.refusal!.message, /played again/);
      expectReply(again.handleRequestMore(second), 'refused');
    }
    const early = osd.server(Client);
    assert.is(expectReply(early.handleRequestMore(second), 'refused').result, -Errno.EACCES);
  });

  test(`a handshake with a monitor that is played again is refused, a return as well ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.session('client.a');
    for (const round of ['new', 'return']) {
      const attempt = client.client(Mon, monAddr);
      const server = world.mon.server(Client);
      const first = attempt.start();
      const { payload } = expectReply(server.handleRequest(first), 'more');
      const second = attempt.handleReplyMore(payload);
      const done = expectReply(server.handleRequestMore(second), 'done');
      attempt.handleDone(done.outcome.globalId, done.outcome.connectionMode, done.payload);
      client.choose(monAddr);
      expectReply(server.handleRequestMore(second), 'refused');
      const again = world.mon.server(Client);
      expectReply(again.handleRequest(first), 'more');
      assert.is(expectReply(again.handleRequestMore(second), 'refused').result, -Errno.EACCES, round);
      // The monitor's answer played to another attempt: sealed for the client, but of no session.
      const other = client.client(Mon, monAddr);
      other.start();
      msgrError(
        () => other.handleDone(done.outcome.globalId, done.outcome.connectionMode, done.payload),
        ErrorCode.Auth,
      );
    }
  });

  test(`a daemon's answer that is played again is refused by the client ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.member('client.a');
    const osd = world.member('osd.3');
    const finish = (attempt: ReturnType<CephxSession['client']>) => {
      const server = osd.server(Client);
      const more = attempt.handleReplyMore(
        expectReply(server.handleRequest(attempt.start()), 'more').payload,
      );
      return expectReply(server.handleRequestMore(more), 'done');
    };
    const done = finish(client.client(Osd));
    const other = client.client(Osd);
    const server = osd.server(Client);
    const { payload } = expectReply(server.handleRequest(other.start()), 'more');
    other.handleReplyMore(payload);
    msgrError(() => other.handleReplyMore(payload), ErrorCode.Auth);
    const { message } = msgrError(
      () => other.handleDone(1n, done.outcome.connectionMode, done.payload),
      ErrorCode.Auth,
    );
    assert.match(message, /another authorizer/);
  });

  test(`the challenge is always demanded: no downgrade ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.member('client.a');
    const osd = world.member('osd.3');
    const { globalId } = client;
    const ticket = ticketOf(client, Osd);
    // Without a challenge, with a guessed one, and with the sum that wraps around: none is let in at once.
    for (const challengePlusOne of [undefined, 0n, 1n, 0xffff_ffff_ffff_ffffn]) {
      const server = osd.server(Client);
      expectReply(
        server.handleRequest(
          request(
            authorizer({ globalId, ticket, ...(challengePlusOne === undefined ? {} : { challengePlusOne }) }),
          ),
        ),
        'more',
      );
      const unanswered = authorizer({ globalId, ticket });
      expectReply(server.handleRequestMore(unanswered), 'refused');
      assert.match(server.refusal!.message, /not answered/);
    }
    // A connector that asks anew instead of answering gets another challenge each time.
    const server = osd.server(Client);
    const seen = new Set<string>();
    for (let round = 0; round < 100; round++) {
      const more = expectReply(server.handleRequest(request(authorizer({ globalId, ticket }))), 'more');
      seen.add(Buffer.from(more.payload).toString('hex'));
    }
    assert.is(seen.size, 100);
  });
}

test.run();
