import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import {
  AddrFamily,
  AddrType,
  decodeEntityAddr,
  EntityAddr,
  encodeEntityAddr,
  entityAddrByteLength,
} from '../../src/wire/entity-addr.ts';
import { entityAddr } from '../support/wire-arbitraries.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

const encode = (addr: EntityAddr): Buffer => encodeWith((encoder) => encodeEntityAddr(encoder, addr));
const decode = (bytes: Uint8Array): EntityAddr => decodeEntityAddr(new Decoder(bytes), 'addr');

const ipv4 = hex(
  '01 01 01 1c000000', // marker, struct_v, compat, struct_len
  '02000000 10770000', // type msgr2, nonce 30480
  '10000000 0200 1a90 7f00010a 0000000000000000', // elen, family, port 6800, 127.0.1.10
);
const ipv6 = hex(
  '01 01 01 28000000', // marker, struct_v, compat, struct_len
  '01000000 ffffffff', // type legacy, largest nonce
  '1c000000 0a00 1a91 00000000', // elen, family, port 6801, flow info
  '20010db8000000000000000000000001 00000000', // 2001:db8::1, scope id
);
/** AF_INET6 with scope id 2, as a link-local address of a real host has it. */
const scoped = hex(
  '01 01 01 28000000 02000000 00000000 1c000000 0a00 1a90 00000000',
  'fe80000000000000 0000000000000001 02000000',
);
const noFamily = hex('01 01 01 28000000 00000000 00000000 1c000000', '00'.repeat(28));
const legacy = hex(
  '00 000000', // marker 0 and padding
  '07000000', // nonce
  '0002 1a90 0a000001 0000000000000000', // family big-endian, port 6800, 10.0.0.1
  '00'.repeat(112), // rest of sockaddr_storage
);

test('an IPv4 address of a real ceph-osd', () => {
  const addr = decode(ipv4);
  assert.is(addr.type, AddrType.Msgr2);
  assert.is(addr.nonce, 30480);
  assert.is(addr.family, AddrFamily.Inet);
  assert.is(addr.host, '127.0.1.10');
  assert.is(addr.port, 6800);
  assert.is(String(addr), 'v2:127.0.1.10:6800/30480');
  assert.is(encode(addr).toString('hex'), ipv4.toString('hex'));
  assert.is(encode(EntityAddr.parse('v2:127.0.1.10:6800/30480')).toString('hex'), ipv4.toString('hex'));
  assert.is(entityAddrByteLength(addr), 35);
});

test('an IPv6 address', () => {
  const addr = decode(ipv6);
  assert.is(String(addr), 'v1:[2001:db8::1]:6801/4294967295');
  assert.is(encode(addr).toString('hex'), ipv6.toString('hex'));
  assert.is(entityAddrByteLength(addr), 47);
});

test('a scope id is kept, and makes another address', () => {
  const addr = decode(scoped);
  assert.is(String(addr), 'v2:[fe80::1]:6800/0');
  assert.is(encode(addr).toString('hex'), scoped.toString('hex'));
  const plain = EntityAddr.parse('v2:[fe80::1]:6800/0');
  assert.not(addr.equals(plain));
  assert.ok(addr.compare(plain) > 0);
  assert.ok(addr.equals(decode(scoped)));
  const moved = addr.with({ port: 6801, nonce: 9 });
  assert.is(String(moved), 'v2:[fe80::1]:6801/9');
  assert.is(encode(moved).readUInt32LE(43), 2, 'the scope id went along');
});

test('the blank address has a sockaddr of 28 bytes', () => {
  const addr = decode(noFamily);
  assert.ok(addr.isBlank);
  assert.ok(addr.equals(EntityAddr.blank));
  assert.is(String(addr), '-');
  assert.is(encode(EntityAddr.blank).toString('hex'), noFamily.toString('hex'));
  assert.not(EntityAddr.parse('v2:0.0.0.0:0/0').isBlank);
  assert.ok(EntityAddr.parse('v2:0.0.0.0:0/0').isBlankIp);
});

