import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Feature, featureNames, hasFeature, supportedDefault } from '../../src/wire/features.ts';

test('16.2.15 supports every feature that has a name here, but that of Quincy', () => {
  for (const [name, mask] of Object.entries(Feature)) {
    assert.is(hasFeature(supportedDefault, mask), name !== 'SERVER_QUINCY', name);
  }
});

test('the clear bits are those that 16.2.15 leaves clear', () => {
  const clear = [];
  for (let bit = 0n; bit < 64n; bit++) if ((supportedDefault & (1n << bit)) === 0n) clear.push(Number(bit));
  assert.equal(clear, [17, 33, 38, 44, 45, 49, 50, 51, 52, 53, 54, 55, 62, 63]);
});

test('a bit that was used again counts only with the marker of its time', () => {
  assert.is(Feature.MSG_ADDR2, 0x0800000000000000n);
  assert.is(Feature.SERVER_NAUTILUS, (1n << 2n) | (1n << 57n) | (1n << 28n));
  assert.not(hasFeature(1n << 2n, Feature.SERVER_NAUTILUS));
  assert.not(hasFeature((1n << 2n) | (1n << 57n), Feature.SERVER_NAUTILUS));
  assert.ok(hasFeature((1n << 2n) | (1n << 57n) | (1n << 28n), Feature.SERVER_NAUTILUS));
  assert.not(hasFeature(1n << 21n, Feature.SERVER_LUMINOUS));
});

test('missing bits can be named', () => {
  assert.equal(featureNames(Feature.MSG_ADDR2), ['MSG_ADDR2']);
  assert.equal(featureNames((1n << 21n) | (1n << 17n)), ['bit 17', 'SERVER_LUMINOUS']);
  assert.equal(featureNames(0n), []);
  assert.is(featureNames(supportedDefault).length, 50);
});

test.run();
