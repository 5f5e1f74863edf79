/**
 * Lengths, results and bytes at their boundaries, in every message of cephx and at both ends: CVE-2023-44466,
 * CVE-2026-22984, CVE-2026-43407, CVE-2026-46119 and CVE-2026-46024.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeResponseHeader, RequestType } from '../../../src/auth/cephx/request.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { msgrError } from '../../support/wire-checks.ts';
import { CephxWorld, expectReply, keyTypes, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;
const hour = 3600_000;

for (const keyType of keyTypes) {
  const suffix = `(keys of type ${keyType})`;

  /** All that a peer can send, by its receiver, which must answer with a value or a MsgrError. */
  function receivers(world: CephxWorld): { name: string; good: Buffer; take: (bytes: Uint8Array) => void }[] {
    const client = world.session('client.a');
    const session = world.join(client);
    const osd = world.member('osd.3');
    const monAttempt = () => {
      const attempt = client.client(Mon, monAddr);
      return { attempt, first: attempt.start() };
    };
    const first = monAttempt();
    const monServer = world.mon.server(Client);
    const monMore = expectReply(monServer.handleRequest(first.first), 'more').payload;
    const monProof = first.attempt.handleReplyMore(monMore);
    const monDone = expectReply(monServer.handleRequestMore(monProof), 'done');
    const osdAttempt = client.client(Osd);
    const osdFirst = osdAttempt.start();
    const osdServer = osd.server(Client);
    const osdMore = expectReply(osdServer.handleRequest(osdFirst), 'more').payload;
    const osdAnswer = osdAttempt.handleReplyMore(osdMore);
    const osdDone = expectReply(osdServer.handleRequestMore(osdAnswer), 'done');
    world.time += hour;
    const mAuth = client.nextRequest(world.time)!;
    const mAuthReply = session.requests!.handleRequest(mAuth).payload;
    world.time -= hour;
    const answered = (name: string, good: Uint8Array, take: (bytes: Uint8Array) => unknown) => ({
      name,
      good: Buffer.from(good),
      take: (bytes: Uint8Array) => void take(bytes),
    });
    const { connectionMode, globalId } = monDone.outcome;
    return [
      answered('AUTH_REQUEST to a monitor', first.first.payload, (payload) => {
        const reply = world.mon.server(Client).handleRequest({ ...first.first, payload });
        assert.ok(reply.kind !== 'done');
      }),
      answered('AUTH_REPLY_MORE of a monitor', monMore, (payload) => {
        const { attempt } = monAttempt();
        attempt.handleReplyMore(payload);
      }),
      answered('AUTH_REQUEST_MORE to a monitor', monProof, (payload) => {
        const server = world.mon.server(Client);
        server.handleRequest(first.first);
        assert.is(server.handleRequestMore(payload).kind, 'refused');
      }),
      answered('AUTH_DONE of a monitor', monDone.payload, (payload) => {
        first.attempt.handleDone(globalId, connectionMode, payload);
      }),
      answered('AUTH_REQUEST to a daemon', osdFirst.payload, (payload) => {
        const reply = osd.server(Client).handleRequest({ ...osdFirst, payload });
        assert.ok(reply.kind !== 'done');
      }),
      answered('AUTH_REPLY_MORE of a daemon', osdMore, (payload) => {
        const attempt = client.client(Osd);
        attempt.start();
        attempt.handleReplyMore(payload);
      }),
      answered('AUTH_REQUEST_MORE to a daemon', osdAnswer, (payload) => {
        const server = osd.server(Client);
        server.handleRequest(osdFirst);
        assert.is(server.handleRequestMore(payload).kind, 'refused');
      }),
      answered('AUTH_DONE of a daemon', osdDone.payload, (payload) => {
        osdAttempt.handleDone(globalId, osdDone.outcome.connectionMode, payload);
      }),
      answered('MAuth', mAuth, (payload) => {
        const { result } = session.requests!.handleRequest(payload);
        assert.ok(result <= 0);
      }),
      answered('MAuthReply', mAuthReply, (payload) => {
        client.abandonRequest();
        client.nextRequest(world.time + hour);
        client.handleReply({ result: 0, globalId, payload });
      }),
    ];
  }

  test(`every message cut off at every byte, and every byte at its boundaries ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    for (const { name, good, take } of receivers(world)) {
      let refusals = 0;
      const harmless = (bytes: Uint8Array): void => {
        try {
          take(bytes);
        } catch (error) {
          if (!(error instanceof MsgrError)) throw new Error(`${name}: ${error}`, { cause: error });
          refusals++;
        }
      };
      for (let length = 0; length < good.byteLength; length++)
        harmless(Uint8Array.from(good.subarray(0, length)));
      // What is longer, a hundred bytes more of anything.
      harmless(Buffer.concat([good, Buffer.alloc(100, 0xff)]));
      for (let at = 0; at < good.byteLength; at++) {
        for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
          const changed = Uint8Array.from(good);
          changed[at] = value;
          harmless(changed);
        }
      }
      // Lengths anywhere: signed and unsigned boundaries (CVE-2023-44466, CVE-2026-43407).
      for (let at = 0; at + 4 <= good.byteLength; at++) {
        for (const value of [
          0,
          1,
          good.byteLength - 1,
          good.byteLength + 1,
          0x7fffffff,
          0x80000000,
          0xffffffff,
        ]) {
          const changed = Buffer.from(good);
          changed.writeUInt32LE(value, at);
          harmless(changed);
        }
      }
      const isAnswer = /^AUTH_(REPLY|DONE)|Reply$/.test(name);
      assert.ok(!isAnswer || refusals > good.byteLength, `${name}: ${refusals} refusals`);
    }
  });

  test(`results at their boundaries ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const results = [0, 1, 4096, 0x7fffffff, -1, -13, -95, -0x80000000];
    for (const result of results) {
      const client = world.session('client.a');
      for (const attempt of [client.client(Mon, monAddr), world.member('client.b').client(Osd)]) {
        attempt.start();
        const refusal = { method: 2, result, allowedMethods: [0, 77, 0xffffffff], allowedModes: [] };
        msgrError(() => attempt.handleBadMethod(refusal), ErrorCode.Auth);
      }
      // MAuthReply: a positive result is no length, and no payload is no tickets.
      world.join(client);
      world.time += hour;
      client.nextRequest(world.time);
      const reply = { result, globalId: 1n, payload: new Uint8Array(0) };
      assert.throws(() => client.handleReply(reply));
      assert.not.ok(client.isComplete);
      // The status inside the payload.
      if (result === 0) continue;
      client.abandonRequest();
      client.nextRequest(world.time);
      const payload = encodeWith((e) =>
        encodeResponseHeader(e, { type: RequestType.PrincipalSessionKey, status: result }),
      );
      msgrError(() => client.handleReply({ result: 0, globalId: 1n, payload }), ErrorCode.Auth);
    }
  });

  test(`methods and modes that are not known, or change on the way ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const client = world.member('client.a');
    const osd = world.member('osd.3');
    for (const server of [() => osd.server(Client), () => world.mon.server(Client)]) {
      const good = client.client(Osd).start();
      for (const method of [0, 1, 4, 77, 0xffffffff]) {
        const reply = expectReply(server().handleRequest({ ...good, method }), 'refused');
        assert.is(reply.result, -Errno.EOPNOTSUPP);
        assert.is(reply.method, method);
      }
      for (const preferredModes of [[], [0], [3, 77, 0xffffffff]]) {
        const reply = expectReply(server().handleRequest({ ...good, preferredModes }), 'refused');
        assert.is(reply.result, -Errno.EOPNOTSUPP);
      }
    }
    // The acceptor takes a mode that was not offered.
    const attempt = client.client(Osd);
    attempt.start();
    for (const mode of [0, 3, 0xffffffff]) {
      const { message } = msgrError(() => attempt.handleDone(1n, mode, new Uint8Array(0)), ErrorCode.Auth);
      assert.match(message, /chose connection mode/);
    }
  });
}

test.run();
