/** Nobody gets the global id, or the tickets, of somebody else: CVE-2021-20288. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  challengeProof,
  decodeServerChallenge,
  encodeAuthenticate,
} from '../../../src/auth/cephx/challenge.ts';
import { RequestType } from '../../../src/auth/cephx/request.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { parseAuthName } from '../../../src/auth/keyring.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { EntityType, encodeEntityAuthName } from '../../../src/wire/entity-name.ts';
import { request, ticketOf } from '../support/attack-tools.ts';
import { CephxWorld, expectReply, keyTypes } from '../support/cephx-world.ts';

const { Auth, Client } = EntityType;
const hour = 3600_000;

for (const keyType of keyTypes) {
  const suffix = `(keys of type ${keyType})`;

  test(`nobody gets the global id of somebody else ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const a = world.member('client.a');
    const b = world.member('client.b');
    const empty = { secretId: 0n, blob: new Uint8Array(0) };
    const ask = (globalId: bigint, oldTicket: { secretId: bigint; blob: Uint8Array }, version = 3) => {
      const server = world.mon.server(Client);
      const payload = encodeWith((encoder) => {
        encoder.u8(10);
        encodeEntityAuthName(encoder, parseAuthName('client.a'));
        encoder.u64(globalId);
      });
      const more = expectReply(server.handleRequest(request(payload)), 'more');
      const challenge = decodeServerChallenge(new Decoder(more.payload));
      const answer = encodeWith((encoder) => {
        encoder.u16(RequestType.AuthSessionKey);
        const proof = challengeProof(world.key('client.a'), challenge, 5n);
        encodeAuthenticate(encoder, { clientChallenge: 5n, proof, oldTicket, otherKeys: Auth });
      });
      answer[2] = version;
      const reply = server.handleRequestMore(answer);
      return reply.kind === 'refused' ? reply.result : reply.kind;
    };
    const ticketA = ticketOf(a, Auth).ticket;
    const ticketB = ticketOf(b, Auth).ticket;
    assert.is(ask(b.globalId, empty), -Errno.EACCES);
    assert.is(ask(b.globalId, empty, 1), -Errno.EACCES);
    assert.is(ask(b.globalId, ticketA), -Errno.EACCES);
    assert.is(ask(b.globalId, ticketB), -Errno.EACCES, 'a ticket that was seen on the wire');
    assert.is(ask(b.globalId, { secretId: 2n, blob: Buffer.alloc(96, 1) }), -Errno.EACCES);
    assert.is(ask(12345n, ticketA), -Errno.EACCES);
    assert.is(ask(0n, ticketA), -Errno.EINVAL);
    assert.is(ask(a.globalId, ticketA), 'done');
    world.time = ticketOf(a, Auth).expires;
    assert.is(ask(a.globalId, ticketA), -Errno.EACCES, 'expired');
  });

  test(`old clients come back without a ticket only where the option allows it ${suffix}`, () => {
    for (const isAllowed of [false, true]) {
      const options = { auth_allow_insecure_global_id_reclaim: isAllowed };
      const world = new CephxWorld({ keyType, options });
      const { globalId } = world.member('client.a');
      for (const version of [1, 2, 3]) {
        const server = world.mon.server(Client);
        const first = encodeWith((encoder) => {
          encoder.u8(10);
          encodeEntityAuthName(encoder, parseAuthName('client.a'));
          encoder.u64(globalId);
        });
        const more = expectReply(server.handleRequest(request(first)), 'more');
        const challenge = decodeServerChallenge(new Decoder(more.payload));
        const answer = encodeWith((encoder) => {
          encoder.u16(RequestType.AuthSessionKey);
          const proof = challengeProof(world.key('client.a'), challenge, 5n);
          const oldTicket = { secretId: 0n, blob: new Uint8Array(0) };
          encodeAuthenticate(encoder, { clientChallenge: 5n, proof, oldTicket, otherKeys: Auth });
        });
        answer[2] = version;
        assert.is(server.handleRequestMore(answer).kind, isAllowed && version < 3 ? 'done' : 'refused');
      }
    }
  });

  test(`requests inside a session are for the session's own entity ${suffix}`, () => {
    const world = new CephxWorld({ keyType });
    const a = world.session('client.a');
    const requestsOfA = world.join(a).requests!;
    const b = world.session('client.b');
    const requestsOfB = world.join(b).requests!;
    world.time += hour;
    const fromA = a.nextRequest(world.time)!;
    assert.is(requestsOfA.handleRequest(fromA).result, 0);
    assert.is(requestsOfB.handleRequest(fromA).result, -Errno.EACCES);
    // An entity that was removed meanwhile gets nothing more.
    world.keys.delete(parseAuthName('client.a'));
    assert.is(requestsOfA.handleRequest(fromA).result, -Errno.EACCES);
    const unknown = Buffer.from([0x00, 0x08]);
    assert.is(requestsOfB.handleRequest(unknown).result, -Errno.EINVAL);
  });
}

test.run();
