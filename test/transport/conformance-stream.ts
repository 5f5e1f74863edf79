/** Sockets, the handshake's pull interface, errors and lifetimes. */
import { connect as connectSocket, createServer } from 'node:net';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { controlPayloadBytesMax } from '../../src/limits.ts';
import { withTimeout } from '../support/timeout.ts';
import { type ConformanceSuite, loopback } from './conformance-pair.ts';
import { outgoing, patternBytes } from './recorder.ts';

/** A port on which nothing listens: bound once and released. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const preambleBytes = 32;
const crcBytes = 4;
const helloTag = 1;
const waitTag = 16;
const messageTag = 17;

export function streamConformance({ test, mode }: ConformanceSuite): void {
  /** Speaks in bytes that are no frames, which is over once a stream has secrets. */
  const clearTest: typeof test = (title, body) => {
    if (mode === 'crc') test(title, body);
  };

  test('a listener on port 0 reports its port, and both ends know their addresses', async (scene) => {
    const { near, far, listener } = await scene.pair();
    assert.is.not(listener.address.port, 0);
    assert.is(listener.address.host, '127.0.0.1');
    assert.equal(near.channel.remoteAddress, listener.address);
    assert.equal(far.channel.localAddress, listener.address);
    assert.equal(near.channel.localAddress, far.channel.remoteAddress);
  });

  test('an idle channel has no addresses', async (scene) => {
    const { channel } = scene.idle();
    assert.is(channel.remoteAddress, undefined);
    assert.is(channel.localAddress, undefined);
  });

  test('IPv6 works as IPv4 does', async (scene) => {
    const listener = await scene.listen({}, { family: 6, host: '::1', port: 0 });
    const near = scene.idle();
    const far = await scene.connect(near, listener);
    assert.equal(near.channel.remoteAddress, listener.address);
    assert.is(far.channel.localAddress?.family, 6);
    assert.is(far.channel.localAddress?.host, '::1');
  });

  test('an address that is taken rejects with ERR_MSGR_BIND', async (scene) => {
    const listener = await scene.listen();
    try {
      await scene.listen({}, listener.address);
      assert.unreachable('the second listener must not bind');
    } catch (error) {
      assert.is((error as { code?: string }).code, ErrorCode.Bind);
    }
  });

  test('a closed listener accepts no more, and its port is free again', async (scene) => {
    const listener = await scene.listen();
    await listener.close();
    const near = scene.idle();
    near.events.call(() => near.channel.connect(listener.address, {}));
    assert.is((await near.events.next('closed')).error.code, ErrorCode.Refused);
    const again = await scene.listen({}, listener.address);
    assert.equal(again.address, listener.address);
  });

  test('refused: onClosed with ERR_MSGR_REFUSED, and the channel may connect again', async (scene) => {
    const near = scene.idle();
    const address = { ...loopback, port: await unusedPort() };
    for (let attempt = 0; attempt < 3; attempt++) {
      near.events.call(() => near.channel.connect(address, {}));
      assert.is((await near.events.next('closed')).error.code, ErrorCode.Refused);
    }
    await scene.connect(near, await scene.listen());
  });

  clearTest('expectBytes brings exactly the bytes asked for, however they arrive', async (scene) => {
    const { near, far } = await scene.pair();
    const sent = patternBytes(300);
    far.events.call(() => far.channel.expectBytes(10));
    near.events.call(() => near.channel.sendBytes(sent.subarray(0, 5)));
    scene.client.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(far.events.untaken.length, 0, 'half of the bytes are no answer');
    near.channel.sendBytes(sent.subarray(5));
    assert.equal(new Uint8Array((await far.events.next('bytes')).bytes), sent.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(far.events.untaken.length, 0, 'nothing comes that was not asked for');
    far.events.call(() => far.channel.expectBytes(1));
    assert.equal(new Uint8Array((await far.events.next('bytes')).bytes), sent.slice(10, 11));
    far.events.call(() => far.channel.expectBytes(289));
    assert.equal(new Uint8Array((await far.events.next('bytes')).bytes), sent.slice(11));
  });

  clearTest('sent bytes are copied: the caller may reuse its buffer', async (scene) => {
    const { near, far } = await scene.pair();
    const bytes = patternBytes(64);
    const payload = patternBytes(64, 9);
    near.channel.sendBytes(bytes);
    near.channel.sendControl(helloTag, payload);
    bytes.fill(0);
    payload.fill(0);
    far.channel.expectBytes(64);
    assert.equal(new Uint8Array((await far.events.next('bytes')).bytes), patternBytes(64));
    far.channel.expectFrame();
    assert.equal(new Uint8Array((await far.events.next('frame')).payload), patternBytes(64, 9));
  });

  test('control frames: tag, payload and the raw bytes of the wire', async (scene) => {
    const { near, far } = await scene.pair();
    for (const length of [0, 1, 47, 48, 49, 4096, controlPayloadBytesMax]) {
      const payload = patternBytes(length, length);
      const tag = length === 0 ? waitTag : helloTag;
      far.events.call(() => far.channel.expectFrame());
      near.events.call(() => near.channel.sendControl(tag, payload));
      const frame = await far.events.next('frame');
      assert.is(frame.tag, tag);
      assert.equal(new Uint8Array(frame.payload), payload);
      if (mode === 'secure') {
        assert.is(frame.raw.length, 0);
        continue;
      }
      assert.is(frame.raw.length, preambleBytes + length + (length > 0 ? crcBytes : 0));
      assert.is(frame.raw[0], tag);
      assert.equal(new Uint8Array(frame.raw.subarray(preambleBytes, preambleBytes + length)), payload);
    }
  });

  clearTest('frames and bytes that arrive together are handed out one by one', async (scene) => {
    const { near, far } = await scene.pair();
    near.channel.sendBytes(patternBytes(26));
    for (let tag = 1; tag <= 9; tag++) near.channel.sendControl(tag, patternBytes(tag * 3, tag));
    far.events.react = (event) => {
      if (event.kind === 'bytes' || (event.kind === 'frame' && event.tag < 9)) {
        far.events.call(() => far.channel.expectFrame());
      }
    };
    far.channel.expectBytes(26);
    assert.is((await far.events.next('bytes')).bytes.length, 26);
    for (let tag = 1; tag <= 9; tag++) {
      const frame = await far.events.next('frame');
      assert.is(frame.tag, tag);
      assert.equal(new Uint8Array(frame.payload), patternBytes(tag * 3, tag));
    }
  });

  test('a MESSAGE frame in the handshake is handed up as a frame', async (scene) => {
    const { near, far } = await scene.pair();
    near.channel.startSession({ lossless: false });
    near.channel.send(outgoing({ type: 513, front: patternBytes(40) }));
    far.channel.expectFrame();
    const frame = await far.events.next('frame');
    assert.is(frame.tag, messageTag);
    assert.is(frame.payload.length, 41);
    assert.is(frame.payload.readUInt16LE(16), 513);
  });

  test('the peer closes: ERR_MSGR_PEER_CLOSED after what it sent', async (scene) => {
    const { near, far } = await scene.pair();
    near.channel.sendControl(helloTag, patternBytes(5));
    scene.client.flush();
    far.channel.expectFrame();
    await far.events.next('frame');
    near.events.call(() => near.channel.disconnect());
    assert.is((await far.events.next('closed')).error.code, ErrorCode.PeerClosed);
    assert.is(near.events.untaken.length, 0, 'disconnect brings no event to the one who calls it');
    assert.is(far.channel.remoteAddress, undefined);
  });

  clearTest('a channel connects again after disconnect, many times', async (scene) => {
    const { near, far, listener } = await scene.pair();
    let other = far;
    for (let round = 0; round < 20; round++) {
      near.events.call(() => near.channel.disconnect());
      await other.events.next('closed');
      other.channel.destroy();
      other = await scene.connect(near, listener);
      near.channel.sendBytes(patternBytes(8, round));
      other.channel.expectBytes(8);
      assert.equal(new Uint8Array((await other.events.next('bytes')).bytes), patternBytes(8, round));
    }
  });

  clearTest('disconnect and connect in one go: the old socket is not heard of again', async (scene) => {
    const { near, listener } = await scene.pair();
    near.events.call(() => near.channel.disconnect());
    near.events.call(() => near.channel.connect(listener.address, {}));
    near.events.call(() => near.channel.disconnect());
    near.events.call(() => near.channel.connect(listener.address, {}));
    await near.events.next('open');
    near.channel.sendBytes(patternBytes(4));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(near.events.untaken.length, 0);
  });

  test('destroy: no event, the far end sees the close, a second time is harmless', async (scene) => {
    const { near, far } = await scene.pair();
    near.channel.expectFrame();
    near.events.call(() => near.channel.destroy());
    near.events.call(() => near.channel.destroy());
    assert.is((await far.events.next('closed')).error.code, ErrorCode.PeerClosed);
    assert.is(near.events.untaken.length, 0);
  });

  test('destroy while connecting, and from inside each handler', async (scene) => {
    const listener = await scene.listen();
    const connecting = scene.idle();
    connecting.channel.connect(listener.address, {});
    connecting.events.call(() => connecting.channel.destroy());
    const atOpen = scene.idle();
    atOpen.events.react = () => atOpen.channel.destroy();
    atOpen.channel.connect(listener.address, {});
    await atOpen.events.next('open');
    const refused = scene.idle();
    refused.events.react = () => refused.channel.destroy();
    refused.channel.connect({ ...loopback, port: await unusedPort() }, {});
    await refused.events.next('closed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is(connecting.events.events.length, 0);
    assert.is(atOpen.events.events.length, 1);
    assert.is(refused.events.events.length, 1);
  });

  test('destroy on accept is allowed', async (scene) => {
    let accepted = 0;
    const listener = await scene.server.listen(loopback, {}, (channel) => {
      accepted++;
      channel.destroy();
    });
    const near = scene.idle();
    near.channel.connect(listener.address, {});
    await near.events.next('open');
    near.channel.expectBytes(1);
    assert.ok((await near.events.next('closed')).error.code.startsWith('ERR_MSGR_'));
    assert.is(accepted, 1);
  });

  test('a stream that is no frame closes that one channel, with ERR_MSGR_BAD_FRAME', async (scene) => {
    const { near, far, listener } = await scene.session();
    const bad: [string, Buffer][] = [
      ['text instead of a preamble', Buffer.alloc(64, 'GET / HTTP/1.1\r\n')],
      ['an all-zero preamble', Buffer.alloc(64)],
      ['all ones', Buffer.alloc(64, 0xff)],
    ];
    for (const [what, bytes] of bad) {
      const socket = connectSocket(listener.address.port, '127.0.0.1');
      socket.on('error', () => {});
      const gone = new Promise((resolve) => socket.resume().once('close', resolve));
      const victim = await scene.accepted();
      victim.channel.expectFrame();
      socket.write(bytes);
      const { error } = await victim.events.next('closed');
      assert.is(error.code, ErrorCode.BadFrame, what);
      await withTimeout(gone, 5000, 'the socket to close');
    }
    near.channel.send(outgoing({ front: patternBytes(100) }));
    assert.is((await far.events.nextMessages(1))[0]!.front.length, 100);
  });

  test('pending events of a closed transport never fire; close is idempotent', async (scene) => {
    const { near, far } = await scene.session();
    near.channel.send(outgoing({ front: patternBytes(1000) }));
    near.channel.sendControl(4, patternBytes(10));
    const closing = scene.client.close();
    await Promise.all([closing, scene.client.close()]);
    await far.events.settled(() => far.events.events.some((event) => event.kind === 'closed'), 'the close');
    assert.is(near.events.untaken.length, 0);
  });

  test('a listener of a closed transport is gone', async (scene) => {
    const listener = await scene.listen();
    await scene.server.close();
    const near = scene.idle();
    near.channel.connect(listener.address, {});
    assert.is((await near.events.next('closed')).error.code, ErrorCode.Refused);
  });

  test('what a handler throws reaches uncaughtException and stops nothing', async (scene) => {
    const { near, far } = await scene.session();
    const thrown = new Error('thrown by a handler');
    // uvu listens too: its listener would fail the run, so it is set aside meanwhile.
    const others = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    try {
      far.events.react = (event) => {
        if (event.kind === 'message' && event.message.type === 1) throw thrown;
      };
      near.channel.send(outgoing({ type: 1 }));
      assert.is(await withTimeout(caught, 5000, 'uncaughtException'), thrown);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener as (error: Error) => void);
    }
    near.channel.send(outgoing({ type: 2 }));
    const messages = await far.events.nextMessages(2);
    assert.equal(
      messages.map((message) => message.type),
      [1, 2],
    );
  });
}
