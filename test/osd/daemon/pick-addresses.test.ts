/** Which addresses an OSD binds, on hosts that are made up. */
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type AddressOptions, pickAddresses } from '../../../src/osd/daemon/pick-addresses.ts';

function address(text: string): NetworkInterfaceInfo {
  const common = { address: text, netmask: '', mac: '', internal: false, cidr: null };
  return text.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

const host = {
  lo: [address('127.0.0.1'), address('10.1.0.99')],
  eno1: [address('192.168.7.4'), address('fe80::1'), address('2001:db8:1::4')],
  eno2: [address('10.1.2.3'), address('2001:db8:2::3')],
  eno3: [address('10.1.200.3')],
};

function pick(options: Partial<AddressOptions>): (string | undefined)[] {
  const picked = pickAddresses({ ipv4: true, ipv6: false, ...options }, host);
  return [picked.public, picked.cluster].map((addr) => addr && `${addr.host}:${addr.port}`);
}

test('addresses that are given are taken as they are', () => {
  assert.equal(pick({ publicAddr: '1.2.3.4', clusterAddr: 'v2:5.6.7.8:6900/0' }), [
    '1.2.3.4:0',
    '5.6.7.8:6900',
  ]);
  assert.equal(pick({ publicAddr: '[v2:1.2.3.4:1,v1:1.2.3.4:2]' }), ['1.2.3.4:1', undefined]);
  assert.equal(pick({ publicAddr: '2001:db8::1' }), ['2001:db8::1:0', undefined]);
});

test('networks choose among the addresses of the host, and loopback is not among them', () => {
  assert.equal(pick({ publicNetwork: '192.168.0.0/16', clusterNetwork: '10.1.0.0/16' }), [
    '192.168.7.4:0',
    '10.1.2.3:0',
  ]);
  assert.throws(() => pick({ publicNetwork: '10.1.0.99/32' }), /public_network 10\.1\.0\.99\/32: no IPv4/);
});

test('the order of the networks decides, not that of the interfaces', () => {
  assert.equal(pick({ publicNetwork: '10.1.200.0/24, 192.168.7.0/24' })[0], '10.1.200.3:0');
  assert.equal(pick({ publicNetwork: '172.16.0.0/12;10.1.2.0/25' })[0], '10.1.2.3:0');
});

test('the cluster network is the public one when none is given', () => {
  assert.equal(pick({ publicNetwork: '10.1.0.0/16' }), ['10.1.2.3:0', '10.1.2.3:0']);
  assert.equal(pick({ publicAddr: '192.168.7.4' }), ['192.168.7.4:0', undefined]);
  assert.equal(pick({}), [undefined, undefined]);
  assert.equal(pick({ publicAddr: ' ', publicNetwork: '' }), [undefined, undefined]);
});

test('prefixes that end inside a byte, and all or nothing', () => {
  assert.equal(pick({ publicNetwork: '10.1.2.2/31' })[0], '10.1.2.3:0');
  assert.throws(() => pick({ publicNetwork: '10.1.2.4/31' }));
  assert.equal(pick({ publicNetwork: '0.0.0.0/0' })[0], '192.168.7.4:0');
});

test('IPv6 networks count when ms_bind_ipv6 says so', () => {
  assert.throws(() => pick({ publicNetwork: '2001:db8:2::/48' }), /no IPv4 address/);
  assert.equal(pick({ publicNetwork: '2001:db8:2::/48', ipv6: true })[0], '2001:db8:2::3:0');
  assert.equal(
    pick({ publicNetwork: '10.1.0.0/16, 2001:db8:1::/48', ipv4: false, ipv6: true })[0],
    '2001:db8:1::4:0',
  );
});

test('what fits nothing says what the host has', () => {
  assert.throws(
    () => pick({ clusterNetwork: '172.31.0.0/16' }),
    /cluster_network 172\.31\.0\.0\/16: .* it has eno1 192\.168\.7\.4, .*eno3 10\.1\.200\.3/,
  );
});

test('what is no network or address is refused by name', () => {
  for (const text of ['10.1.0.0', '10.1.0.0/33', '10.1.0/16', 'x/8', '10.1.0.0/-1', '10.1.0.0/8x']) {
    assert.throws(() => pick({ publicNetwork: text }), /public_network: .* is not a network/);
  }
  assert.throws(() => pick({ publicAddr: 'node1' }), /public_addr "node1"/);
  assert.throws(() => pick({ clusterAddr: '1.2.3.4:99999' }), /cluster_addr/);
});

test.run();
