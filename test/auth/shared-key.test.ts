/** Shared-key authentication: that it agrees, with whom it does not, and that nothing said can be bent or used again. */
import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import { type AuthOutcome, type AuthProvider, type AuthReply, ConnectionMode } from '../../src/auth/auth.ts';
import { authNone } from '../../src/auth/none.ts';
import {
  authSharedKey,
  type SharedKeyOptions,
  sharedKeyMethod,
  sharedKeyProvider,
} from '../../src/auth/shared-key.ts';
import { MsgrError } from '../../src/errors.ts';
import { AcceptorHandshake } from '../../src/protocol/acceptor-handshake.ts';
import { ConnectorHandshake } from '../../src/protocol/connector-handshake.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import type { AuthRequest } from '../../src/wire/frames/auth-request.ts';
import { converse, End } from '../support/handshake-ends.ts';

const test = suite('authentication with a shared key');

const key = Buffer.from('a key of thirty-two random bytes');
const client = (options: Partial<SharedKeyOptions> = {}) =>
  authSharedKey({ name: 'client.billing', key, ...options });
const server = (options: Partial<SharedKeyOptions> = {}) => authSharedKey({ name: 'osd.3', key, ...options });

/** What passes between the two; a tamperer may change it. */
interface Exchange {
  request: AuthRequest;
  reply: Uint8Array;
  proof: Uint8Array;
  done: { globalId: bigint; connectionMode: number; payload: Uint8Array };
}
type Tamper = Partial<{ [Step in keyof Exchange]: (value: Exchange[Step]) => Exchange[Step] }>;

interface Result {
  readonly said: Exchange;
  readonly connector: AuthOutcome;
  readonly acceptor: AuthOutcome;
}

/** Runs the four steps. Throws what an end throws, and a refusal as the connector meets it. */
function authenticate(connecting: AuthProvider, accepting: AuthProvider, tamper: Tamper = {}): Result {
  const near = connecting.client(EntityType.Osd);
  const far = accepting.server(EntityType.Client);
  const proceed = <Kind extends AuthReply['kind']>(reply: AuthReply, kind: Kind) => {
    if (reply.kind === 'refused') near.handleBadMethod(reply);
    assert.equal(reply.kind, kind);
    return reply as Extract<AuthReply, { kind: Kind }>;
  };
  const request = (tamper.request ?? same)(near.start());
  const reply = (tamper.reply ?? same)(proceed(far.handleRequest(request), 'more').payload);
  const proof = (tamper.proof ?? same)(near.handleReplyMore(reply));
  const { outcome, payload } = proceed(far.handleRequestMore(proof), 'done');
  const { globalId, connectionMode } = outcome;
  const done = (tamper.done ?? same)({ globalId, connectionMode, payload });
  const connector = near.handleDone(done.globalId, done.connectionMode, done.payload);
  return { said: { request, reply, proof, done }, connector, acceptor: outcome };
}

const same = <T>(value: T): T => value;

