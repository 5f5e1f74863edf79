/** Challenges, session keys and connection secrets are never the same twice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { CephxWorld, expectReply, handshake, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;

test('no challenge comes twice: 2^16 of a daemon, 2^20 of a monitor', () => {
  const world = new CephxWorld({ keyType: KeyType.Aes });
  const client = world.member('client.a');
  const osd = world.member('osd.3');
  const first = client.client(Osd).start();
  const fromDaemon = new Set<string>();
  // Keys of type aes seal equal challenges to equal bytes.
  for (let count = 0; count < 2 ** 16; count++) {
    const more = expectReply(osd.server(Client).handleRequest(first), 'more');
    fromDaemon.add(Buffer.from(more.payload).toString('latin1'));
  }
  assert.is(fromDaemon.size, 2 ** 16);
  const hello = client.client(Mon, monAddr).start();
  const challenges = new BigUint64Array(2 ** 20);
  for (let count = 0; count < challenges.length; count++) {
    const more = expectReply(world.mon.server(Client).handleRequest(hello), 'more');
    challenges[count] = Buffer.from(more.payload).readBigUInt64LE(1);
  }
  challenges.sort();
  for (let index = 1; index < challenges.length; index++) {
    if (challenges[index] === challenges[index - 1]) throw new Error(`challenge ${challenges[index]} twice`);
  }
});

test('connection secrets and session keys are new each time', () => {
  const world = new CephxWorld({ options: { ms_cluster_mode: 'secure' } });
  const osd = world.session('osd.3');
  const seen = new Set<string>();
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    const session = world.join(osd);
    if (round === 0) world.renewAll(osd, session);
    const { acceptor } = handshake(osd.client(Osd), osd.server(Osd));
    for (const secret of [session.sessionKey, session.connectionSecret, acceptor.connectionSecret]) {
      seen.add(Buffer.from(secret!).toString('hex'));
    }
  }
  assert.is(seen.size, 3 * rounds);
});

test.run();
