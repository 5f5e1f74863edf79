import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthMethod, ConnectionMode } from '../../src/auth/auth.ts';
import { authMethods, connectionModes, pickConnectionMode } from '../../src/auth/connection-modes.ts';
import { ErrorCode } from '../../src/errors.ts';
import { type Options, resolveOptions } from '../../src/options.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { msgrError } from '../support/wire-checks.ts';

const { Client, Mds, Mgr, Mon, Osd } = EntityType;
const { Crc, Secure } = ConnectionMode;

/** Who talks to whom, and the option that decides; as `AuthRegistry` of Ceph has it. */
const rules: [number, number[], keyof Options, keyof Options][] = [
  [Client, [Mon, Mgr], 'ms_mon_client_mode', 'auth_client_required'],
  [Client, [Osd, Mds, Client], 'ms_client_mode', 'auth_client_required'],
  [Mon, [Mon, Mgr], 'ms_mon_cluster_mode', 'auth_cluster_required'],
  [Mon, [Osd, Mds, Client], 'ms_mon_service_mode', 'auth_service_required'],
  [Mgr, [Mon, Mgr], 'ms_mon_cluster_mode', 'auth_cluster_required'],
  [Mgr, [Osd, Mds, Client], 'ms_mon_service_mode', 'auth_service_required'],
  [Osd, [Mon, Mgr], 'ms_mon_cluster_mode', 'auth_cluster_required'],
  [Osd, [Osd, Mds], 'ms_cluster_mode', 'auth_cluster_required'],
  [Osd, [Client], 'ms_service_mode', 'auth_service_required'],
  [Mds, [Mon, Mgr], 'ms_mon_cluster_mode', 'auth_cluster_required'],
  [Mds, [Osd, Mds], 'ms_cluster_mode', 'auth_cluster_required'],
  [Mds, [Client], 'ms_service_mode', 'auth_service_required'],
];

test('one option decides for each pair, and no other', () => {
  for (const [mine, peers, modeOption, methodOption] of rules) {
    for (const peer of peers) {
      const modes = (value: string) => connectionModes(resolveOptions({ [modeOption]: value }), mine, peer);
      assert.equal(modes('secure'), [Secure], `${mine} with ${peer}`);
      assert.equal(modes('crc'), [Crc]);
      assert.equal(modes('secure crc'), [Secure, Crc]);
      assert.equal(modes('crc, secure;crc'), [Crc, Secure]);
      const methods = (value: string) => authMethods(resolveOptions({ [methodOption]: value }), mine, peer);
      assert.equal(methods('cephx'), [AuthMethod.Cephx]);
      assert.equal(methods('none'), [AuthMethod.None]);
    }
  }
});

test("Ceph's defaults: secure with monitors, crc first with all others", () => {
  const options = resolveOptions();
  assert.equal(connectionModes(options, Client, Mon), [Secure, Crc]);
  assert.equal(connectionModes(options, Osd, Osd), [Crc, Secure]);
  assert.equal(authMethods(options, Client, Mon), [AuthMethod.Cephx, AuthMethod.None]);
  assert.equal(authMethods(options, Osd, Mon), [AuthMethod.Cephx]);
});

test('a name that is none is refused with the option', () => {
  for (const value of ['sekure', '', 'crc secure tls', 'toString']) {
    const options = resolveOptions({ ms_client_mode: value });
    const { message } = msgrError(() => connectionModes(options, Client, Osd), ErrorCode.InvalidArgument);
    assert.match(message, /ms_client_mode/);
  }
});

test('the acceptor takes the first that the connector wants and it allows', () => {
  assert.is(pickConnectionMode([Secure, Crc], [Crc, Secure]), Secure);
  assert.is(pickConnectionMode([Crc, Secure], [Secure]), Secure);
  assert.is(pickConnectionMode([0, 77, Crc], [Secure, Crc]), Crc);
  assert.is(pickConnectionMode([Crc], [Secure]), undefined);
  assert.is(pickConnectionMode([], [Crc]), undefined);
});

test.run();