function refusedAs(body: () => unknown, code: string, message: RegExp): void {
  assert.throws(body, (error: unknown) => {
    assert.ok(error instanceof MsgrError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

test('both ends come to the same keys, and the acceptor knows who came', () => {
  const { connector, acceptor } = authenticate(client(), server());
  assert.equal(connector.connectionMode, ConnectionMode.Secure);
  assert.equal(connector.sessionKey?.length, 32);
  assert.equal(connector.connectionSecret?.length, 64);
  assert.deepEqual(connector.sessionKey, acceptor.sessionKey);
  assert.deepEqual(connector.connectionSecret, acceptor.connectionSecret);
  assert.equal(acceptor.entity, 'client.billing');
});

test('every connection has its own keys and nonces', () => {
  const [connecting, accepting] = [client(), server()];
  const seen = new Set<string>();
  for (let count = 0; count < 200; count++) {
    const { said, connector } = authenticate(connecting, accepting);
    for (const bytes of [said.request.payload, said.reply, said.proof, said.done.payload]) {
      seen.add(Buffer.from(bytes).toString('hex'));
    }
    seen.add(Buffer.from(connector.sessionKey!).toString('hex'));
    seen.add(Buffer.from(connector.connectionSecret!).toString('hex'));
  }
  assert.equal(seen.size, 200 * 6);
});

test('byte by byte, computed apart', () => {
  let next = 0;
  const counting = (count: number) => Buffer.alloc(count, ++next);
  const { said, connector } = authenticate(
    sharedKeyProvider({ name: 'client.billing', key, modes: ['secure', 'crc'] }, counting),
    sharedKeyProvider({ name: 'osd.3', key, modes: ['crc', 'secure'] }, counting),
  );
  const u32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
  const sized = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);
  // u8 version 1, u32 entity type, string id, nonce.
  const opening = (type: number, id: string, fill: number) =>
    Buffer.concat([Buffer.of(1), u32(type), sized(Buffer.from(id)), Buffer.alloc(32, fill)]);
  const near = opening(8, 'billing', 1);
  const far = opening(4, '3', 2);
  assert.deepEqual(Buffer.from(said.request.payload), near);
  assert.deepEqual(Buffer.from(said.reply), far);
  assert.equal(said.request.method, sharedKeyMethod);
  assert.deepEqual(said.request.preferredModes, [2, 1]);
  const label = 'msgr2 shared key 1';
  const words = Buffer.concat([
    sized(Buffer.from(label)),
    u32(sharedKeyMethod),
    u32(2),
    u32(2),
    u32(1),
    sized(near),
    sized(far),
  ]);
  const proofKey = Buffer.from(hkdfSync('sha256', key, '', `${label}: proof`, 32));
  const hmac = (role: string, bytes: Buffer) =>
    createHmac('sha256', proofKey).update(`${label}: ${role}`).update(bytes).digest('hex');
  assert.equal(Buffer.from(said.proof).toString('hex'), hmac('connector', words));
  const chosen = Buffer.concat([sized(words), Buffer.alloc(8), u32(2)]);
  assert.equal(Buffer.from(said.done.payload).toString('hex'), hmac('acceptor', chosen));
  const salt = createHash('sha256').update(words).digest();
  const keys = Buffer.from(hkdfSync('sha256', key, salt, `${label}: session`, 96));
  assert.deepEqual(Buffer.from(connector.sessionKey!), keys.subarray(0, 32));
  assert.deepEqual(Buffer.from(connector.connectionSecret!), keys.subarray(32));
});

test('the first of the connector’s modes that the acceptor has too', () => {
  const secure = ['secure'] as const;
  const crc = ['crc'] as const;
  const both = ['secure', 'crc'] as const;
  const crcFirst = ['crc', 'secure'] as const;
  for (const [offered, allowed, agreed] of [
    [secure, secure, 2],
    [secure, both, 2],
    [both, secure, 2],
    [crcFirst, secure, 2],
    [both, crcFirst, 2],
    [crcFirst, both, 1],
    [crc, both, 1],
    [crc, crc, 1],
  ] as const) {
    const { connector, acceptor } = authenticate(client({ modes: offered }), server({ modes: allowed }));
    assert.equal(connector.connectionMode, agreed);
    assert.equal(acceptor.connectionMode, agreed);
    assert.equal(connector.connectionSecret?.length, agreed === 2 ? 64 : undefined);
    assert.equal(acceptor.connectionSecret?.length, agreed === 2 ? 64 : undefined);
  }
  for (const [offered, allowed] of [
    [secure, crc],
    [crc, secure],
  ] as const) {
    refusedAs(
      () => authenticate(client({ modes: offered }), server({ modes: allowed })),
      'ERR_MSGR_AUTH',
      /EOPNOTSUPP .* modes (crc|secure), offered were (crc|secure): check .* a mode in common/,
    );
  }
});

test('without saying so nobody gets crc mode', () => {
  refusedAs(() => authenticate(client({ modes: ['crc'] }), server()), 'ERR_MSGR_AUTH', /modes secure/);
});

test('another key: EACCES, with what to check; the acceptor tells its log who came', () => {
  for (const other of [randomBytes(32), flipped(key, 0), flipped(key, 255), key.subarray(0, 31)]) {
    refusedAs(
      () => authenticate(client({ key: other }), server()),
      'ERR_MSGR_AUTH',
      /refuses the proof of client\.billing with EACCES .*: check that both ends were given the same key/,
    );
  }
  const accepting = server().server(EntityType.Client);
  const connecting = client({ key: randomBytes(32) }).client(EntityType.Osd);
  const more = accepting.handleRequest(connecting.start());
  assert.ok(more.kind === 'more');
  const answer = accepting.handleRequestMore(connecting.handleReplyMore(more.payload));
  assert.ok(answer.kind === 'refused' && answer.result === -13);
  assert.match(accepting.refusal!.message, /proof of client\.billing does not verify: check that/);
  // One attempt.
  const again = client().client(EntityType.Osd).start();
  refusedAs(() => accepting.handleRequest(again), 'ERR_MSGR_AUTH', /one attempt/);
  refusedAs(() => accepting.handleRequestMore(Buffer.alloc(32)), 'ERR_MSGR_AUTH', /not asked for/);
});

test('an acceptor without the key is not believed', () => {
  const connecting = client().client(EntityType.Osd);
  connecting.start();
  const accepting = server({ key: randomBytes(32) }).server(EntityType.Client);
  const more = accepting.handleRequest(client().client(EntityType.Osd).start());
  assert.ok(more.kind === 'more');
  connecting.handleReplyMore(more.payload);
  for (const proof of [Buffer.alloc(32), randomBytes(32), Buffer.alloc(0), randomBytes(33)]) {
    refusedAs(
      () => connecting.handleDone(0n, ConnectionMode.Secure, proof),
      'ERR_MSGR_AUTH',
      /acceptor's proof does not verify: check that both ends were given the same key/,
    );
  }
});

test('an acceptor that leaves its part out is not believed', () => {
  const connecting = client().client(EntityType.Osd);
  connecting.start();
  refusedAs(
    () => connecting.handleDone(0n, ConnectionMode.Secure, Buffer.alloc(32)),
    'ERR_MSGR_AUTH',
    /without having opened it/,
  );
  const more = server().server(EntityType.Client).handleRequest(connecting.start());
  assert.ok(more.kind === 'more');
  connecting.handleReplyMore(more.payload);
  refusedAs(() => connecting.handleReplyMore(more.payload), 'ERR_MSGR_AUTH', /second proof/);
});

test('replayed: what one connection said is worth nothing on another, at either end', () => {
  const [connecting, accepting] = [client(), server()];
  const { said } = authenticate(connecting, accepting);
  // To an acceptor, step by step and out of step.
  const victim = accepting.server(EntityType.Client);
  assert.equal(victim.handleRequest(said.request).kind, 'more');
  const answer = victim.handleRequestMore(said.proof);
  assert.ok(answer.kind === 'refused' && answer.result === -13);
  refusedAs(
    () => accepting.server(EntityType.Client).handleRequestMore(said.proof),
    'ERR_MSGR_AUTH',
    /not asked for/,
  );
  // To a connector.
  const dialler = connecting.client(EntityType.Osd);
  dialler.start();
  assert.notDeepEqual(dialler.handleReplyMore(said.reply), said.proof);
  refusedAs(
    () => dialler.handleDone(said.done.globalId, said.done.connectionMode, said.done.payload),
    'ERR_MSGR_AUTH',
    /does not verify/,
  );
});

test('reflected: no proof of one role serves in the other', () => {
  const { said } = authenticate(client(), client());
  assert.notDeepEqual(Buffer.from(said.proof), Buffer.from(said.done.payload));
  const dialler = client().client(EntityType.Osd);
  const own = dialler.start();
  const proof = dialler.handleReplyMore(own.payload);
  refusedAs(() => dialler.handleDone(0n, ConnectionMode.Secure, proof), 'ERR_MSGR_AUTH', /does not verify/);
});

test('every bit of every step, flipped, and every mode that is put in another’s place, is refused', () => {
  const both = { modes: ['secure', 'crc'] } as const;
  const [connecting, accepting] = [client(both), server(both)];
  const fails = (what: string, tamper: Tamper) => {
    assert.throws(
      () => authenticate(connecting, accepting, tamper),
      (error: unknown) => {
        assert.ok(error instanceof MsgrError, `${what}: ${error}`);
        assert.ok(['ERR_MSGR_AUTH', 'ERR_MSGR_MALFORMED'].includes(error.code), `${what}: ${error.code}`);
        return true;
      },
      what,
    );
  };
  const { said } = authenticate(connecting, accepting);
  for (let bit = 0; bit < said.request.payload.length * 8; bit++) {
    fails(`request, bit ${bit}`, {
      request: (value) => ({ ...value, payload: flipped(value.payload, bit) }),
    });
  }
  for (let bit = 0; bit < said.reply.length * 8; bit++) {
    fails(`reply, bit ${bit}`, { reply: (value) => flipped(value, bit) });
  }
  for (let bit = 0; bit < 256; bit++) {
    fails(`proof, bit ${bit}`, { proof: (value) => flipped(value, bit) });
    fails(`done, bit ${bit}`, { done: (value) => ({ ...value, payload: flipped(value.payload, bit) }) });
  }
  for (let bit = 0n; bit < 64n; bit++) {
    fails(`global id, bit ${bit}`, {
      done: (value) => ({ ...value, globalId: value.globalId ^ (1n << bit) }),
    });
  }
  for (const modes of [[1], [1, 2], [2], [2, 1, 1], [2, 1, 99], []]) {
    fails(`modes ${modes}`, { request: (value) => ({ ...value, preferredModes: modes }) });
  }
  for (const connectionMode of [0, 1, 3, 0xffffffff]) {
    fails(`mode ${connectionMode}`, { done: (value) => ({ ...value, connectionMode }) });
  }
});

test('payloads of every length: an error, never a proof', () => {
  const { said } = authenticate(client(), server());
  const lengths = (bytes: Uint8Array) =>
    Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length)).concat([
      Buffer.concat([bytes, Buffer.of(0)]),
    ]);
  for (const payload of lengths(said.request.payload)) {
    const accepting = server().server(EntityType.Client);
    refusedAs(
      () => accepting.handleRequest({ ...said.request, payload }),
      'ERR_MSGR_MALFORMED',
      /authRequest|end/,
    );
  }
  for (const payload of lengths(said.reply)) {
    const connecting = client().client(EntityType.Osd);
    refusedAs(() => connecting.handleReplyMore(payload), 'ERR_MSGR_MALFORMED', /./);
  }
  for (const proof of lengths(said.proof)) {
    const accepting = server().server(EntityType.Client);
    accepting.handleRequest(client().client(EntityType.Osd).start());
    assert.equal(accepting.handleRequestMore(proof).kind, 'refused');
  }
  const longName = authSharedKey({ name: `client.${'x'.repeat(257)}`, key });
  refusedAs(() => authenticate(longName, server()), 'ERR_MSGR_MALFORMED', /longer than 256/);
});

test('another method: each says what it allows', () => {
  const none = authNone(EntityAuthName.parse('client.admin'));
  refusedAs(
    () => authenticate(client(), none),
    'ERR_MSGR_AUTH',
    /allows methods 1 .*check that it has a shared key/,
  );
  refusedAs(() => authenticate(none, server()), 'ERR_MSGR_AUTH', new RegExp(`methods ${sharedKeyMethod}`));
});

// Through the handshake, whose signatures cover every byte.

const address = EntityAddr.parse('v2:127.0.0.1:6800/7');

function makeEnds(): { connector: End; acceptor: End } {
  const hello = { entityType: EntityType.Osd, peerAddr: address };
  const connecting = client().client(EntityType.Osd);
  return {
    connector: new End(new ConnectorHandshake(hello, EntityType.Osd, connecting)),
    acceptor: new End(new AcceptorHandshake(hello, (type) => server().server(type))),
  };
}

test('the handshake ends with the same outcome at both ends', () => {
  const { connector, acceptor } = makeEnds();
  converse(connector, acceptor);
  assert.ok(connector.outcome !== undefined && acceptor.outcome !== undefined);
  assert.deepEqual(connector.outcome.connectionSecret, acceptor.outcome.connectionSecret);
});

test('every bit of the handshake, flipped under a good checksum: never are both ends content', () => {
  const sizes: number[] = [];
  const honest = makeEnds();
  converse(honest.connector, honest.acceptor, (_from, bytes, index) => {
    sizes[index] = bytes.length;
    return bytes;
  });
  assert.ok(sizes.length >= 10);
  let flips = 0;
  sizes.forEach((size, step) => {
    const isBanner = size === 26;
    // Of a frame its tag and its payload; the rest is made again.
    const places = isBanner
      ? [...Array(size).keys()]
      : [0, ...Array.from({ length: size - 36 }, (_, at) => 32 + at)];
    for (const place of places) {
      for (let bit = 0; bit < 8; bit++) {
        flips++;
        const { connector, acceptor } = makeEnds();
        try {
          converse(connector, acceptor, (_from, bytes, index) => {
            if (index !== step) return bytes;
            const changed = flipped(bytes, place * 8 + bit);
            return isBanner ? changed : assembleControlFrame(changed[0]!, changed.subarray(32, -4));
          });
        } catch (error) {
          assert.ok(error instanceof MsgrError, `step ${step}, byte ${place}, bit ${bit}: ${error}`);
        }
        const isContent = connector.outcome !== undefined && acceptor.outcome !== undefined;
        assert.ok(!isContent, `step ${step}, byte ${place}, bit ${bit}`);
      }
    }
  });
  assert.ok(flips > 2000);
});

test('keys below 16 bytes, names that are none and lists without a mode are refused', () => {
  for (const length of [0, 1, 15]) {
    refusedAs(
      () => client({ key: Buffer.alloc(length) }),
      'ERR_MSGR_INVALID_ARGUMENT',
      /at least 16 random bytes/,
    );
  }
  for (const password of ['hunter2 hunter2 hunter2', undefined, 5]) {
    const options = { key: password as unknown as Uint8Array };
    refusedAs(
      () => client(options),
      'ERR_MSGR_INVALID_ARGUMENT',
      /random bytes, not (string|undefined|number)/,
    );
  }
  for (const name of ['', 'billing', 'nobody.1']) {
    refusedAs(() => client({ name }), 'ERR_MSGR_INVALID_ARGUMENT', /./);
  }
  refusedAs(() => client({ modes: [] }), 'ERR_MSGR_INVALID_ARGUMENT', /not \[\]/);
  const clear = ['clear'] as unknown as ['crc'];
  refusedAs(() => client({ modes: clear }), 'ERR_MSGR_INVALID_ARGUMENT', /not \["clear"\]/);
});

test('the key shows in no text, and may be wiped once it was given', () => {
  const given = Buffer.from(key);
  const provider = client({ key: given });
  given.fill(0);
  const connecting = provider.client(EntityType.Osd);
  const accepting = server().server(EntityType.Client);
  authenticate(provider, server());
  for (const value of [provider, connecting, accepting]) {
    const text = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value);
    for (const form of [key.toString('hex'), key.toString('base64'), key.toString(), [...key].join(', ')]) {
      assert.ok(!text.includes(form), text);
    }
  }
});

test.run();
