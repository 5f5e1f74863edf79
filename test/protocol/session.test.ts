/** The acceptor's two decisions, question by question, in Ceph's order. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decideClientIdent, decideReconnect, type ExistingSession } from '../../src/protocol/session.ts';

const established: ExistingSession = {
  lossy: false,
  server: false,
  clientCookie: 11n,
  serverCookie: 22n,
  peerGlobalSeq: 5n,
  connectSeq: 3n,
  inSeq: 7n,
  settled: true,
};
const ident = { clientCookie: 11n, globalSeq: 6n };
const smaller = -1;
const larger = 1;

test('CLIENT_IDENT: nobody there is a new connection', () => {
  assert.equal(decideClientIdent(undefined, ident, smaller), { kind: 'accept' });
});

test('CLIENT_IDENT: a late attempt is stale before anything else is asked', () => {
  const existing = { ...established, lossy: true, peerGlobalSeq: 7n };
  assert.equal(decideClientIdent(existing, ident, smaller), { kind: 'stale' });
  assert.equal(decideClientIdent({ ...existing, peerGlobalSeq: 6n }, ident, smaller), {
    kind: 'replaceLossy',
  });
});

test('CLIENT_IDENT: a lossy connection gives way, whatever its cookies', () => {
  assert.equal(decideClientIdent({ ...established, lossy: true, clientCookie: 99n }, ident, larger), {
    kind: 'replaceLossy',
  });
});

test('CLIENT_IDENT: another cookie over an established session means that the peer restarted', () => {
  const verdict = decideClientIdent(established, { clientCookie: 12n, globalSeq: 6n }, larger);
  assert.equal(verdict, { kind: 'takeOver', peerRestarted: true });
});

test('CLIENT_IDENT: the same cookie takes an interrupted beginning up again', () => {
  const existing = { ...established, serverCookie: 0n, settled: false };
  assert.equal(decideClientIdent(existing, ident, larger), { kind: 'takeOver', peerRestarted: false });
});

test('CLIENT_IDENT: half a session with another cookie is taken over when it rests', () => {
  const existing = { ...established, serverCookie: 0n };
  const other = { clientCookie: 12n, globalSeq: 6n };
  assert.equal(decideClientIdent(existing, other, larger), { kind: 'takeOver', peerRestarted: false });
});

test('CLIENT_IDENT: in a race the smaller address connects, and a server never does', () => {
  const racing = { ...established, serverCookie: 0n, settled: false };
  const other = { clientCookie: 12n, globalSeq: 6n };
  assert.equal(decideClientIdent(racing, other, smaller), { kind: 'takeOver', peerRestarted: false });
  assert.equal(decideClientIdent(racing, other, larger), { kind: 'wait' });
  assert.equal(decideClientIdent({ ...racing, server: true }, other, larger), {
    kind: 'takeOver',
    peerRestarted: false,
  });
});

const reconnect = { clientCookie: 11n, serverCookie: 22n, globalSeq: 6n, connectSeq: 4n, messageSeq: 2n };

test('SESSION_RECONNECT: an unknown session is reset whole', () => {
  assert.equal(decideReconnect(undefined, reconnect, smaller, false), { kind: 'reset', full: true });
});

test('SESSION_RECONNECT: another cookie resets, whole when the policy checks resets', () => {
  const other = { ...reconnect, clientCookie: 12n };
  assert.equal(decideReconnect(established, other, smaller, true), { kind: 'reset', full: true });
  assert.equal(decideReconnect(established, other, smaller, false), { kind: 'reset', full: false });
});

test('SESSION_RECONNECT: whoever never saw the answer begins again without forgetting', () => {
  const existing = { ...established, serverCookie: 0n, peerGlobalSeq: 99n };
  assert.equal(decideReconnect(existing, reconnect, smaller, true), { kind: 'reset', full: false });
});

test("SESSION_RECONNECT: the same connector's other session is reset, unless neither has received anything", () => {
  const other = { ...reconnect, serverCookie: 23n };
  const fresh = { ...established, inSeq: 0n };
  assert.equal(decideReconnect(established, other, smaller, true), { kind: 'reset', full: true });
  assert.equal(decideReconnect(established, other, smaller, false), { kind: 'reset', full: false });
  assert.equal(decideReconnect(fresh, other, smaller, true), { kind: 'reset', full: true });
  assert.equal(decideReconnect(fresh, { ...other, messageSeq: 0n }, smaller, true), { kind: 'resume' });
});

test('SESSION_RECONNECT: a lower global_seq, then a lower connect_seq, has to try again', () => {
  assert.equal(
    decideReconnect({ ...established, peerGlobalSeq: 7n, connectSeq: 9n }, reconnect, smaller, true),
    {
      kind: 'retryGlobal',
      globalSeq: 7n,
    },
  );
  assert.equal(decideReconnect({ ...established, connectSeq: 5n }, reconnect, smaller, true), {
    kind: 'retry',
    connectSeq: 5n,
  });
});

test('SESSION_RECONNECT: when both reconnect, the larger address waits unless this side is a server', () => {
  const racing = { ...established, connectSeq: 4n };
  assert.equal(decideReconnect(racing, reconnect, larger, true), { kind: 'wait' });
  assert.equal(decideReconnect({ ...racing, server: true }, reconnect, larger, true), { kind: 'resume' });
  assert.equal(decideReconnect(racing, reconnect, smaller, true), { kind: 'resume' });
});

test('SESSION_RECONNECT: otherwise the session goes on', () => {
  assert.equal(decideReconnect(established, reconnect, larger, true), { kind: 'resume' });
});

test.run();
