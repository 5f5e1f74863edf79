/** Bits changed in what is sealed, and tickets put together from two: CVE-2025-30156. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealTicketInfo } from '../../../src/auth/cephx/auth-ticket.ts';
import { encodeAuthorizerHead } from '../../../src/auth/cephx/authorizer.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import type { HeldTicket } from '../../../src/auth/cephx/held-ticket.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import type { CephxSession } from '../../../src/auth/cephx/session.ts';
import { parseAuthName } from '../../../src/auth/keyring.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { utimeFromMs } from '../../../src/wire/utime.ts';
import { authorizer, refusesRequest, request, ticketOf } from '../support/attack-tools.ts';
import { CephxWorld, expectReply, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;
const hour = 3600_000;

test('every bit changed in every sealed part of key type aes256k is noticed', () => {
  const world = new CephxWorld();
  const client = world.session('client.a');
  world.join(client);
  const osd = world.session('osd.3');
  const osdSession = world.join(osd);
  const sealed: { name: string; bytes: Buffer; take: (bytes: Uint8Array) => unknown }[] = [];
  // The ticket, at its service.
  const ticket = ticketOf(client, Osd);
  world.renewAll(osd, osdSession);
  const { globalId } = client;
  sealed.push({
    name: 'ticket',
    bytes: Buffer.from(ticket.ticket.blob),
    take: (blob) => {
      const altered = { ...ticket, ticket: { ...ticket.ticket, blob } };
      const server = osd.server(Client);
      expectReply(server.handleRequest(request(authorizer({ globalId, ticket: altered }))), 'more');
    },
  });
  // The authorizer of both rounds, at the service; its challenge and its reply, at the client.
  const attempt = client.client(Osd);
  const first = attempt.start();
  const server = osd.server(Client);
  const more = Buffer.from(expectReply(server.handleRequest(first), 'more').payload);
  const answer = Buffer.from(attempt.handleReplyMore(more));
  const headBytes = encodeWith((encoder) => {
    encoder.u8(1);
    encodeAuthorizerHead(encoder, { globalId, service: Osd, ticket: ticket.ticket });
    encoder.u32(0);
  }).byteLength;
  sealed.push({
    name: 'authorizer',
    bytes: Buffer.from(first.payload.subarray(headBytes)),
    take: (bytes) => {
      const payload = Buffer.concat([first.payload.subarray(0, headBytes), bytes]);
      expectReply(osd.server(Client).handleRequest({ ...first, payload }), 'more');
    },
  });
  sealed.push({
    name: 'challenge',
    bytes: more,
    take: (payload) => {
      const other = client.client(Osd);
      other.start();
      other.handleReplyMore(payload);
    },
  });
  const done = expectReply(server.handleRequestMore(answer), 'done');
  sealed.push({
    name: 'authorizer reply',
    bytes: Buffer.from(done.payload.subarray(4)),
    take: (bytes) => {
      const payload = Buffer.concat([done.payload.subarray(0, 4), bytes]);
      attempt.handleDone(globalId, done.outcome.connectionMode, payload);
    },
  });
  // All that a monitor seals: its answers are opened whole, so each of their sealed parts is found by length.
  const monAttempt = client.client(Mon, monAddr);
  const monServer = world.mon.server(Client);
  const monMore = expectReply(monServer.handleRequest(monAttempt.start()), 'more');
  const monDone = expectReply(
    monServer.handleRequestMore(monAttempt.handleReplyMore(monMore.payload)),
    'done',
  );
  const takeMon = (payload: Uint8Array) =>
    monAttempt.handleDone(globalId, monDone.outcome.connectionMode, payload);
  for (const [start, end] of sealedParts(monDone.payload)) {
    const rest = (bytes: Uint8Array) =>
      Buffer.concat([monDone.payload.subarray(0, start), bytes, monDone.payload.subarray(end)]);
    const bytes = Buffer.from(monDone.payload.subarray(start, end));
    sealed.push({ name: `AUTH_DONE at ${start}`, bytes, take: (changed) => takeMon(rest(changed)) });
  }
  const rotating = osdSession.requests!.handleRequest(Buffer.from([0x00, 0x04])).payload;
  sealed.push({
    name: 'rotating secrets',
    bytes: Buffer.from(rotating.subarray(10)),
    take: (bytes) => {
      world.time = osd.nextDue;
      assert.equal(osd.nextRequest(world.time), Buffer.from([0x00, 0x04]));
      const payload = Buffer.concat([rotating.subarray(0, 10), bytes]);
      try {
        osd.handleReply({ result: 0, globalId: osd.globalId, payload });
      } finally {
        osd.abandonRequest();
      }
    },
  });
  assert.is(sealed.length, 8, sealed.map(({ name }) => name).join(', '));
  let bits = 0;
  for (const { name, bytes, take } of sealed) {
    if (name === 'rotating secrets') osdDueForRotatingKeysAlone(world, osd, osdSession);
    take(bytes);
    if (name === 'rotating secrets') osdDueForRotatingKeysAlone(world, osd, osdSession);
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      let isRefused = false;
      try {
        take(changed);
      } catch (error) {
        isRefused = true;
        if (!(error instanceof Error)) throw error;
      }
      assert.ok(isRefused, `${name}, bit ${bit}`);
      bits++;
    }
  }
  console.log(`\n  ${bits} bits in ${sealed.length} sealed parts`);
});

/** Until nothing but the rotating keys is due. */
function osdDueForRotatingKeysAlone(
  world: CephxWorld,
  osd: CephxSession,
  session: ReturnType<CephxWorld['join']>,
): void {
  for (;;) {
    world.time = osd.nextDue;
    const next = osd.nextRequest(world.time)!;
    if (next.byteLength === 2) return osd.abandonRequest();
    osd.handleReply({ globalId: osd.globalId, ...session.requests!.handleRequest(next) });
  }
}

