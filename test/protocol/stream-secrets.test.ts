/** Which bytes of the connection secret are whose, and that they do not show. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import { ConnectionMode } from '../../src/auth/auth.ts';
import { streamSecrets } from '../../src/protocol/stream-secrets.ts';

const test = suite('stream secrets');

const connectionSecret = Buffer.from(Array.from({ length: 64 }, (_, index) => 100 + index));
const outcome = { globalId: 1n, connectionMode: ConnectionMode.Secure, connectionSecret };
const bytes = (from: number, count: number) =>
  Uint8Array.from({ length: count }, (_, index) => 100 + from + index);

test('key, nonce A and nonce B, crossed between the ends', () => {
  const connector = streamSecrets(outcome, 'connector')!;
  const acceptor = streamSecrets(outcome, 'acceptor')!;
  assert.deepEqual(connector.key, bytes(0, 16));
  assert.deepEqual(connector.receiveNonce, bytes(16, 12));
  assert.deepEqual(connector.sendNonce, bytes(28, 12));
  assert.deepEqual(acceptor.key, connector.key);
  assert.deepEqual(acceptor.receiveNonce, connector.sendNonce);
  assert.deepEqual(acceptor.sendNonce, connector.receiveNonce);
});

test('they are copies: the connection secret may be wiped', () => {
  const wiped = Buffer.from(connectionSecret);
  const secrets = streamSecrets({ ...outcome, connectionSecret: wiped }, 'connector')!;
  wiped.fill(0);
  assert.deepEqual(secrets.key, bytes(0, 16));
  assert.deepEqual(secrets.sendNonce, bytes(28, 12));
});

test('40 bytes will do, fewer will not, crc mode has none, and others are not known', () => {
  for (const length of [40, 41, 64]) {
    assert.ok(
      streamSecrets({ ...outcome, connectionSecret: connectionSecret.subarray(0, length) }, 'acceptor'),
    );
  }
  for (const length of [0, 16, 39]) {
    const short = { ...outcome, connectionSecret: connectionSecret.subarray(0, length) };
    assert.throws(() => streamSecrets(short, 'acceptor'), { code: 'ERR_MSGR_AUTH' });
  }
  const { connectionSecret: _, ...without } = outcome;
  assert.throws(() => streamSecrets(without, 'connector'), { code: 'ERR_MSGR_AUTH' });
  assert.equal(streamSecrets({ ...outcome, connectionMode: ConnectionMode.Crc }, 'connector'), undefined);
  assert.throws(() => streamSecrets({ ...outcome, connectionMode: 0 }, 'connector'), {
    code: 'ERR_MSGR_AUTH',
  });
});

test('they show in no text', () => {
  const secrets = streamSecrets(outcome, 'connector')!;
  const texts = [
    inspect(secrets),
    inspect(secrets, { showHidden: true, depth: 9, getters: true }),
    inspect({ nested: [secrets] }, { depth: 9 }),
    JSON.stringify(secrets),
    JSON.stringify({ action: { secrets } }),
    `${secrets}`,
  ];
  for (const text of texts) {
    assert.match(text, /StreamSecrets \{ hidden \}/);
    assert.doesNotMatch(text, /100|101|64, ?65|6465|ZGVm/);
  }
  assert.deepEqual(Object.keys(secrets), []);
});

test.run();
