/**
 * A worker thread with two transports that send each other messages as fast as they can, until it is ended.
 * Plain JavaScript on the compiled library (`workerData.library`), so that a hundred of them start quickly.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';

const { library, threads, end } = workerData;
const { createNativeTransport } = await import(`${library}transport/native/native-transport.js`);

/** Every other worker's streams are in secure mode. */
const isSecure = threadId % 2 === 0;
const key = new Uint8Array(16);
const nonces = [new Uint8Array(12), new Uint8Array(12).fill(1)];

const empty = new Uint8Array(0);
const small = new Uint8Array(100);
const large = new Uint8Array(200_000);
const kept = [];
let received = 0;
let isAnnounced = false;

function handler(channel) {
  return {
    onOpen() {
      begin(channel(), nonces[0], nonces[1]);
    },
    onBytes() {},
    onFrame() {},
    onDrain() {},
    onClosed() {},
    onMessages(batch, first, last) {
      received += last - first;
      if (received > 2000 && !isAnnounced) {
        isAnnounced = true;
        parentPort.postMessage('running');
        // In the middle of a delivery, with everything in flight.
        if (end === 'exit') process.exit(0);
        if (end === 'throw') throw new Error('thrown on purpose');
      }
      kept[received % 8] = batch.slabs[0];
      return received % 3 === 0;
    },
  };
}

function begin(channel, receiveNonce, sendNonce) {
  if (isSecure) channel.secure({ key, receiveNonce, sendNonce });
  channel.startSession({ lossless: true });
  pump(channel);
}

function pump(channel) {
  for (let index = 0; index < 200 && channel.queuedBytes < 4 << 20; index++) {
    channel.send({
      type: 42,
      priority: 127,
      version: 1,
      compatVersion: 1,
      tidLow: index,
      tidHigh: 0,
      front: small,
      middle: empty,
      data: index % 50 === 0 ? large : empty,
    });
  }
  setImmediate(pump, channel);
}

const near = createNativeTransport({ threads });
const far = createNativeTransport({ threads });
const listener = await far.listen({ family: 4, host: '127.0.0.1', port: 0 }, {}, (channel) => {
  channel.handler = handler(() => channel);
  begin(channel, nonces[1], nonces[0]);
});
const channel = near.createChannel(handler(() => channel));
channel.connect(listener.address, {});
