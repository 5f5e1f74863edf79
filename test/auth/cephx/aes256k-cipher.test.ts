import { createSecretKey } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Aes256kCipher } from '../../../src/auth/cephx/aes256k-cipher.ts';

const secret = '6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52';
const cipher = new Aes256kCipher(createSecretKey(Buffer.from(secret, 'hex')));

/** RFC 8009, appendix A: aes256-cts-hmac-sha384-192, key usage 2. */
const vectors = [
  {
    plain: '',
    confounder: 'f764e9fa15c276478b2c7d0c4e5f58e4',
    sealed: '41f53fa5bfe7026d91faf9be959195a0' + '58707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c',
  },
  {
    plain: '000102030405',
    confounder: 'b80d3251c1f6471494256ffe712d0b9a',
    sealed:
      '4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9' + 'f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2',
  },
  {
    plain: '000102030405060708090a0b0c0d0e0f',
    confounder: '53bf8a0d105265d4e276428624ce5e63',
    sealed:
      'bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f6' +
      '8cf51f14d798c2273f35df574d1f932e40c4ff255b36a266',
  },
  {
    plain: '000102030405060708090a0b0c0d0e0f1011121314',
    confounder: '763e65367e864f02f55153c7e3b58af1',
    sealed:
      '40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86' +
      'fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62',
  },
];
const usage = 2;

for (const { plain, confounder, sealed } of vectors) {
  test(`the vector of RFC 8009 with ${plain.length / 2} bytes`, () => {
    const encrypted = cipher.encrypt(Buffer.from(plain, 'hex'), usage, Buffer.from(confounder, 'hex'));
    assert.is(encrypted.toString('hex'), sealed);
    assert.is(cipher.decrypt(Buffer.from(sealed, 'hex'), usage)?.toString('hex'), plain);
  });
}

test('plaintexts of all lengths come back, and never look the same twice', () => {
  for (let length = 0; length <= 100; length++) {
    const plain = Buffer.alloc(length, length);
    const sealed = cipher.encrypt(plain, usage);
    assert.is(sealed.byteLength, length + 40);
    assert.equal(cipher.decrypt(sealed, usage), plain);
    assert.not.equal(cipher.encrypt(plain, usage), sealed);
  }
});

test('every bit changed, every byte cut off or added, is noticed', () => {
  const sealed = cipher.encrypt(Buffer.from('what a monitor says to a client'), usage);
  for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.is(cipher.decrypt(changed, usage), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < sealed.byteLength; length++) {
    assert.is(cipher.decrypt(sealed.subarray(0, length), usage), undefined, `${length} bytes`);
  }
  assert.is(cipher.decrypt(Buffer.concat([sealed, Buffer.alloc(1)]), usage), undefined);
});

test('what was sealed for one usage opens for no other, and under no other key', () => {
  const sealed = cipher.encrypt(Buffer.from('text'), 0x10);
  assert.is(cipher.decrypt(sealed, 0x11), undefined);
  const other = new Aes256kCipher(createSecretKey(Buffer.alloc(32, 7)));
  assert.is(other.decrypt(sealed, 0x10), undefined);
});

test.run();
