import { isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../src/wire/ip-address.ts';

test('IPv4 both ways', () => {
  assert.is(parseIpv4('127.0.1.10')?.toString('hex'), '7f00010a');
  for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', 'a.b.c.d', '1..2.3']) {
    assert.is(parseIpv4(text), undefined, text);
  }
});

test('IPv6 both ways', () => {
  const forms: [string, string][] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::1.2.3.4', '::1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ];
  for (const [text, expected] of forms) assert.is(formatIpv6(parseIpv6(text)!), expected, text);
  const wrong = [
    '',
    ':',
    ':::',
    '1',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
  ];
  for (const text of [...wrong, '::1%lo', '::1.2.3', '1.2.3.4::', ':1::', '1:2:3:4:5:6:7:', '[::1]']) {
    assert.is(parseIpv6(text), undefined, text);
  }
});

test('property: sixteen bytes survive, and Node agrees on the text', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, (values) => {
      const bytes = Buffer.alloc(16);
      for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
      const text = formatIpv6(bytes);
      assert.ok(isIPv6(text), text);
      assert.equal(parseIpv6(text), bytes);
      assert.is(new SocketAddress({ address: text, family: 'ipv6' }).address, text);
    }),
    { numRuns: 500 },
  );
});

test('property: any text is an address or undefined', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%[]') }), (text) => {
      assert.is(parseIpv6(text) !== undefined, isIPv6(text) && !text.includes('%'), text);
      const ipv4 = parseIpv4(text);
      if (ipv4 !== undefined) assert.is(formatIpv4(ipv4), text);
    }),
    { numRuns: 1000 },
  );
});

test.run();
