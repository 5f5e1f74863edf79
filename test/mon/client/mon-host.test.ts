/** mon_host in every form that Ceph reads, and in some that it does not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../src/errors.ts';
import { type MonHost, parseMonHost, resolveMonHosts } from '../../../src/mon/client/mon-host.ts';
import { msgrError } from '../../support/wire-checks.ts';

const textOf = (host: MonHost): string =>
  'addr' in host ? String(host.addr) : `${host.hostName} port ${host.port}`;

for (const [text, expected] of [
  ['[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]', ['v2:10.0.0.1:3300/0']],
  [
    '[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0],[v2:10.0.0.2:3301,v1:10.0.0.2:6789]',
    ['v2:10.0.0.1:3300/0', 'v2:10.0.0.2:3301/0'],
  ],
  ['10.0.0.1', ['v2:10.0.0.1:3300/0']],
  ['10.0.0.1,10.0.0.2;10.0.0.3 10.0.0.4', [1, 2, 3, 4].map((n) => `v2:10.0.0.${n}:3300/0`)],
  ['  10.0.0.1:40123\n', ['v2:10.0.0.1:40123/0']],
  ['v2:10.0.0.1', ['v2:10.0.0.1:3300/0']],
  ['v2:10.0.0.1:6789', ['v2:10.0.0.1:6789/0']],
  ['10.0.0.1:3300/77', ['v2:10.0.0.1:3300/77']],
  ['10.0.0.1:6789,10.0.0.2', ['v2:10.0.0.2:3300/0']],
  ['::1', ['v2:[::1]:3300/0']],
  ['[::1]', ['v2:[::1]:3300/0']],
  ['[::1]:3301', ['v2:[::1]:3301/0']],
  ['[v2:[fd00::1]:3300/0,v1:[fd00::1]:6789/0]', ['v2:[fd00::1]:3300/0']],
  ['mon1.example', ['mon1.example port 3300']],
  ['v2:mon1:3301, mon2', ['mon1 port 3301', 'mon2 port 3300']],
] as const) {
  test(JSON.stringify(text), () => {
    assert.equal(parseMonHost(text).map(textOf), expected);
  });
}

for (const [text, words] of [
  ['', /names no monitor/],
  [' , ;', /names no monitor/],
  ['10.0.0.1:6789', /only addresses of msgr1.*port 3300/],
  ['v1:10.0.0.1:3300', /only addresses of msgr1/],
  ['[v2:10.0.0.1:3300', /'\[' is not closed/],
  ['v2:10.0.0.1:3300]', /'\]' without its '\['/],
  ['10.0.0.1:0', /port in "10\.0\.0\.1:0" must be 1 to 65535/],
  ['10.0.0.1:70000', /1 to 65535/],
  ['10.0.0.1:https', /1 to 65535/],
  ['10.0.0.1:3300/99999999999', /nonce/],
  ['10.0.0.1:3300/4294967296', /nonce/],
  ['10.0.0', /neither an address nor a host name/],
  ['300.0.0.1', /neither an address nor a host name/],
  ['a_b!c', /neither/],
  ['-mon', /neither/],
  ['v2:', /neither/],
  [`${'a'.repeat(254)}`, /neither/],
] as const) {
  test(`refused: ${JSON.stringify(text.slice(0, 40))}`, () => {
    const error = msgrError(() => parseMonHost(text), ErrorCode.InvalidArgument);
    assert.match(error.message, words);
    assert.ok(error.message.startsWith('mon_host '), error.message);
  });
}

test('names become all their addresses; what is not found is told, and hides nothing', async () => {
  const hosts = parseMonHost('mon1:3301,10.0.0.9,lost.example');
  const { addrs, failures } = await resolveMonHosts(hosts, async (name) => {
    if (name === 'lost.example') throw new Error('ENOTFOUND lost.example');
    return [{ address: '10.0.0.1' }, { address: 'fd00::1' }, { address: '10.0.0.1' }];
  });
  assert.equal(addrs.map(String), ['v2:10.0.0.1:3301/0', 'v2:[fd00::1]:3301/0', 'v2:10.0.0.9:3300/0']);
  assert.is(failures.length, 1);
  assert.match(failures[0]!.message, /monitor host lost\.example is not found: ENOTFOUND/);
});

test.run();
