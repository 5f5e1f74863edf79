/** Where secure mode begins and ends, and what is refused in it. The rest is said by the other suites in that mode. */
import { connect as connectSocket } from 'node:net';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { assembleMessageFrame } from '../../src/wire/frame.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { IndependentSealer } from '../support/independent-sealer.ts';
import { headerBytes } from '../support/secure-frames.ts';
import { secretPair } from '../support/stream-secrets.ts';
import { withTimeout } from '../support/timeout.ts';
import type { ConformanceSuite } from './conformance-pair.ts';
import { outgoing, patternBytes } from './recorder.ts';

const empty = new Uint8Array(0);

export function secureConformance({ test }: ConformanceSuite): void {
  test('what was sent before secure() is in the clear, what comes after is sealed, in one stream', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    const far = await scene.connectClear(near, listener);
    const { connector, acceptor } = secretPair(1000);
    near.channel.sendBytes(patternBytes(26));
    near.channel.sendControl(Tag.AuthDone, patternBytes(60));
    near.channel.secure(connector);
    near.channel.sendControl(Tag.AuthSignature, patternBytes(32));
    near.channel.send(outgoing({ tidLow: 5, front: patternBytes(100) }));
    near.channel.startSession({ lossless: true });
    far.channel.expectBytes(26);
    assert.equal(new Uint8Array((await far.events.next('bytes')).bytes), patternBytes(26));
    far.events.react = (event) => {
      if (event.kind !== 'frame') return;
      far.events.call(() => {
        if (event.tag === Tag.AuthDone) {
          far.channel.secure(acceptor);
          far.channel.expectFrame();
        } else far.channel.startSession({ lossless: true });
      });
    };
    far.channel.expectFrame();
    const clear = await far.events.next('frame');
    assert.is(clear.raw.length, 32 + 60 + 4);
    const sealed = await far.events.next('frame');
    assert.is(sealed.tag, Tag.AuthSignature);
    assert.equal(new Uint8Array(sealed.payload), patternBytes(32));
    assert.is(sealed.raw.length, 0);
    const [message] = await far.events.nextMessages(1);
    assert.equal(message!.front, patternBytes(100));
    assert.is(message!.tidLow, 5);
  });

  test('the bytes are those of an independent sealer', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    const far = await scene.connectClear(near, listener);
    const { connector } = secretPair(1001);
    const sealer = new IndependentSealer(connector.key, connector.sendNonce);
    const front = patternBytes(70_000);
    const data = patternBytes(100);
    near.channel.secure(connector);
    near.channel.sendControl(Tag.ClientIdent, patternBytes(123));
    near.channel.startSession({ lossless: false });
    for (const middle of [empty, patternBytes(3)]) near.channel.send(outgoing({ front, middle, data }));
    const message = (seq: bigint, middle: Uint8Array): Buffer => {
      const fields = { type: 70, priority: 127, version: 5, compatVersion: 4, seq, tid: 0n, ackSeq: 0n };
      const rest = { dataPrePaddingLength: 0, dataOffset: 0, flags: 3, reserved: 0 };
      const [frame] = assembleMessageFrame({ ...fields, ...rest }, empty, empty, empty);
      return sealer.frame(Tag.Message, [frame!.subarray(32, 32 + 41), front, middle, data]);
    };
    const expected = Buffer.concat([
      sealer.frame(Tag.ClientIdent, [patternBytes(123)]),
      message(1n, empty),
      message(2n, patternBytes(3)),
    ]);
    far.channel.expectBytes(expected.length);
    const { bytes } = await far.events.next('bytes');
    assert.ok(bytes.equals(expected));
  });

  test('ends with different keys: the first frame closes the channel, and hands out nothing', async (scene) => {
    const listener = await scene.listen();
    const near = scene.idle();
    const far = await scene.connectClear(near, listener);
    near.channel.secure(secretPair(1002).connector);
    far.channel.secure(secretPair(1003).acceptor);
    near.channel.sendControl(Tag.AuthSignature, patternBytes(32));
    far.channel.expectFrame();
    const { error } = await far.events.next('closed');
    assert.is(error.code, ErrorCode.BadFrame);
    assert.is(error.field, 'preamble.tag');
    assert.match(error.message, /altered on the way/);
    assert.ok((await near.events.next('closed')).error.code.startsWith('ERR_MSGR_'));
  });

  test('secrets end with their socket: the next one is in the clear until it gets its own', async (scene) => {
    const { near, far, listener } = await scene.session();
    near.channel.disconnect();
    await far.events.next('closed');
    const second = await scene.connectClear(near, listener);
    far.channel.adopt(second.channel);
    near.channel.sendControl(Tag.Hello, patternBytes(20));
    far.channel.expectFrame();
    assert.is((await far.events.next('frame')).raw.length, 32 + 20 + 4);
    scene.secure(near, far);
    near.channel.sendControl(Tag.Hello, patternBytes(20));
    far.channel.expectFrame();
    assert.is((await far.events.next('frame')).raw.length, 0);
  });

  test('a session may go from one mode to the other with its next socket', async (scene) => {
    const { near, far, listener } = await scene.session();
    let tid = 0;
    for (const isSecure of [false, true, false, true]) {
      // What the peer has not acknowledged was framed for the socket before.
      for (let count = 0; count < 20; count++) {
        near.channel.send(
          outgoing({ tidLow: tid, front: patternBytes(3000, tid), data: patternBytes(70_000) }),
        );
        tid++;
      }
      scene.client.flush();
      far.events.call(() => far.channel.disconnect());
      await near.events.next('closed');
      const socket = await scene.connectClear(near, listener);
      if (isSecure) scene.secure(near, socket);
      far.channel.adopt(socket.channel);
      near.channel.acknowledge(far.channel.inSeq);
      near.channel.startSession({ lossless: true });
      far.channel.startSession({ lossless: true });
    }
    const messages = await far.events.nextMessages(tid);
    messages.forEach((message, index) => {
      assert.is(message.tidLow, index);
      assert.ok(Buffer.compare(message.front, patternBytes(3000, index)) === 0);
      assert.ok(Buffer.compare(message.data, patternBytes(70_000)) === 0);
    });
  });

  test('a stream that is altered closes that one channel, after what came before', async (scene) => {
    const { near, far, listener } = await scene.session();
    const { connector, acceptor } = secretPair(1004);
    const front = patternBytes(40);
    for (const [at, field] of [
      [0, 'preamble.tag'],
      [95, 'preamble.tag'],
      [96, 'epilogue.tag'],
      [96 + 48 + 16 + 15, 'epilogue.tag'],
    ] as const) {
      const sealer = new IndependentSealer(connector.key, connector.sendNonce);
      const socket = connectSocket(listener.address.port, '127.0.0.1');
      socket.on('error', () => {});
      const gone = new Promise((resolve) => socket.resume().once('close', resolve));
      const victim = await scene.accepted();
      victim.channel.secure(acceptor);
      victim.channel.startSession({ lossless: true });
      const good = sealer.frame(Tag.Message, [headerBytes(), front]);
      const bad = sealer.frame(Tag.Message, [headerBytes(), front]);
      bad[at]! ^= 1;
      socket.write(Buffer.concat([good, bad]));
      const [message] = await victim.events.nextMessages(1);
      assert.equal(message!.front, front);
      const { error } = await victim.events.next('closed');
      assert.is(error.code, ErrorCode.BadFrame);
      assert.is(error.field, field);
      assert.is(victim.events.untaken.length, 0);
      await withTimeout(gone, 5000, 'the socket to close');
    }
    near.channel.send(outgoing({ front: patternBytes(100) }));
    assert.is((await far.events.nextMessages(1))[0]!.front.length, 100);
  });

  test('secure() belongs in the handshake, before the next frame is asked for, and once', async (scene) => {
    const { connector } = secretPair(1005);
    const idle = scene.idle();
    idle.channel.secure(connector);
    const { near, far } = await scene.pair();
    assert.throws(() => near.channel.secure(connector), TypeError);
    near.channel.startSession({ lossless: true });
    assert.throws(() => near.channel.secure(connector), TypeError);
    far.channel.expectFrame();
    assert.throws(() => far.channel.secure(connector), TypeError);
    const clear = await scene.connectClear(idle, await scene.listen());
    clear.channel.expectFrame();
    assert.throws(() => clear.channel.secure(connector), TypeError);
  });
}
