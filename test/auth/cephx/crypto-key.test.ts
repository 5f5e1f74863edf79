import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoKey, decodeCryptoKey, encodeCryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { KeyUsage } from '../../../src/auth/cephx/key-usage.ts';
import { ErrorCode } from '../../../src/errors.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../../support/wire-checks.ts';
import { keyTypes } from '../support/cephx-world.ts';

const handshakes = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/handshakes');

/** `client.admin` of the recordings, made by ceph-authtool. */
const golden = hex(
  '0100', // type: aes
  '905902 6b d0f92f0e', // created: seconds, nanoseconds
  '1000', // length of the secret
  'e6da08 8203e8424 9b33af150cfcd6222',
);
const base64 = 'AQCQWQJr0PkvDhAA5toIggPoQkmzOvFQz81iIg==';
const decode = (bytes: Uint8Array) => decodeCryptoKey(new Decoder(bytes), 'key');

test('a key that ceph-authtool made', () => {
  const key = CryptoKey.parse(base64);
  assert.ok(readFileSync(join(handshakes, 'cephx-crc/keyring'), 'utf8').includes(base64));
  assert.is(key.type, KeyType.Aes);
  assert.equal(key.created, { sec: 0x6b025990, nsec: 0x0e2ff9d0 });
  assert.is(key.secret.symmetricKeySize, 16);
  assert.is(key.toBase64(), base64);
  assert.is(Buffer.from(base64, 'base64').toString('hex'), golden.toString('hex'));
});

for (const type of keyTypes) {
  test(`keys of type ${type} are cut off nowhere and changed without harm`, () => {
    const key = CryptoKey.generate(type, { sec: 1, nsec: 2 });
    const bytes = encodeWith((encoder) => encodeCryptoKey(encoder, key));
    assert.ok(decode(bytes).equals(key));
    checkTruncation(bytes, decode);
    checkMutation(bytes, decode);
  });

  test(`a key of type ${type} opens what it sealed, and another does not`, () => {
    const key = CryptoKey.generate(type);
    const sealed = key.encrypt(Buffer.from('ticket'), KeyUsage.TicketInfo);
    assert.is(key.decrypt(sealed, KeyUsage.TicketInfo, 'it').toString(), 'ticket');
    const other = CryptoKey.generate(type);
    assert.not.ok(other.equals(key));
    let opened = 0;
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        // With key type aes, wrong padding is all there is at this level.
        CryptoKey.generate(type).decrypt(sealed, KeyUsage.TicketInfo, 'it');
        opened++;
      } catch {}
    }
    assert.ok(opened <= (type === KeyType.Aes ? 3 : 0));
  });
}

test('lengths and types that cannot be are refused with their place', () => {
  const withLength = (type: number, length: number, secretBytes: number): Buffer => {
    const bytes = Buffer.alloc(12 + secretBytes);
    bytes.writeUInt16LE(type, 0);
    bytes.writeUInt16LE(length, 10);
    return bytes;
  };
  for (const [type, length] of [
    [1, 0],
    [1, 15],
    [2, 31],
    [1, 33],
    [1, 0xffff],
    [0, 33],
  ] as const) {
    assert.is(msgrError(() => decode(withLength(type, length, 40))).field, 'key.length');
  }
  assert.is(msgrError(() => decode(withLength(3, 16, 16))).field, 'key.type');
  assert.is(msgrError(() => decode(withLength(1, 16, 15))).field, 'key.secret');
});

test('a text that is no key does not come back in the error', () => {
  const wrong = 'c2VjcmV0IHNlY3JldCBzZWNyZXQ=';
  const { message } = msgrError(() => CryptoKey.parse(wrong), ErrorCode.InvalidArgument);
  assert.not.ok(message.includes(wrong) || message.includes('secret secret'));
  msgrError(() => CryptoKey.parse('no key!'), ErrorCode.InvalidArgument);
  msgrError(() => CryptoKey.parse(''), ErrorCode.InvalidArgument);
});

test('nothing that prints a key prints its secret', () => {
  const key = CryptoKey.parse(base64);
  const secret = golden.subarray(12);
  const shown = [
    inspect(key, { showHidden: true, depth: 9, getters: true }),
    inspect({ nested: [key] }, { depth: 9 }),
    JSON.stringify({ key }),
    String(key),
    `${key}`,
  ].join('\n');
  for (const form of [secret.toString('hex'), secret.toString('base64'), base64, inspect(secret)]) {
    assert.not.ok(shown.includes(form), form);
  }
});

test('the secret crosses a port to another thread', () => {
  const key = CryptoKey.generate(KeyType.Aes256k);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage({ type: key.type, created: key.created, secret: key.secret });
  const { type, created, secret } = receiveMessageOnPort(port2)!.message;
  assert.ok(new CryptoKey(type, created, secret).equals(key));
  assert.not.ok(inspect(secret, { showHidden: true }).includes(key.secret.export().toString('hex')));
  port1.close();
});

test('a key without a cipher encrypts nothing', () => {
  const none = decode(Buffer.alloc(12));
  assert.is(none.type, KeyType.None);
  msgrError(() => none.encrypt(Buffer.alloc(1), KeyUsage.Authorize), ErrorCode.Auth);
});

test.run();
