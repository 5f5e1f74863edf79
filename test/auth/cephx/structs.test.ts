/** The structs that cephx speaks in: round trips, truncation at every byte, boundary values. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeTicketInfo,
  encodeTicketInfo,
  sealTicketInfo,
  type TicketInfo,
  unsealTicketInfo,
} from '../../../src/auth/cephx/auth-ticket.ts';
import {
  decodeAuthorize,
  decodeAuthorizeReply,
  decodeAuthorizerHead,
  encodeAuthorize,
  encodeAuthorizeReply,
  encodeAuthorizerHead,
  sealAuthorizeChallenge,
  unsealAuthorizeChallenge,
} from '../../../src/auth/cephx/authorizer.ts';
import {
  challengeProof,
  decodeAuthenticate,
  decodeServerChallenge,
  encodeAuthenticate,
  encodeServerChallenge,
} from '../../../src/auth/cephx/challenge.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyUsage } from '../../../src/auth/cephx/key-usage.ts';
import { decodeResponseHeader, encodeResponseHeader } from '../../../src/auth/cephx/request.ts';
import {
  currentSecret,
  decodeRotatingSecrets,
  encodeRotatingSecrets,
} from '../../../src/auth/cephx/rotating-secrets.ts';
import { seal, unseal } from '../../../src/auth/cephx/sealed.ts';
import { decodeTicketBlob, encodeTicketBlob } from '../../../src/auth/cephx/ticket-blob.ts';
import { decodeTicketGrants, encodeTicketGrants } from '../../../src/auth/cephx/ticket-grant.ts';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { type Encoder, encodeWith } from '../../../src/wire/encoder.ts';
import { EntityAuthName, EntityType } from '../../../src/wire/entity-name.ts';
import { checkTruncation, hex, msgrError } from '../../support/wire-checks.ts';
import { keyTypes } from '../support/cephx-world.ts';

const created = { sec: 1_790_000_000, nsec: 5 };

/** Golden bytes of what is in the clear; each must come back, and be refused at every shorter length. */
function check<T>(
  name: string,
  value: T,
  golden: Buffer,
  write: (encoder: Encoder, value: T) => void,
  read: (decoder: Decoder) => T,
): void {
  test(name, () => {
    assert.is(encodeWith((encoder) => write(encoder, value)).toString('hex'), golden.toString('hex'));
    const decode = (bytes: Uint8Array): T => read(new Decoder(bytes, 'x'));
    assert.equal(decode(golden), value);
    checkTruncation(golden, decode);
    const zero = Buffer.from(golden);
    if (golden[0] === 1) {
      zero[0] = 0;
      assert.is(msgrError(() => decode(zero)).field?.endsWith('struct_v'), true);
      zero[0] = 255;
      decode(zero);
    }
  });
}

check(
  'CephXServerChallenge',
  0x1122334455667788n,
  hex('01', '8877665544332211'),
  encodeServerChallenge,
  decodeServerChallenge,
);
check(
  'CephXTicketBlob',
  { secretId: 2n, blob: hex('aabb') },
  hex('01', '0200000000000000', '02000000', 'aabb'),
  encodeTicketBlob,
  (decoder) => decodeTicketBlob(decoder, 'blob'),
);
check(
  'CephXAuthenticate',
  { version: 3, clientChallenge: 1n, proof: 2n, oldTicket: { secretId: 0n, blob: hex('') }, otherKeys: 0x35 },
  hex('03', '0100000000000000', '0200000000000000', '01', '0000000000000000', '00000000', '35000000'),
  encodeAuthenticate,
  decodeAuthenticate,
);
check(
  'CephXResponseHeader with a refusal',
  { type: 0x0200, status: -13 },
  hex('0002', 'f3ffffff'),
  encodeResponseHeader,
  decodeResponseHeader,
);
check(
  'the head of an authorizer',
  { globalId: 4110n, service: 4, ticket: { secretId: 2n, blob: hex('cc') } },
  hex('0e10000000000000', '04000000', '01', '0200000000000000', '01000000', 'cc'),
  encodeAuthorizerHead,
  decodeAuthorizerHead,
);

