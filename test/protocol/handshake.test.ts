/** The two handshake machines against each other, bit by bit disturbed, and out of turn. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authNone } from '../../src/auth/none.ts';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { AcceptorHandshake } from '../../src/protocol/acceptor-handshake.ts';
import { bannerHeadBytes, encodeBanner, ourBanner } from '../../src/protocol/banner.ts';
import { ConnectorHandshake } from '../../src/protocol/connector-handshake.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { converse, End } from '../support/handshake-ends.ts';

const address = EntityAddr.parse('v2:127.0.0.1:6800/7');
const preambleBytes = 32;

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