test('a sockaddr shorter than ours is written back as short, and is the same address', () => {
  for (const [elen, sockaddr] of [
    [0, ''],
    [2, '0200'],
    [8, '0200 1a90 7f000001'],
    [12, '0200 1a90 7f000001 00000000'],
  ] as const) {
    const bytes = hex(`01 01 01 ${hexU32(12 + elen)} 02000000 00000000 ${hexU32(elen)}`, sockaddr);
    assert.is(encode(decode(bytes)).toString('hex'), bytes.toString('hex'), `elen ${elen}`);
  }
  const short = decode(hex(`01 01 01 ${hexU32(20)} 02000000 00000000 ${hexU32(8)} 0200 1a90 7f000001`));
  assert.ok(short.equals(EntityAddr.parse('v2:127.0.0.1:6800/0')));
});

test('a sockaddr longer than its family, or of one byte, is refused', () => {
  for (const [elen, sockaddr] of [
    [17, `0200${'00'.repeat(15)}`],
    [29, `0a00${'00'.repeat(27)}`],
    [29, '00'.repeat(29)],
    [1, '02'],
  ] as const) {
    const bytes = hex(`01 01 01 ${hexU32(12 + elen)} 02000000 00000000 ${hexU32(elen)}`, sockaddr);
    assert.is(msgrError(() => decode(bytes)).field, 'addr.addr.elen');
  }
});

test('an unknown family is kept as it is', () => {
  const bytes = hex(`01 01 01 ${hexU32(40)} 02000000 05000000 ${hexU32(28)} 0100`, '61'.repeat(26));
  const addr = decode(bytes);
  assert.is(encode(addr).toString('hex'), bytes.toString('hex'));
  assert.is(String(addr), 'v2:(unrecognized address family 1)/5');
  assert.is(encode(addr.with({ nonce: 5 })).toString('hex'), bytes.toString('hex'));
  assert.not(addr.equals(EntityAddr.fromSockaddr(2, 5, hex('0100', '62'.repeat(26)))));
});

test('the legacy form is read, and written in the new one', () => {
  const addr = decode(legacy);
  assert.is(String(addr), 'v1:10.0.0.1:6800/7');
  assert.is(encode(addr).byteLength, 35);
  assert.ok(decode(hex('00'.repeat(136))).isBlank);
});

test('a marker that is neither 0 nor 1 is refused', () => {
  for (const marker of ['02', 'ff']) {
    assert.is(msgrError(() => decode(hex(marker, '00'.repeat(140)))).field, 'addr.marker');
  }
});

test('truncation and mutation', () => {
  for (const bytes of [ipv4, ipv6, scoped, noFamily, legacy]) {
    checkTruncation(bytes, decode);
    checkMutation(bytes, decode);
  }
});

test('text in', () => {
  const forms: [string, string][] = [
    ['127.0.0.1:6800', 'v2:127.0.0.1:6800/0'],
    ['v1:127.0.0.1:6789/5', 'v1:127.0.0.1:6789/5'],
    ['any:127.0.0.1:1/2', '127.0.0.1:1/2'],
    ['127.0.0.1', 'v2:127.0.0.1:0/0'],
    ['::1', 'v2:[::1]:0/0'],
    ['[::1]', 'v2:[::1]:0/0'],
    ['[2001:DB8:0:0:0:0:0:1]:6800/1', 'v2:[2001:db8::1]:6800/1'],
    ['[::ffff:10.0.0.1]:1', 'v2:[::ffff:10.0.0.1]:1/0'],
    ['-', '-'],
  ];
  for (const [text, expected] of forms) assert.is(String(EntityAddr.parse(text)), expected, text);
  assert.is(EntityAddr.parse('10.0.0.1:1', AddrType.Legacy).type, AddrType.Legacy);
});

