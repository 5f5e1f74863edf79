/** The two handshake machines against each other, bit by bit disturbed, and out of turn. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthOutcome } from '../../src/auth/auth.ts';
import { authNone } from '../../src/auth/none.ts';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { AcceptorHandshake } from '../../src/protocol/acceptor-handshake.ts';
import { bannerHeadBytes, encodeBanner, ourBanner } from '../../src/protocol/banner.ts';
import { ConnectorHandshake } from '../../src/protocol/connector-handshake.ts';
import type { Handshake, HandshakeAction } from '../../src/protocol/handshake.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import { Tag } from '../../src/wire/frames/tag.ts';

const address = EntityAddr.parse('v2:127.0.0.1:6800/7');
const preambleBytes = 32;

/** One end: a machine and the bytes it has sent and not yet had read. */
class End {
  readonly machine: Handshake;
  readonly sent: Buffer[] = [];
  outcome: AuthOutcome | undefined;
  #expected: 'frame' | number = 0;
  #inbox = Buffer.alloc(0);

  constructor(machine: Handshake) {
    this.machine = machine;
  }

  run(actions: HandshakeAction[]): void {
    for (const action of actions) {
      if (action.kind === 'sendBytes') this.sent.push(Buffer.from(action.bytes));
      else if (action.kind === 'sendControl')
        this.sent.push(assembleControlFrame(action.tag, action.payload));
      else if (action.kind === 'expectBytes') this.#expected = action.count;
      else if (action.kind === 'expectFrame') this.#expected = 'frame';
      else if (action.kind === 'authenticated') this.outcome = action.outcome;
    }
  }

