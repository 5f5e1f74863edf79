/** AUTH_NONE as a monitor's client keeps it: which global id is claimed, of whom, and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionMode } from '../../src/auth/auth.ts';
import { noneSession } from '../../src/auth/none.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { decodeEntityAuthName, EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';

const name = EntityAuthName.parse('client.admin');
const first = EntityAddr.parse('v2:127.0.0.1:3300');
const second = EntityAddr.parse('v2:127.0.0.2:3300');

function claimedBy(payload: Uint8Array): { mode: number; name: string; globalId: bigint } {
  const decoder = new Decoder(payload);
  const claim = {
    mode: decoder.u8('mode'),
    name: String(decodeEntityAuthName(decoder, 'name')),
    globalId: decoder.u64('globalId'),
  };
  decoder.finish();
  return claim;
}

test('the global id of the monitor that is chosen counts, and is claimed from then on', () => {
  const session = noneSession(name);
  const asked = [first, second].map((addr) => session.client(EntityType.Mon, addr));
  for (const client of asked) {
    assert.equal(claimedBy(client.start().payload), { mode: 10, name: 'client.admin', globalId: 0n });
  }
  asked[0]!.handleDone(4101n, ConnectionMode.Crc, new Uint8Array(0));
  asked[1]!.handleDone(4102n, ConnectionMode.Crc, new Uint8Array(0));
  assert.is(session.globalId, 0n);
  session.choose(second);
  assert.is(session.globalId, 4102n);

  const again = session.client(EntityType.Mon, first);
  assert.is(claimedBy(again.start().payload).globalId, 4102n);
  assert.equal(claimedBy(session.client(EntityType.Osd, first).start().payload), {
    mode: 1,
    name: 'client.admin',
    globalId: 4102n,
  });
  session.choose(first);
  assert.is(session.globalId, 4102n, 'a monitor that gave none changes nothing');
});

test('an OSD gives no global id, whatever it answers', () => {
  const session = noneSession(name);
  session.client(EntityType.Osd, first).handleDone(77n, ConnectionMode.Crc, new Uint8Array(0));
  session.choose(first);
  assert.is(session.globalId, 0n);
});

test('nothing is ever due', () => {
  const session = noneSession(name);
  assert.ok(session.isComplete);
  assert.is(session.nextDue, Number.POSITIVE_INFINITY);
  assert.is(session.nextRequest(0), undefined);
});

test.run();