/** The parts of a monitor's answer that are sealed for the client: from, to. */
function sealedParts(payload: Uint8Array): [number, number][] {
  const parts: [number, number][] = [];
  const decoder = new Decoder(payload);
  const part = (): void => {
    const bytes = decoder.buffer('part');
    parts.push([decoder.position - bytes.byteLength, decoder.position]);
  };
  decoder.skip(6 + 1 + 4 + 4 + 1, 'header, version, count, service, version');
  part();
  assert.ok(decoder.bool('encrypted'));
  part();
  const secret = decoder.buffer('connectionSecret');
  parts.push([decoder.position - secret.byteLength + 4, decoder.position]);
  return parts;
}

test('tickets of key type aes256k that are put together from two are refused', () => {
  const world = new CephxWorld();
  const osd = world.member('osd.3');
  const clients = [
    world.member('client.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
    world.member('client.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'),
  ];
  const [a, b] = clients.map((client) => ticketOf(client, Osd));
  const left = Buffer.from(a!.ticket.blob);
  const right = Buffer.from(b!.ticket.blob);
  assert.is(left.byteLength, right.byteLength);
  for (let cut = 1; cut < left.byteLength; cut++) {
    for (const [one, two] of [
      [left, right],
      [right, left],
    ] as const) {
      const blob = Buffer.concat([one.subarray(0, cut), two.subarray(cut)]);
      // Of two random bytes at either end one pair in 256 is equal: then this is a ticket that was issued.
      if (blob.equals(left) || blob.equals(right)) continue;
      for (const [index, ticket] of [a!, b!].entries()) {
        const { globalId } = clients[index]!;
        const spliced = { ...ticket, ticket: { ...ticket.ticket, blob } };
        refusesRequest(osd.server(Client), authorizer({ globalId, ticket: spliced }), /does not open/);
      }
    }
  }
});

test('a ticket of key type aes with the bit for allow_all is refused', () => {
  // The attack of the CVE: a bit changed in one block of the ciphertext changes the same bit of the next
  // block's plaintext, and leaves random bytes in its own: here the times.
  const world = new CephxWorld({ keyType: KeyType.Aes });
  const osd = world.member('osd.3');
  const { id, key } = world.keys.currentSecret(Osd)!;
  // A name of this length puts the random block on the times alone.
  const name = parseAuthName('client.thirteen-long');
  const created = utimeFromMs(world.time);
  const sessionKey = CryptoKey.generate(KeyType.Aes, created);
  const expires = utimeFromMs(world.time + hour);
  const blob = sealTicketInfo(key, {
    ticket: { name, globalId: 7n, created, expires, caps: 'allow r' },
    sessionKey,
  });
  const allowAllAt = 9 + 2 + 8 + name.id.length + 8 + 8 + 8 + 8 + 1;
  const held: HeldTicket = {
    service: Osd,
    sessionKey,
    ticket: { secretId: id, blob },
    expires: 0,
    renewAfter: 0,
  };
  expectReply(osd.server(Client).handleRequest(request(authorizer({ globalId: 7n, ticket: held }))), 'more');
  for (let bit = 0; bit < 8; bit++) {
    const altered = Buffer.from(blob);
    altered[allowAllAt - 16]! ^= 1 << bit;
    const ticket = { ...held, ticket: { secretId: id, blob: altered } };
    expectReply(osd.server(Client).handleRequest(request(authorizer({ globalId: 7n, ticket }))), 'refused');
  }
});

test.run();
