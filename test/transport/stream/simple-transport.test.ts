/** What `simple` does beyond the common contract: node:net's options and errors, and its lifetime. */
import { execFile } from 'node:child_process';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import type { Channel, Transport } from '../../../src/transport/channel.ts';
import type { SocketOptions } from '../../../src/transport/socket.ts';
import { createSimpleTransport } from '../../../src/transport/stream/simple-transport.ts';
import { waitUntil, withTimeout } from '../../support/timeout.ts';
import { outgoing, Recorder } from '../recorder.ts';

const test = suite('simple transport');

const loopback = { family: 4, host: '127.0.0.1', port: 0 } as const;

/** Runs `body` with a transport that is closed after it. */
function withTransport(body: (transport: Transport) => Promise<void>): () => Promise<void> {
  return async () => {
    const transport = createSimpleTransport();
    try {
      await withTimeout(body(transport), 10_000, 'the test');
    } finally {
      await transport.close();
    }
  };
}

async function rejection(promise: Promise<unknown>): Promise<MsgrError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, MsgrError);
    return error as MsgrError;
  }
  throw new Error('it did not reject');
}

const asyncOnly: SocketOptions[] = [
  { device: 'lo' },
  { typeOfService: 0x10 },
  { reusePort: true },
  { bindAddressNoPort: true },
  { busyPollUs: 50 },
  { receiveBufferBytes: 65536 },
  { sendBufferBytes: 65536 },
  { congestionControl: 'reno' },
];

test(
  'options of the native core only are refused, and named',
  withTransport(async (transport) => {
    for (const options of asyncOnly) {
      const name = Object.keys(options)[0]!;
      const error = await rejection(transport.listen(loopback, options, () => {}));
      assert.is(error.code, ErrorCode.Unsupported);
      assert.match(error.message, name);
      const events = new Recorder();
      events.call(() => transport.createChannel(events).connect({ ...loopback, port: 1 }, options));
      const closed = await events.next('closed');
      assert.is(closed.error.code, ErrorCode.Unsupported);
    }
    const listener = await transport.listen(
      loopback,
      { noDelay: false, backlog: 5, reusePort: false, receiveBufferBytes: 0 },
      () => {},
    );
    assert.is.not(listener.address.port, 0);
  }),
);

test(
  'localAddress is where the connection comes from',
  withTransport(async (transport) => {
    const events = new Recorder();
    let accepted: Channel | undefined;
    const listener = await transport.listen(loopback, {}, (channel) => {
      channel.handler = new Recorder();
      accepted = channel;
    });
    const channel = transport.createChannel(events);
    channel.connect(listener.address, { localAddress: { family: 4, host: '127.0.0.7', port: 0 } });
    await events.next('open');
    await waitUntil(() => accepted, 5000, 'the accepted channel', 2);
    assert.is(accepted!.remoteAddress?.host, '127.0.0.7');
    assert.equal(channel.localAddress, accepted!.remoteAddress);
  }),
);

test(
  'an address that cannot be bound is ERR_MSGR_BIND, on either side',
  withTransport(async (transport) => {
    const nobodys = { family: 4, host: '192.0.2.1', port: 0 } as const;
    assert.is((await rejection(transport.listen(nobodys, {}, () => {}))).code, ErrorCode.Bind);
    const events = new Recorder();
    transport.createChannel(events).connect({ ...loopback, port: 1 }, { localAddress: nobodys });
    assert.is((await events.next('closed')).error.code, ErrorCode.Bind);
  }),
);

test(
  'a host that is no address of its family is ERR_MSGR_INVALID_ARGUMENT',
  withTransport(async (transport) => {
    const wrong = [
      { family: 4, host: '::1', port: 1 },
      { family: 6, host: '127.0.0.1', port: 1 },
      { family: 4, host: 'localhost', port: 1 },
      { family: 4, host: '127.0.0.1', port: 65536 },
    ] as const;
    for (const address of wrong) {
      const events = new Recorder();
      events.call(() => transport.createChannel(events).connect(address, {}));
      const { error } = await events.next('closed');
      assert.is(error.code, ErrorCode.InvalidArgument, `${address.host}:${address.port}`);
    }
    const error = await rejection(transport.listen({ ...loopback, host: 'localhost' }, {}, () => {}));
    assert.is(error.code, ErrorCode.InvalidArgument);
  }),
);