test('CephXAuthenticate of clients before Nautilus asks for no other tickets', () => {
  const bytes = hex('01', '0100000000000000', '0200000000000000', '01', '0000000000000000', '00000000');
  assert.is(decodeAuthenticate(new Decoder(bytes)).otherKeys, 0);
});

function ticketInfo(type: (typeof keyTypes)[number], change: Partial<TicketInfo['ticket']> = {}): TicketInfo {
  return {
    ticket: {
      name: new EntityAuthName(EntityType.Client, 'admin'),
      globalId: 4110n,
      created,
      expires: { sec: created.sec + 3600, nsec: 5 },
      caps: 'allow rw pool=data',
      ...change,
    },
    sessionKey: CryptoKey.generate(type, created),
  };
}

for (const type of keyTypes) {
  const key = CryptoKey.generate(type, created);
  const other = CryptoKey.generate(type, created);
  const flawed = (body: () => unknown): void => {
    try {
      body();
    } catch (error) {
      if (error instanceof MsgrError) return;
      throw error;
    }
    throw new Error('it was taken');
  };

  test(`a ticket (keys of type ${type})`, () => {
    const info = ticketInfo(type);
    const blob = sealTicketInfo(key, info);
    const opened = unsealTicketInfo(key, blob);
    assert.equal(opened.ticket, info.ticket);
    assert.ok(opened.sessionKey.equals(info.sessionKey));
    flawed(() => unsealTicketInfo(other, blob));
    for (let length = 0; length < blob.byteLength; length++) {
      flawed(() => unsealTicketInfo(key, blob.subarray(0, length)));
    }
    const plain = encodeWith((encoder) => encodeTicketInfo(encoder, info));
    checkTruncation(plain, (bytes) => decodeTicketInfo(new Decoder(bytes)));
  });

  test(`tickets that no monitor makes (keys of type ${type})`, () => {
    const sealed = (change: (plain: Buffer) => void): Buffer =>
      seal(key, KeyUsage.TicketInfo, (encoder) => {
        const plain = encodeWith((inner) => encodeTicketInfo(inner, ticketInfo(type)));
        change(plain);
        encoder.raw(plain);
      });
    const nameBytes = 4 + 4 + 'admin'.length;
    const auidAt = 1 + 1 + nameBytes + 8;
    const allowAllAt = auidAt + 8 + 8 + 8 + 1;
    unsealTicketInfo(
      key,
      sealed(() => {}),
    );
    flawed(() =>
      unsealTicketInfo(
        key,
        sealed((plain) => (plain[auidAt] = 0)),
      ),
    );
    flawed(() =>
      unsealTicketInfo(
        key,
        sealed((plain) => (plain[allowAllAt] = 1)),
      ),
    );
    // Caps whose restriction is cut off.
    flawed(() =>
      unsealTicketInfo(
        key,
        sealed((plain) => plain.writeUInt32LE(8, allowAllAt + 5)),
      ),
    );
    const times = (ticket: Partial<TicketInfo['ticket']>, info = ticketInfo(type, ticket)): Buffer =>
      sealTicketInfo(key, info);
    flawed(() => unsealTicketInfo(key, times({ expires: created })));
    flawed(() => unsealTicketInfo(key, times({ created: { sec: created.sec, nsec: 6 } })));
    flawed(() => unsealTicketInfo(key, times({ created: { sec: created.sec - 301, nsec: 0 } })));
    flawed(() => unsealTicketInfo(key, times({ expires: { sec: created.sec + 60, nsec: 1_000_000_001 } })));
  });

  test(`tickets that are handed out (keys of type ${type})`, () => {
    const grant = {
      service: EntityType.Osd as number,
      sessionKey: CryptoKey.generate(type, created),
      ticket: { secretId: 7n, blob: Uint8Array.from([1, 2, 3]) },
      validity: { sec: 3600, nsec: 0 },
    };
    for (const oldKey of [undefined, CryptoKey.generate(type, created)]) {
      const bytes = encodeWith((encoder) => encodeTicketGrants(encoder, [grant, grant], key, oldKey));
      const decode = (input: Uint8Array) => decodeTicketGrants(new Decoder(input), key, () => oldKey);
      const grants = decode(bytes);
      assert.is(grants.length, 2);
      assert.ok(grants[1]!.sessionKey.equals(grant.sessionKey));
      assert.equal({ ...grants[1], sessionKey: 0 }, { ...grant, sessionKey: 0 });
      for (let length = 0; length < bytes.byteLength; length++) {
        flawed(() => decode(Uint8Array.from(bytes.subarray(0, length))));
      }
      flawed(() => decodeTicketGrants(new Decoder(bytes), other, () => oldKey));
      if (oldKey !== undefined) {
        flawed(() => decodeTicketGrants(new Decoder(bytes), key));
        flawed(() => decodeTicketGrants(new Decoder(bytes), key, () => other));
      }
    }
    // A count that the bytes cannot hold.
    const many = hex('01', 'ffffffff', '00'.repeat(64));
    assert.ok(msgrError(() => decodeTicketGrants(new Decoder(many, 'x'), key)).field?.endsWith('tickets'));
  });

  test(`what is inside an authorizer (keys of type ${type})`, () => {
    for (const challengePlusOne of [undefined, 0n, 0xffff_ffff_ffff_ffffn]) {
      const value = { nonce: 0xffff_ffff_ffff_ffffn, challengePlusOne };
      const bytes = encodeWith((encoder) => encodeAuthorize(encoder, key, value));
      assert.equal(decodeAuthorize(new Decoder(bytes), key), value);
      flawed(() => decodeAuthorize(new Decoder(bytes), other));
    }
    const sealed = sealAuthorizeChallenge(key, 77n);
    assert.is(unsealAuthorizeChallenge(key, sealed), 77n);
    flawed(() => unsealAuthorizeChallenge(other, sealed));
    for (const secretBytes of [0, 64]) {
      const reply = { noncePlusOne: 5n, connectionSecret: Buffer.alloc(secretBytes, 9) };
      const bytes = encodeAuthorizeReply(key, reply);
      const decoded = decodeAuthorizeReply(new Decoder(bytes), key);
      assert.is(decoded.noncePlusOne, 5n);
      assert.equal(Buffer.from(decoded.connectionSecret), reply.connectionSecret);
      flawed(() => decodeAuthorizeReply(new Decoder(bytes), other));
    }
  });

  test(`rotating secrets (keys of type ${type})`, () => {
    const secret = (sec: number) => ({
      key: CryptoKey.generate(type, created),
      expiration: { sec, nsec: 0 },
    });
    const value = {
      secrets: new Map([
        [4n, secret(10)],
        [5n, secret(20)],
        [6n, secret(30)],
      ]),
      maxId: 6n,
    };
    const bytes = encodeWith((encoder) => encodeRotatingSecrets(encoder, value));
    const decode = (input: Uint8Array) => decodeRotatingSecrets(new Decoder(input));
    const decoded = decode(bytes);
    assert.equal([...decoded.secrets.keys()], [4n, 5n, 6n]);
    assert.ok(decoded.secrets.get(5n)!.key.equals(value.secrets.get(5n)!.key));
    assert.is(currentSecret(decoded)?.id, 5n);
    checkTruncation(bytes, decode);
    msgrError(() => decode(hex('01', 'ffffffff', '00'.repeat(64))));
  });

  test(`the magic number tells the right key (keys of type ${type})`, () => {
    const plain = encodeWith((encoder) => encoder.u8(1).u64(0x1234n).u64(1n));
    const sealed = key.encrypt(plain, KeyUsage.Authorize);
    msgrError(() => unseal(key, KeyUsage.Authorize, sealed, 'it', (d) => d.u64('x')), ErrorCode.Auth);
    const short = key.encrypt(Buffer.alloc(3), KeyUsage.Authorize);
    msgrError(() => unseal(key, KeyUsage.Authorize, short, 'it', (d) => d.u64('x')), ErrorCode.Auth);
  });

  test(`a proof depends on both challenges and on the key (keys of type ${type})`, () => {
    const proofs = new Set([
      challengeProof(key, 1n, 2n),
      challengeProof(key, 2n, 1n),
      challengeProof(key, 1n, 3n),
      challengeProof(other, 1n, 2n),
    ]);
    assert.is(proofs.size, 4);
    assert.is(challengeProof(key, 1n, 2n), challengeProof(key, 1n, 2n));
  });
}

test.run();
