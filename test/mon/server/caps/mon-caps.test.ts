/** What a capability allows, by grant; texts that are none, each with the rest that Ceph names. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../../src/errors.ts';
import { type CapsHolder, MonCaps, type PermissionText } from '../../../../src/mon/server/caps/mon-caps.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { msgrError } from '../../../support/wire-checks.ts';

function from(entity: string, remoteHost?: string): CapsHolder {
  return { entity: EntityAuthName.parse(entity), connection: { remoteHost } };
}

interface Wanted {
  readonly service?: string;
  readonly permissions?: PermissionText;
  readonly command?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly who?: CapsHolder;
}

function allows(text: string, wanted: Wanted): boolean {
  const {
    args = {},
    command,
    permissions = 'r',
    service = 'mon',
    who = from('client.x', '10.1.2.3'),
  } = wanted;
  const named = command && { prefix: command, args: new Map(Object.entries(args)) };
  return MonCaps.parse(text).allows(who, service, permissions, named || undefined);
}

const cases: readonly [caps: string, wanted: Wanted, isAllowed: boolean][] = [
  ['allow r', {}, true],
  ['allow r', { permissions: 'w' }, false],
  ['allow r', { service: 'osd', permissions: 'r' }, true],
  ['allow rw', { permissions: 'rw' }, true],
  ['allow rw', { permissions: 'rwx' }, false],
  ['allow w, allow r', { permissions: 'rw' }, true],
  ['allow r;allow x', { permissions: 'rx' }, true],
  ['allow x', { service: 'auth', permissions: 'rx' }, false],
  ['allow *', { service: 'auth', permissions: 'rwx' }, true],
  ['allow all', { service: 'auth', permissions: 'rwx' }, true],
  // Secrets that others keep: only for everything, or by name.
  ['allow rwx', { service: 'config-key', permissions: 'r' }, false],
  ['allow *', { service: 'config-key', permissions: 'r' }, true],
  ['allow service config-key r', { service: 'config-key', permissions: 'r' }, true],
  [
    'allow command "config-key get" with key=a',
    { service: 'config-key', command: 'config-key get', args: { key: 'a' } },
    true,
  ],
  [
    'allow command "config-key get" with key=a',
    { service: 'config-key', command: 'config-key get', args: { key: 'b' } },
    false,
  ],
  ['allow command "config-key get" with key=a', { service: 'config-key', command: 'config-key get' }, false],
  [
    'allow command "config-key get" with key prefix a/',
    { service: 'config-key', command: 'config-key get', args: { key: 'a/b' } },
    true,
  ],
  [
    'allow command "config-key get" with key regex "a[0-9]"',
    { command: 'config-key get', args: { key: 'a1' }, permissions: 'rwx' },
    true,
  ],
  [
    'allow command "config-key get" with key regex "a[0-9]"',
    { service: 'osd', command: 'config-key get', args: { key: 'a12' } },
    false,
  ],
  [
    'allow command "config-key get" with key regex "a("',
    { command: 'config-key get', args: { key: 'a(' } },
    false,
  ],
  ['allow command status', { command: 'status' }, true],
  ['allow command status', { command: 'health' }, false],
  [
    'allow command "osd pool create" with pool=data size=3',
    { service: 'osd', permissions: 'rw', command: 'osd pool create', args: { pool: 'data', size: '3' } },
    true,
  ],
  [
    'allow command "osd pool create" with pool=data size=3',
    { service: 'osd', permissions: 'rw', command: 'osd pool create', args: { pool: 'data', size: '2' } },
    false,
  ],
  ['allow service osd rw', { service: 'osd', permissions: 'rw' }, true],
  ['allow service osd rw', { service: 'mon', permissions: 'r' }, false],
  ['allow service osd *', { service: 'osd', permissions: 'rwx' }, true],
  ['allow service osd *', { service: 'auth', permissions: 'r' }, false],
  // Profiles, with and without "allow".
  ['profile osd', { service: 'osd', permissions: 'rwx', who: from('osd.1') }, true],
  ['allow profile osd', { service: 'mon', permissions: 'w', who: from('osd.1') }, false],
  ['allow profile osd', { service: 'auth', who: from('osd.1') }, false],
  [
    'allow profile osd',
    {
      service: 'config-key',
      permissions: 'rw',
      command: 'config-key set',
      args: { key: 'daemon-private/osd.1/a' },
      who: from('osd.1'),
    },
    true,
  ],
  [
    'allow profile osd',
    {
      service: 'config-key',
      permissions: 'rw',
      command: 'config-key set',
      args: { key: 'daemon-private/osd.2/a' },
      who: from('osd.1'),
    },
    false,
  ],
  ['allow profile simple-rados-client', { service: 'osd' }, true],
  ['allow profile simple-rados-client', { service: 'osd', permissions: 'w' }, false],
  ['allow profile read-only', { service: 'auth', permissions: 'rx' }, false],
  ['allow profile role-definer', { service: 'auth', permissions: 'rwx' }, true],
  ['allow profile bootstrap-osd', { service: 'osd', permissions: 'rw', command: 'osd new' }, true],
  ['allow profile bootstrap-osd', { service: 'osd', permissions: 'rw', command: 'osd rm' }, false],
  [
    'profile rbd',
    {
      service: 'osd',
      permissions: 'rw',
      command: 'osd blocklist',
      args: { blocklistop: 'add', addr: '10.0.0.1:0/77' },
    },
    true,
  ],
  [
    'profile rbd',
    {
      service: 'osd',
      permissions: 'rw',
      command: 'osd blocklist',
      args: { blocklistop: 'add', addr: '10.0.0.1' },
    },
    false,
  ],
  ['profile nobody-knows', {}, false],
  ['profile constructor', {}, false],
  // Networks count by the socket, and one that is no network allows nothing.
  ['allow r network 10.1.0.0/16', {}, true],
  ['allow r network 10.2.0.0/16', {}, false],
  ['allow * network 10.2.0.0/16', {}, false],
  ['allow r network 10.1.2.3/32', {}, true],
  ['allow r network 0.0.0.0/0', {}, true],
  ['allow r network 10.1.2.0/23', { who: from('client.x', '10.1.3.255') }, true],
  ['allow r network fd00::/8', { who: from('client.x', 'fd12::1') }, true],
  ['allow r network fd00::/8', {}, false],
  ['allow r network 10.1.2.3', {}, false],
  ['allow r network 10.0.0.0/0', { who: from('client.x') }, false],
  ['allow profile read-only network 10.1.0.0/16', {}, true],
];

for (const [caps, wanted, isAllowed] of cases) {
  const { command = '', permissions = 'r', service = 'mon' } = wanted;
  test(`'${caps}': ${permissions} of ${service} ${command} is ${isAllowed ? 'allowed' : 'refused'}`, () => {
    assert.is(allows(caps, wanted), isAllowed);
  });
}

/** With what ceph-mon says that it stopped at; checked against one in caps-differential.test.ts. */
export const invalid: readonly (readonly [text: string, stoppedAt: string])[] = [
  ['foo', `stopped at 'foo'`],
  ['allow', `stopped at 'allow'`],
  ['allow wr', `stopped at 'r'`],
  ['allow r,', `stopped at ','`],
  ['allow r foo', `stopped at 'foo'`],
  ['allow r, foo', `stopped at ', foo'`],
];

for (const [text, where] of invalid) {
  test(`'${text}' is no capability`, () => {
    const error = msgrError(() => MonCaps.parse(text), ErrorCode.InvalidArgument);
    assert.is(error.message, `mon capability parse failed, ${where} of '${text}'`);
    assert.not(MonCaps.parseOrNone(text).allows(from('client.x'), 'mon', 'r'));
  });
}

test('only a grant of everything, everywhere, is everything', () => {
  for (const text of ['allow *', 'allow all', 'allow r, allow *'])
    assert.ok(MonCaps.parse(text).isAllowAll, text);
  for (const text of ['allow rwx', 'allow service osd *', 'profile osd', 'allow command status']) {
    assert.not(MonCaps.parse(text).isAllowAll, text);
  }
});

test.run();
