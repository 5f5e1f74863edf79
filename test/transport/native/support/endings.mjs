/**
 * One process that ends in an awkward moment of its transports. Run as a child: node endings.mjs LIBRARY CASE
 * THREADS. Each case prints `ok` when it got as far as it should.
 */
const [library, name, threads] = process.argv.slice(2);
const { createNativeTransport } = await import(`${library}transport/native/native-transport.js`);

const empty = new Uint8Array(0);
const message = (front, data = empty) => ({
  type: 42,
  priority: 127,
  version: 1,
  compatVersion: 1,
  tidLow: 0,
  tidHigh: 0,
  front,
  middle: empty,
  data,
});
const nothing = {
  onOpen() {},
  onBytes() {},
  onFrame() {},
  onDrain() {},
  onClosed() {},
  onMessages: () => false,
};
const make = () => createNativeTransport({ threads: Number(threads) });
const loopback = { family: 4, host: '127.0.0.1', port: 0 };

/** A session from `near` to `far`; `handlers` are those of its two ends. */
async function session(near, far, nearHandler = nothing, farHandler = nothing) {
  let accepted;
  const isAccepted = new Promise((resolve) => {
    accepted = resolve;
  });
  const listener = await far.listen(loopback, {}, (channel) => {
    channel.handler = farHandler;
    channel.startSession({ lossless: true });
    accepted(channel);
  });
  let opened;
  const isOpen = new Promise((resolve) => {
    opened = resolve;
  });
  const channel = near.createChannel({ ...nearHandler, onOpen: () => opened() });
  channel.connect(listener.address, {});
  const other = await isAccepted;
  await isOpen;
  channel.startSession({ lossless: true });
  return { channel, other, listener };
}

const ok = () => console.log('ok');
const turns = async (count) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const cases = {
  /** process.exit() with sockets full of bytes in both directions. */
  async exitWithTraffic() {
    const { channel, other } = await session(make(), make());
    for (let index = 0; index < 2000; index++) {
      channel.send(message(new Uint8Array(5000)));
      other.send(message(new Uint8Array(5000), new Uint8Array(100_000)));
    }
    await turns(3);
    ok();
    process.exit(0);
  },
  /** process.exit() from inside a handler, with the native loop on the stack. */
  async exitInHandler() {
    const { channel } = await session(make(), make(), nothing, {
      ...nothing,
      onMessages() {
        ok();
        process.exit(0);
      },
    });
    channel.send(message(new Uint8Array(10)));
  },
  /** close() from inside a handler, with more records in the same batch. */
  async closeInHandler() {
    const near = make();
    const far = make();
    let calls = 0;
    const { channel } = await session(near, far, nothing, {
      ...nothing,
      onMessages() {
        calls++;
        void far.close();
        void near.close();
        return true;
      },
    });
    for (let index = 0; index < 100; index++) channel.send(message(new Uint8Array(10)));
    for (let wait = 0; wait < 200 && calls === 0; wait++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await turns(5);
    if (calls === 1) ok();
  },
  /** close() with everything still to be sent: the process ends by itself. */
  async closeWithSendsPending() {
    const near = make();
    const far = make();
    const { channel } = await session(near, far);
    for (let index = 0; index < 500; index++)
      channel.send(message(new Uint8Array(100), new Uint8Array(200_000)));
    await near.close();
    channel.send(message(new Uint8Array(100)));
    channel.destroy();
    await far.close();
    ok();
  },
  /** destroy() while the connection is being made, a thousand times. */
  async destroyDuringConnect() {
    const near = make();
    const far = make();
    const listener = await far.listen(loopback, { backlog: 16 }, (channel) => channel.destroy());
    for (let round = 0; round < 1000; round++) {
      const channel = near.createChannel(nothing);
      channel.connect(listener.address, {});
      if (round % 3 === 0) await turns(1);
      channel.destroy();
    }
    await near.close();
    await far.close();
    ok();
  },
  /** Nothing is open any more: the process ends though no transport was closed. */
  async endsByItself() {
    const near = make();
    const far = make();
    const { channel, other, listener } = await session(near, far);
    await listener.close();
    channel.destroy();
    other.destroy();
    ok();
  },
  /** A listener does not hold the process after unref(). */
  async unref() {
    const far = make();
    await far.listen(loopback, {}, () => {});
    far.unref();
    ok();
  },
  /** Views into slabs outlive the transport that they came from. */
  async viewsOutliveTransport() {
    const near = make();
    const far = make();
    const views = [];
    const { channel } = await session(near, far, nothing, {
      ...nothing,
      onMessages({ places, words, slabs }, first, end) {
        for (let index = first; index < end; index++) {
          const records = words[places[index * 2] & 0xffff];
          const at = places[index * 2 + 1];
          views.push(new Uint8Array(slabs[records[at + 9]], records[at + 10], records[at + 11]));
        }
        return true;
      },
    });
    for (let index = 0; index < 3000; index++) channel.send(message(new Uint8Array(1000).fill(index)));
    channel.send(message(new Uint8Array(3_000_000).fill(9)));
    for (let wait = 0; wait < 400 && views.length < 3001; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await near.close();
    await far.close();
    await turns(5);
    globalThis.gc?.();
    const isRight = views.every(
      (view, index) => view[0] === (index === 3000 ? 9 : index & 255) && view[0] === view.at(-1),
    );
    if (views.length === 3001 && isRight) ok();
  },
};

await cases[name]();