test(
  'a reset by the peer is ERR_MSGR_SOCKET with the system’s errno as cause',
  withTransport(async (transport) => {
    const events = new Recorder();
    const listener = await transport.listen(loopback, {}, (channel) => {
      channel.handler = events;
      channel.expectFrame();
    });
    const socket = connectSocket(listener.address.port, '127.0.0.1', () => socket.resetAndDestroy());
    const { error } = await events.next('closed');
    assert.is(error.code, ErrorCode.Socket);
    assert.is((error.cause as NodeJS.ErrnoException).code, 'ECONNRESET');
    assert.match(error.peer ?? '', /^127\.0\.0\.1:\d+$/);
  }),
);

test(
  'an accepted channel that nobody takes is closed',
  withTransport(async (transport) => {
    const listener = await transport.listen(loopback, {}, () => {});
    const socket = connectSocket(listener.address.port, '127.0.0.1').resume();
    await withTimeout(new Promise((resolve) => socket.once('close', resolve)), 5000, 'the close');
  }),
);

test('close() waits for every descriptor, and nothing is made after it', async () => {
  const transport = createSimpleTransport();
  const events = new Recorder();
  const listener = await transport.listen(loopback, {}, (channel) => {
    channel.handler = new Recorder();
  });
  const channel = transport.createChannel(events);
  channel.connect(listener.address, {});
  await events.next('open');
  channel.startSession({ lossless: true });
  channel.send(outgoing({ data: new Uint8Array(50_000_000) }));
  transport.flush();
  await withTimeout(transport.close(), 5000, 'close');
  assert.throws(
    () => transport.createChannel(events),
    (error: MsgrError) => error.code === ErrorCode.Closed,
  );
  assert.is((await rejection(transport.listen(loopback, {}, () => {}))).code, ErrorCode.Closed);
  assert.equal(events.untaken, []);
});

test(
  'what a peer sends and then closes is delivered before the close',
  withTransport(async (transport) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.end(Buffer.alloc(300_000, 7));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const events = new Recorder();
    const channel = transport.createChannel(events);
    channel.connect({ ...loopback, port: (server.address() as AddressInfo).port }, {});
    await events.next('open');
    events.react = (event) => {
      if (event.kind === 'bytes' && events.events.length < 4) channel.expectBytes(100_000);
    };
    channel.expectBytes(100_000);
    for (let part = 0; part < 3; part++) assert.is((await events.next('bytes')).bytes.length, 100_000);
    assert.is((await events.next('closed')).error.code, ErrorCode.PeerClosed);
    await new Promise((resolve) => server.close(resolve));
  }),
);

test('an unreferenced transport lets the process end', async () => {
  const source = fileURLToPath(new URL('../../../src/transport/stream/simple-transport.ts', import.meta.url));
  const script = `
    import { createSimpleTransport } from ${JSON.stringify(source)};
    const handler = { onOpen() {}, onBytes() {}, onFrame() {}, onMessages() { return false; }, onDrain() {}, onClosed() {} };
    const transport = createSimpleTransport();
    transport.unref();
    const listener = await transport.listen({ family: 4, host: '127.0.0.1', port: 0 }, {}, (channel) => { channel.handler = handler; });
    await new Promise((resolve) => {
      const channel = transport.createChannel({ ...handler, onOpen: resolve });
      channel.connect(listener.address, {});
      setTimeout(() => {}, 50);
    });
    console.log('connected');
  `;
  const run = promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { timeout: 20_000 },
  );
  assert.is((await run).stdout, 'connected\n');
});

test.run();
