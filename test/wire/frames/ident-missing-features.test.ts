import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identMissingFeaturesFrame } from '../../../src/wire/frames/ident-missing-features.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('IDENT_MISSING_FEATURES: MSG_ADDR2 is missing (no recording holds one)', () => {
  checkControlFrame(identMissingFeaturesFrame, { features: 1n << 59n }, hex('0000000000000008'));
});

test('the largest number survives', () => {
  const features = 0xffffffffffffffffn;
  assert.is(
    identMissingFeaturesFrame.decode(identMissingFeaturesFrame.encode({ features })).features,
    features,
  );
});

test.run();
