/** Where an OSD is pinged and as whom, by a map. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.ts';
import { heartbeatTargets, parseOsdName, pingAs } from '../../src/cli/ping/osd-target.ts';
import type { OSDMap } from '../../src/maps/osdmap.ts';
import { OsdState } from '../../src/maps/states.ts';
import { EntityAddrVec } from '../../src/wire/entity-addrvec.ts';
import { smallMap, withOsds } from '../maps/support/small-map.ts';

const addrs = (network: number, type = 'v2'): EntityAddrVec[] =>
  [0, 1, 2, 3].map((osd) => EntityAddrVec.parse(`${type}:10.0.${network}.${osd}:6801/${100 + osd}`));
const map: OSDMap = { ...smallMap(2, 2), hbFrontAddrs: addrs(1), hbBackAddrs: addrs(2) };

function texts(of: OSDMap, osd: number, ...networks: ('front' | 'back')[]): string[] {
  return heartbeatTargets(of, osd, networks).map(({ addr, network }) => `${network} ${addr}`);
}

test('names', () => {
  assert.is(parseOsdName('osd.12'), 12);
  for (const text of ['osd.', 'osd.x', '3', 'mon.a', 'v2:10.0.0.1:6800/1', 'osd.3 ']) {
    assert.is(parseOsdName(text), undefined, text);
  }
});

test('both networks, in the order asked for', () => {
  assert.equal(texts(map, 2, 'front', 'back'), ['front v2:10.0.1.2:6801/102', 'back v2:10.0.2.2:6801/102']);
  assert.equal(texts(map, 0, 'back'), ['back v2:10.0.2.0:6801/100']);
});

test('an OSD that cannot be pinged', () => {
  const refused = (of: OSDMap, osd: number): string => {
    try {
      texts(of, osd, 'front');
    } catch (error) {
      assert.instance(error, CliError);
      return (error as CliError).message;
    }
    throw new Error('was found');
  };
  assert.match(refused(map, 7), /^there is no osd\.7 .*epoch 10.*has osd\.0, osd\.1, osd\.2, osd\.3$/);
  assert.match(refused(smallMap(8, 4), 99), /osd\.19, …$/);
  assert.match(refused({ ...map, maxOsd: 0 }, 0), /has none at all$/);
  assert.match(refused(withOsds(map, { 2: { state: OsdState.exists } }), 2), /^osd\.2 is down .*epoch 10/);
  assert.match(refused({ ...map, hbFrontAddrs: addrs(1, 'v1') }, 1), /^osd\.1 has no v2 address .*front/);
});

test('as whom: another one that is up, else itself, else nobody', () => {
  assert.is(pingAs(map, 0), 1);
  assert.is(pingAs(map, 3), 0);
  assert.is(pingAs(map, undefined), 0);
  const down = { state: OsdState.exists };
  assert.is(pingAs(withOsds(map, { 0: down, 1: down, 2: down }), 3), 3);
  assert.is(pingAs(withOsds(map, { 0: down, 1: down, 2: down, 3: down }), 3), undefined);
});

test.run();
