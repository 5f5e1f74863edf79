import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import {
  decodeSignedspan,
  decodeUtime,
  encodeSignedspan,
  encodeUtime,
  signedspanFromNs,
  signedspanToMs,
  signedspanToNs,
  utimeCompare,
  utimeEquals,
  utimeFromMs,
  utimeNow,
  utimeToMs,
  utimeToNs,
  utimeToString,
} from '../../src/wire/utime.ts';
import { signedspan, utime } from '../support/wire-arbitraries.ts';
import { checkTruncation, hex } from '../support/wire-checks.ts';

test('a stamp of a real ceph-osd', () => {
  const golden = hex('4159026b a5395b2f'); // seconds, nanoseconds
  const time = decodeUtime(new Decoder(golden), 'stamp');
  assert.equal(time, { sec: 0x6b025941, nsec: 0x2f5b39a5 });
  assert.is(encodeWith((encoder) => encodeUtime(encoder, time)).toString('hex'), golden.toString('hex'));
  assert.is(utimeToString(time), '2026-11-22T02:53:53.794507+0000');
  checkTruncation(golden, (bytes) => decodeUtime(new Decoder(bytes), 'stamp'));
});

test('a time without a date is printed as seconds', () => {
  assert.is(utimeToString({ sec: 0, nsec: 0 }), '0.000000');
  assert.is(utimeToString({ sec: 12, nsec: 345678999 }), '12.345678');
});

test('spans carry the same sign in both parts', () => {
  assert.equal(signedspanFromNs(-1_500_000_000n), { sec: -1, nsec: -500_000_000 });
  assert.is(signedspanToNs({ sec: -1, nsec: -500_000_000 }), -1_500_000_000n);
  assert.is(signedspanToMs({ sec: -1, nsec: -500_000_000 }), -1500);
  const golden = hex('ffffffff 009b32e2'); // -1 s, -500000000 ns
  const span = decodeSignedspan(new Decoder(golden), 'span');
  assert.equal(span, { sec: -1, nsec: -500_000_000 });
  assert.is(encodeWith((encoder) => encodeSignedspan(encoder, span)).toString('hex'), golden.toString('hex'));
  checkTruncation(golden, (bytes) => decodeSignedspan(new Decoder(bytes), 'span'));
});

test('a span beyond 68 years wraps and does not throw', () => {
  const span = signedspanFromNs(1n << 80n);
  assert.ok(Number.isInteger(span.sec) && Math.abs(span.sec) <= 0x80000000);
});

test('milliseconds and the clock', () => {
  assert.equal(utimeFromMs(1500.25), { sec: 1, nsec: 500_250_000 });
  assert.is(utimeToMs({ sec: 1, nsec: 500_250_000 }), 1500.25);
  assert.is(utimeToNs({ sec: 1, nsec: 5 }), 1_000_000_005n);
  const before = Date.now() - 60_000;
  const now = utimeNow();
  assert.ok(utimeToMs(now) > before && now.nsec < 1e9);
});

test('order and equality', () => {
  assert.ok(utimeCompare({ sec: 1, nsec: 9 }, { sec: 2, nsec: 0 }) < 0);
  assert.ok(utimeCompare({ sec: 1, nsec: 9 }, { sec: 1, nsec: 8 }) > 0);
  assert.ok(utimeEquals({ sec: 1, nsec: 9 }, { sec: 1, nsec: 9 }));
  assert.not(utimeEquals({ sec: 1, nsec: 9 }, { sec: 9, nsec: 9 }));
});

test('property: nothing is lost between reading and writing', () => {
  fc.assert(
    fc.property(utime, signedspan, (time, span) => {
      const decoder = new Decoder(
        encodeWith((encoder) => {
          encodeUtime(encoder, time);
          encodeSignedspan(encoder, span);
        }),
      );
      assert.equal(decodeUtime(decoder, 'time'), { ...time });
      assert.equal(decodeSignedspan(decoder, 'span'), { ...span });
    }),
  );
});

test('property: nanoseconds within 68 years survive', () => {
  const limit = (1n << 31n) * 1_000_000_000n - 1n;
  fc.assert(
    fc.property(fc.bigInt({ min: -limit, max: limit }), (ns) => {
      assert.is(signedspanToNs(signedspanFromNs(ns)), ns);
    }),
  );
});

test.run();