test('text that is no address says what is wrong with it', () => {
  const forms: [string, RegExp][] = [
    ['', /host is missing/],
    ['v2:', /host is missing/],
    [':6800', /host is missing/],
    ['localhost:6800', /"localhost" is not an IP address/],
    ['127.0.0.256:1', /is not an IP address/],
    ['127.0.0.01:1', /is not an IP address/],
    ['127.0.0.1:65536', /port must be 0 to 65535/],
    ['127.0.0.1:', /port must be/],
    ['127.0.0.1:-1', /port must be/],
    ['127.0.0.1:1/', /nonce must be/],
    ['127.0.0.1:1/4294967296', /nonce must be/],
    ['[::1:6800', /not closed/],
    ['[::1]6800', /may follow/],
    ['[127.0.0.1]:1', /not an IPv6 address/],
    ['[fe80::1%eth0]:1', /not an IPv6 address/],
    ['v3:127.0.0.1:1', /is not an IP address/],
  ];
  for (const [text, reason] of forms) {
    const error = msgrError(() => EntityAddr.parse(text), ErrorCode.InvalidArgument);
    assert.match(error.message, reason, text);
  }
});

test('numbers out of range are refused', () => {
  msgrError(() => new EntityAddr({ host: '127.0.0.1', port: 65536 }), ErrorCode.InvalidArgument);
  msgrError(() => new EntityAddr({ host: '127.0.0.1', nonce: -1 }), ErrorCode.InvalidArgument);
  msgrError(() => new EntityAddr({ host: 'x' }), ErrorCode.InvalidArgument);
  msgrError(() => new EntityAddr({ port: 1 }), ErrorCode.InvalidArgument);
  msgrError(() => EntityAddr.blank.with({ port: 1 }), ErrorCode.InvalidArgument);
  msgrError(() => EntityAddr.blank.with({ nonce: 1.5 }), ErrorCode.InvalidArgument);
});

test('equality is over type, nonce, host and port; keys agree with it', () => {
  const base = EntityAddr.parse('v2:10.0.0.1:6800/1');
  assert.ok(base.equals(EntityAddr.parse('v2:10.0.0.1:6800/1')));
  for (const change of [{ type: AddrType.Legacy }, { nonce: 2 }, { host: '10.0.0.2' }, { port: 6801 }]) {
    const other = base.with(change);
    assert.not(base.equals(other));
    assert.is.not(base.key, other.key);
    assert.ok(base.equals(other.with({ type: 2, nonce: 1, host: '10.0.0.1', port: 6800 })));
  }
});

test('the order that decides races is that of bytes: the nonce by its low byte first', () => {
  const addr = (text: string): EntityAddr => EntityAddr.parse(text);
  assert.ok(addr('v1:10.0.0.1:1/0').compare(addr('v2:10.0.0.1:1/0')) < 0, 'type first');
  assert.ok(addr('v2:10.0.0.1:1/256').compare(addr('v2:10.0.0.1:1/1')) < 0, 'nonce 00 01 before 01 00');
  assert.ok(addr('v2:10.0.0.1:256/1').compare(addr('v2:10.0.0.1:1/1')) > 0, 'port big-endian');
  assert.ok(addr('v2:10.0.0.9:1/1').compare(addr('v2:10.0.0.10:1/1')) < 0, 'host by its bytes');
  assert.ok(addr('v2:9.0.0.1:2/1').compare(addr('v2:10.0.0.1:1/1')) > 0, 'port before host');
  assert.is(addr('v2:10.0.0.1:1/1').compare(addr('v2:10.0.0.1:1/1')), 0);
});

test('property: what is encoded is decoded, and text is read back', () => {
  fc.assert(
    fc.property(entityAddr, (addr) => {
      const bytes = encode(addr);
      const again = decode(bytes);
      assert.ok(addr.equals(again), `${addr} came back as ${again}`);
      assert.is(addr.compare(again), 0);
      assert.is(bytes.byteLength, entityAddrByteLength(addr));
      assert.ok(EntityAddr.parse(String(addr), AddrType.Any).equals(addr), String(addr));
    }),
  );
});

test('property: the order is antisymmetric and agrees with equality', () => {
  fc.assert(
    fc.property(entityAddr, entityAddr, (left, right) => {
      assert.is(Math.sign(left.compare(right)) + Math.sign(right.compare(left)), 0);
      assert.is(left.compare(right) === 0, left.equals(right));
    }),
  );
});

function hexU32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

test.run();