  receive(bytes: Buffer): void {
    this.#inbox = Buffer.concat([this.#inbox, bytes]);
    for (;;) {
      const size = this.#nextSize();
      if (this.outcome !== undefined || size === 0 || this.#inbox.byteLength < size) return;
      const raw = this.#inbox.subarray(0, size);
      this.#inbox = this.#inbox.subarray(size);
      if (this.#expected !== 'frame') this.run(this.machine.bytes(raw));
      else this.run(this.machine.frame(raw[0]!, raw.subarray(preambleBytes, size - 4), raw));
    }
  }

  #nextSize(): number {
    if (this.#expected !== 'frame') return this.#expected;
    if (this.#inbox.byteLength < preambleBytes) return preambleBytes;
    const length = this.#inbox.readUInt32LE(2);
    return preambleBytes + (length === 0 ? 0 : length + 4);
  }
}

function makeEnds(peerType: number = EntityType.Osd): { connector: End; acceptor: End } {
  const auth = authNone(EntityAuthName.parse('osd.1'));
  const connector = new End(
    new ConnectorHandshake(
      { entityType: EntityType.Osd, peerAddr: address },
      peerType,
      auth.client(EntityType.Osd),
    ),
  );
  const acceptor = new End(
    new AcceptorHandshake({ entityType: EntityType.Osd, peerAddr: address }, (type) => auth.server(type)),
  );
  return { connector, acceptor };
}

/** Carries bytes both ways until nothing moves; `alter` may change what goes from whom. */
function converse(
  connector: End,
  acceptor: End,
  alter: (from: 'connector' | 'acceptor', bytes: Buffer, index: number) => Buffer = (_from, bytes) => bytes,
): void {
  connector.run(connector.machine.start());
  acceptor.run(acceptor.machine.start());
  let index = 0;
  while (connector.sent.length + acceptor.sent.length > 0) {
    const fromConnector = connector.sent.splice(0);
    const fromAcceptor = acceptor.sent.splice(0);
    for (const bytes of fromConnector) acceptor.receive(alter('connector', bytes, index++));
    for (const bytes of fromAcceptor) connector.receive(alter('acceptor', bytes, index++));
  }
}

test('both ends authenticate with AUTH_NONE and learn of each other', () => {
  const { connector, acceptor } = makeEnds();
  converse(connector, acceptor);
  assert.is(connector.outcome?.connectionMode, 1);
  assert.is(acceptor.outcome?.entity, 'osd.1');
  assert.is(acceptor.machine.greeting?.peerType, EntityType.Osd);
  assert.is(String(connector.machine.greeting?.myAddr), String(address));
});

test('delivery byte by byte changes nothing', () => {
  const { connector, acceptor } = makeEnds();
  connector.run(connector.machine.start());
  acceptor.run(acceptor.machine.start());
  while (connector.sent.length + acceptor.sent.length > 0) {
    for (const byte of Buffer.concat(connector.sent.splice(0))) acceptor.receive(Buffer.of(byte));
    for (const byte of Buffer.concat(acceptor.sent.splice(0))) connector.receive(Buffer.of(byte));
  }
  assert.ok(connector.outcome && acceptor.outcome);
});

test('the connector refuses a peer of another type', () => {
  const { connector, acceptor } = makeEnds(EntityType.Mon);
  assert.throws(
    () => converse(connector, acceptor),
    (error: MsgrError) =>
      error.code === ErrorCode.PeerMismatch && /osd answers where a mon/.test(error.message),
  );
});

test('a v1 banner, another protocol and unknown required features are told apart', () => {
  for (const [bytes, pattern] of [
    [Buffer.from('ceph v027\0\0'), /msgr v1/],
    [Buffer.from('GET / HTTP/1.1\r\n'), /does not speak msgr2/],
  ] as const) {
    const { acceptor } = makeEnds();
    acceptor.run(acceptor.machine.start());
    assert.throws(
      () => acceptor.receive(bytes),
      (error: MsgrError) => error.code === ErrorCode.BadBanner && pattern.test(error.message),
    );
  }
  const { acceptor } = makeEnds();
  acceptor.run(acceptor.machine.start());
  assert.throws(
    () => acceptor.receive(encodeBanner({ supportedFeatures: 1n, requiredFeatures: 0x8000n })),
    /requires msgr2 features 0x8000/,
  );
  const old = makeEnds().acceptor;
  old.run(old.machine.start());
  assert.throws(
    () => old.receive(encodeBanner({ supportedFeatures: 0n, requiredFeatures: 0n })),
    /lacks msgr2 features 0x1/,
  );
});

test('a longer banner of a future peer is read, an absurd one refused', () => {
  const banner = encodeBanner(ourBanner);
  const longer = Buffer.concat([banner, Buffer.alloc(8, 0xff)]);
  longer.writeUInt16LE(24, 8);
  const { acceptor } = makeEnds();
  acceptor.run(acceptor.machine.start());
  acceptor.receive(longer);
  assert.is(acceptor.machine.phase, 'hello');
  for (const length of [0, 15, 1025, 0xffff]) {
    const bad = Buffer.from(banner.subarray(0, bannerHeadBytes));
    bad.writeUInt16LE(length, 8);
    const other = makeEnds().acceptor;
    other.run(other.machine.start());
    assert.throws(() => other.receive(bad), /banner payload of/);
  }
});

test('every tag in every phase of the acceptor: only the one that is due is taken', () => {
  const phases: Array<{ until: number; due: number }> = [
    { until: 0, due: Tag.Hello },
    { until: 1, due: Tag.AuthRequest },
    { until: 2, due: Tag.AuthSignature },
  ];
  let cells = 0;
  for (const { until, due } of phases) {
    for (let tag = 0; tag < 256; tag++) {
      if (tag === due) continue;
      const { connector, acceptor } = makeEnds();
      let frames = 0;
      let hostile = false;
      const run = (): void =>
        converse(connector, acceptor, (from, bytes) => {
          if (from !== 'connector' || bytes.subarray(0, 4).toString() === 'ceph' || hostile) return bytes;
          if (frames++ < until) return bytes;
          hostile = true;
          const payload = bytes.subarray(preambleBytes, bytes.byteLength - 4);
          return assembleControlFrame(tag, payload);
        });
      assert.throws(run, (error: unknown) => error instanceof MsgrError, `tag ${tag} after ${until} frames`);
      assert.not.ok(acceptor.outcome, `tag ${tag} after ${until} frames`);
      cells++;
    }
  }
  assert.is(cells, 3 * 255);
});

test('a signature that is not zero is refused when there is no key', () => {
  const { connector, acceptor } = makeEnds();
  assert.throws(
    () =>
      converse(connector, acceptor, (_from, bytes) => {
        if (bytes[0] !== Tag.AuthSignature) return bytes;
        return assembleControlFrame(Tag.AuthSignature, Buffer.alloc(32, 1));
      }),
    (error: MsgrError) => error.code === ErrorCode.Auth,
  );
});

test('a method that the acceptor does not know is answered with what it allows, and the connector says so', () => {
  const { connector, acceptor } = makeEnds();
  assert.throws(
    () =>
      converse(connector, acceptor, (from, bytes) => {
        if (from !== 'connector' || bytes[0] !== Tag.AuthRequest) return bytes;
        const payload = Buffer.from(bytes.subarray(preambleBytes, bytes.byteLength - 4));
        payload.writeUInt32LE(2, 0);
        return assembleControlFrame(Tag.AuthRequest, payload);
      }),
    (error: MsgrError) => error.code === ErrorCode.Auth && /allows methods 1/.test(error.message),
  );
});

test.run();
