/** What a session of authentication wants renewed is asked for in time, over whatever session there is. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthSession } from '../../../src/auth/auth.ts';
import { noneSession } from '../../../src/auth/none.ts';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import { MAuth } from '../../../src/wire/messages/m-auth.ts';
import { MAuthReply } from '../../../src/wire/messages/m-auth-reply.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

/** AUTH_NONE for the handshake, and tickets of nothing that last `lifeMs`: each renewal is a number. */
class CountingSession implements AuthSession {
  readonly protocol = 1;
  readonly #none = noneSession(EntityAuthName.parse('client.admin'));
  readonly #lifeMs: number;
  nextDue = 0;
  isComplete = false;
  renewals = 0;
  abandoned = 0;
  #isAsking = false;

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  get globalId(): bigint {
    return this.#none.globalId;
  }

  client: AuthSession['client'] = (type, addr) => this.#none.client(type, addr);
  server: AuthSession['server'] = (type) => this.#none.server(type);
  choose: AuthSession['choose'] = (addr) => this.#none.choose(addr);

  nextRequest(now: number): Uint8Array | undefined {
    if (this.#isAsking || now < this.nextDue) return undefined;
    this.#isAsking = true;
    return Buffer.from(String(this.renewals));
  }

  handleReply({ payload, result }: { result: number; payload: Uint8Array }): void {
    this.#isAsking = false;
    if (result < 0) throw new MsgrError(ErrorCode.Auth, `refused with ${result}`);
    assert.is(Buffer.from(payload).toString(), `ticket ${this.renewals}`);
    this.renewals++;
    this.isComplete = true;
    this.nextDue += this.#lifeMs;
  }

  abandonRequest(): void {
    this.#isAsking = false;
    this.abandoned++;
  }
}

function serve(cluster: FakeCluster, result: () => number = () => 0): void {
  for (const monitor of cluster.monitors) {
    monitor.onMessage = (message: ReceivedMessage) => {
      if (message.type !== MAuth.type) return false;
      const { monmapEpoch, payload, protocol } = message.as(MAuth)!;
      assert.is(protocol, 1);
      assert.is(monmapEpoch, 1);
      const ticket = Buffer.from(`ticket ${Buffer.from(payload)}`);
      message.connection.send(
        Message.of(MAuthReply, {
          protocol,
          result: result(),
          globalId: 1n,
          payload: ticket,
          resultMessage: '',
        }),
      );
      return true;
    };
  }
}

test('connect waits for what is wanted; each renewal is asked for when it is due', async () => {
  await using cluster = await FakeCluster.start();
  serve(cluster);
  const auth = new CountingSession(1000);
  await cluster.connected({ auth });
  assert.ok(auth.isComplete);
  await cluster.pass(100_000);
  assert.is(auth.renewals, 101);
  assert.is(auth.abandoned, 0);
});

test('a session that ends takes a request along, which is made again in the next', async () => {
  await using cluster = await FakeCluster.start();
  serve(cluster);
  const auth = new CountingSession(1000);
  const client = await cluster.connected({ auth });
  for (let round = 0; round < 20; round++) {
    const monitor = cluster.monitorOf(client);
    const answer = monitor.onMessage;
    monitor.onMessage = ({ type }) => type === MAuth.type;
    await cluster.pass(1100);
    monitor.hangUp();
    monitor.onMessage = answer;
    await cluster.pass(5000);
  }
  assert.is(auth.abandoned, 20);
  assert.is(auth.renewals, Math.floor(cluster.network.clock.nowMs() / 1000) + 1);
});

test('a monitor that refuses or never answers loses the session', async () => {
  await using cluster = await FakeCluster.start();
  let result = 0;
  serve(cluster, () => result);
  const auth = new CountingSession(60_000);
  const client = await cluster.connected({ auth });
  const causes: MsgrError[] = [];
  client.on('sessionLost', (_, cause) => causes.push(cause));
  result = -13;
  await cluster.until(() => causes.length > 0, 'the refusal');
  assert.is(causes[0]!.code, ErrorCode.Auth);
  result = 0;
  await cluster.pass(20_000);
  causes.length = 0;
  const deaf = cluster.monitorOf(client);
  deaf.onMessage = ({ type }) => type === MAuth.type;
  await cluster.until(() => causes.length > 0, 'silence', 120_000);
  assert.match(causes[0]!.message, /did not answer an authentication request within 30000 ms/);
});

test('a wall clock that is set does no harm: due ones are asked for, no loop', async () => {
  await using cluster = await FakeCluster.start();
  serve(cluster);
  const auth = new CountingSession(3600_000);
  let offset = 0;
  const client = await cluster.connected({ auth, wallClock: () => cluster.network.clock.nowMs() + offset });
  assert.is(auth.renewals, 1);
  offset = 3600_000;
  await cluster.pass(11_000);
  assert.is(auth.renewals, 2, 'looked at within ten seconds');
  offset = -1e12;
  await cluster.pass(600_000);
  assert.is(auth.renewals, 2);
  assert.ok(client.currentMon);
});

test.run();
