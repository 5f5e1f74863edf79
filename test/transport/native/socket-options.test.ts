/** Socket options are set on the socket, in both directions and on both drivers; refused ones say so. */
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import * as limits from '../../../src/limits.ts';
import { nativePath } from '../../../src/native.ts';
import type { Channel, Listener, Transport } from '../../../src/transport/channel.ts';
import { createNativeTransport } from '../../../src/transport/native/native-transport.ts';
import type { SocketAddress, SocketOptions } from '../../../src/transport/socket.ts';
import { limited, waitUntil } from '../../support/timeout.ts';
import { Recorder } from '../recorder.ts';
import { readNumber, readOption } from './support/socket-option.ts';

/** Level and name of each option that is asked for with getsockopt (Linux, every architecture Node runs on). */
const Option = {
  reusePort: [1, 15],
  sendBuffer: [1, 7],
  receiveBuffer: [1, 8],
  device: [1, 25],
  busyPoll: [1, 46],
  typeOfService: [0, 1],
  bindAddressNoPort: [0, 24],
  noDelay: [6, 1],
  congestion: [6, 13],
} as const;

const readText = (...what: Parameters<typeof readOption>) =>
  readOption(...what)
    .toString('latin1')
    .replace(/\0.*$/s, '');

const loopback: SocketAddress = { family: 4, host: '127.0.0.1', port: 0 };

interface Ends {
  transport: Transport;
  near: Channel;
  events: Recorder;
  far: Channel;
  listener: Listener;
}

/** A connection within one transport, closed after `use`. */
async function connected(
  threads: 0 | 1,
  options: { near?: SocketOptions; far?: SocketOptions },
  use: (ends: Ends) => Promise<void> | void,
): Promise<void> {
  const transport = createNativeTransport({ threads });
  try {
    let accepted: (channel: Channel) => void;
    const isAccepted = new Promise<Channel>((resolve) => {
      accepted = resolve;
    });
    const listener = await transport.listen(loopback, options.far ?? {}, (channel) => {
      channel.handler = new Recorder();
      accepted(channel);
    });
    const events = new Recorder();
    const near = transport.createChannel(events);
    near.connect(listener.address, options.near ?? {});
    await events.next('open');
    await use({ transport, near, events, far: await isAccepted, listener });
  } finally {
    await transport.close();
  }
}

async function refusal(options: SocketOptions): Promise<MsgrError> {
  const transport = createNativeTransport();
  try {
    const listener = await transport.listen(loopback, {}, (channel) => channel.destroy());
    const events = new Recorder();
    const channel = transport.createChannel(events);
    events.call(() => channel.connect(listener.address, options));
    return (await events.next('closed')).error;
  } finally {
    await transport.close();
  }
}

