import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aesWarningCode, CipherPolicy } from '../../../src/auth/cephx/cipher-policy.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { ErrorCode } from '../../../src/errors.ts';
import { resolveOptions } from '../../../src/options.ts';
import { msgrError } from '../../support/wire-checks.ts';

const warnings: (Error & { code?: string })[] = [];
process.on('warning', (warning) => warnings.push(warning));
const aes = CryptoKey.generate(KeyType.Aes);
const aes256k = CryptoKey.generate(KeyType.Aes256k);

test('keys of type aes are taken with one warning, however many there are', async () => {
  const policy = new CipherPolicy(resolveOptions());
  policy.require(aes256k, 'the key of client.a');
  await new Promise(setImmediate);
  assert.is(warnings.length, 0);
  for (let count = 0; count < 3; count++) policy.require(aes, 'the key of client.a');
  new CipherPolicy(resolveOptions()).require(CryptoKey.generate(KeyType.Aes), 'the key of client.b');
  await new Promise(setImmediate);
  assert.is(warnings.length, 1);
  const [{ code, message, name }] = warnings as [Error & { code?: string }];
  assert.is(code, aesWarningCode);
  assert.is(name, 'SecurityWarning');
  assert.match(message, /client\.a is of type aes.*CVE-2025-30156.*auth_allowed_ciphers = aes256k/);
});

test('the option leaves types out', () => {
  const onlyNew = new CipherPolicy({ auth_allowed_ciphers: 'aes256k' });
  onlyNew.require(aes256k, 'it');
  const { message } = msgrError(() => onlyNew.require(aes, 'the key of client.a'), ErrorCode.Auth);
  assert.match(message, /the key of client\.a is of type aes, which option auth_allowed_ciphers/);
  const onlyOld = new CipherPolicy({ auth_allowed_ciphers: 'aes' });
  msgrError(() => onlyOld.require(aes256k, 'it'), ErrorCode.Auth);
  const nothing = new CryptoKey(KeyType.None, aes.created, aes.secret);
  msgrError(() => new CipherPolicy(resolveOptions()).require(nothing, 'it'), ErrorCode.Auth);
});

test('a name that is no type is refused with the option', () => {
  for (const value of ['des', 'none', 'aes, aes512']) {
    const error = msgrError(
      () => new CipherPolicy({ auth_allowed_ciphers: value }),
      ErrorCode.InvalidArgument,
    );
    assert.match(error.message, /auth_allowed_ciphers takes a list of aes, aes256k/);
  }
});

test.run();