for (const threads of [0, 1] as const) {
  const check = (name: string, body: () => Promise<void>) =>
    test(`${name} (threads: ${threads})`, limited(10_000, body));

  check('no delay unless it is switched off', async () => {
    await connected(threads, {}, ({ transport, near, far }) => {
      assert.is(readNumber(transport, near, Option.noDelay), 1);
      assert.is(readNumber(transport, far, Option.noDelay), 1);
    });
    await connected(
      threads,
      { near: { noDelay: false }, far: { noDelay: false } },
      ({ transport, near, far }) => {
        assert.is(readNumber(transport, near, Option.noDelay), 0);
        assert.is(readNumber(transport, far, Option.noDelay), 0);
      },
    );
  });

  check('type of service', async () => {
    await connected(
      threads,
      { near: { typeOfService: 0x10 }, far: { typeOfService: 0x08 } },
      ({ transport, near, far }) => {
        assert.is(readNumber(transport, near, Option.typeOfService), 0x10);
        assert.is(readNumber(transport, far, Option.typeOfService), 0x08);
      },
    );
  });

  check('a connecting socket binds to a local address, port included', async () => {
    await connected(
      threads,
      { near: { localAddress: { family: 4, host: '127.0.0.9', port: 0 }, bindAddressNoPort: true } },
      ({ transport, near, far }) => {
        assert.is(near.localAddress?.host, '127.0.0.9');
        assert.is(far.remoteAddress?.host, '127.0.0.9');
        assert.is(readNumber(transport, near, Option.bindAddressNoPort), 1);
      },
    );
  });

  check('bound to a device', async () => {
    await connected(
      threads,
      { near: { device: 'lo' }, far: { device: 'lo' } },
      ({ transport, near, far }) => {
        assert.is(readText(transport, near, Option.device), 'lo');
        assert.is(readText(transport, far, Option.device), 'lo');
      },
    );
  });

  check('congestion control', async () => {
    // The kernel's list; reno is always there.
    const available = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8')
      .trim()
      .split(' ');
    for (const name of available) {
      await connected(
        threads,
        { near: { congestionControl: name }, far: { congestionControl: name } },
        ({ transport, near, far }) => {
          assert.is(readText(transport, near, Option.congestion), name);
          assert.is(readText(transport, far, Option.congestion), name);
        },
      );
    }
  });

  check('within one host nothing paces and buffers stay small, unless options say otherwise', async () => {
    await connected(threads, {}, ({ transport, near, far }) => {
      for (const channel of [near, far]) {
        assert.is(readText(transport, channel, Option.congestion), 'reno');
        assert.is(readNumber(transport, channel, Option.sendBuffer), 512 * 1024);
      }
    });
  });

  check('buffer sizes and busy poll', async () => {
    const options = { receiveBufferBytes: 100_000, sendBufferBytes: 50_000, busyPollUs: 33 };
    await connected(threads, { near: options, far: options }, ({ transport, near, far }) => {
      for (const channel of [near, far]) {
        // Linux doubles what is asked for, to make room for its own bookkeeping.
        assert.is(readNumber(transport, channel, Option.receiveBuffer), 200_000);
        assert.is(readNumber(transport, channel, Option.sendBuffer), 100_000);
        assert.is(readNumber(transport, channel, Option.busyPoll), 33);
      }
    });
  });

  check('two listeners share a port with reusePort, and only then', async () => {
    const transport = createNativeTransport({ threads });
    try {
      const first = await transport.listen(loopback, { reusePort: true }, () => {});
      const second = await transport.listen(first.address, { reusePort: true }, () => {});
      assert.equal(second.address, first.address);
      try {
        await transport.listen(first.address, {}, () => {});
        assert.unreachable('a third one without the option');
      } catch (error) {
        assert.is((error as MsgrError).code, ErrorCode.Bind);
      }
    } finally {
      await transport.close();
    }
  });

  check('the loop’s thread is pinned to a CPU, and only that', async () => {
    // The main thread cannot be unpinned again through this interface, so only threads are tried here.
    if (threads === 0) return;
    const transport = createNativeTransport({ threads, cpu: 0 });
    try {
      const allowed = (task: string) => {
        try {
          const status = readFileSync(`/proc/self/task/${task}/status`, 'utf8');
          return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1];
        } catch {
          // A thread that ended meanwhile.
          return undefined;
        }
      };
      const main = allowed(String(process.pid));
      const wanted = main === '0' ? (count: number) => count >= 1 : (count: number) => count === 1;
      await waitUntil(
        () => wanted(readdirSync('/proc/self/task').filter((task) => allowed(task) === '0').length),
        5000,
        'one thread that is pinned',
      );
    } finally {
      await transport.close();
    }
  });
}

test('a device that is not there, a local address that is not ours: ERR_MSGR_BIND', async () => {
  assert.is((await refusal({ device: 'nosuchdevice' })).code, ErrorCode.Bind);
  const error = await refusal({ localAddress: { family: 4, host: '192.0.2.1', port: 0 } });
  assert.is(error.code, ErrorCode.Bind);
  assert.is((error.cause as NodeJS.ErrnoException).code, 'EADDRNOTAVAIL');
});

test('an unknown congestion control is unsupported', async () => {
  assert.is((await refusal({ congestionControl: 'nosuchcontrol' })).code, ErrorCode.Unsupported);
});

test('an address that is none, and a CPU that is not there, are invalid arguments', async () => {
  const error = await refusal({ localAddress: { family: 4, host: 'localhost', port: 0 } });
  assert.is(error.code, ErrorCode.InvalidArgument);
  for (const threads of [0, 1] as const) {
    assert.throws(
      () => createNativeTransport({ threads, cpu: 1000 }),
      (thrown: MsgrError) => thrown.code === ErrorCode.InvalidArgument && /cpu 1000/.test(thrown.message),
    );
  }
  assert.throws(() => createNativeTransport({ busyPollUs: -1 }), /busyPollUs/);
});

test('a loop on the calling thread pins that thread', async () => {
  // In a worker, as the pinning lasts as long as the thread.
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { NativeLoop } = require(workerData.addon);
    const loop = new NativeLoop({ limits: workerData.limits, cpu: 0 }, () => false);
    const { readFileSync } = require('node:fs');
    const status = readFileSync('/proc/thread-self/status', 'utf8');
    loop.close();
    parentPort.postMessage(/Cpus_allowed_list:\\s*(.*)/.exec(status)[1]);`;
  const worker = new Worker(source, {
    eval: true,
    workerData: { addon: nativePath(), limits: { ...limits } },
  });
  const allowed = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  assert.is(allowed, '0');
});

test.run();
