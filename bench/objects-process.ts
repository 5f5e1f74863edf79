/**
 * "Objects alone" (objects.ts): what V8 takes for a message at either end, with nothing around it. No message comes
 * from anywhere or goes anywhere: payloads and table lie in memory that stays in the first-level cache.
 *
 *      objects-process received    makes what a handler that may keep its message has to be given, an object of its
 *                                  own with type, connection and payload and a view of that payload, and calls it
 *      objects-process sent        makes what is sent, an object with type and payload, and writes the line that tells
 *                                  the core of it; the payload is not copied, which C++ has to do as well
 *
 * It counts objects.
 */
import { serveParent } from './lone-process.ts';

const payloadBytes = 64;
const memoryBytes = 16 * 1024;
/** As many as one delivery or one flush, and those between two looks at the clock. */
const batchCount = 1024;
const batchesAtOnce = 16;
/** Of a line of the send table. */
const lineWords = 8;

class Received {
  readonly connection: object;
  readonly type: number;
  readonly payload: Uint8Array;

  constructor(connection: object, type: number, payload: Uint8Array) {
    this.connection = connection;
    this.type = type;
    this.payload = payload;
  }
}

class Sent {
  readonly type: number;
  readonly payload: Uint8Array;

  constructor(type: number, payload: Uint8Array) {
    this.type = type;
    this.payload = payload;
  }
}

const memory = new Uint8Array(memoryBytes).fill(1).buffer;
const connection = {};
let firstByteSum = 0;
let typeSum = 0;
/** Keep the last one, so that no compiler leaves the objects out. */
let keptReceived: Received | undefined;
let keptSent: Sent | undefined;

function handle(message: Received): void {
  typeSum += message.type;
  firstByteSum += message.payload[0]!;
  keptReceived = message;
}

function receive(): void {
  for (let index = 0; index < batchCount; index++) {
    const at = (index * payloadBytes) % memoryBytes;
    handle(new Received(connection, index & 0xff, new Uint8Array(memory, at, payloadBytes)));
  }
}

const payload = new Uint8Array(memory, 0, payloadBytes);
const table = new Int32Array(batchCount * lineWords);

function send(message: Sent, index: number): void {
  const at = index * lineWords;
  table[at] = 1;
  table[at + 1] = message.type;
  table[at + 2] = 1;
  table[at + 3] = index;
  table[at + 4] = 0;
  table[at + 5] = 0;
  table[at + 6] = 0;
  table[at + 7] = message.payload.length;
  keptSent = message;
}

function sendAll(): void {
  for (let index = 0; index < batchCount; index++) send(new Sent(index & 0xff, payload), index);
  for (let index = 0; index < batchCount; index += 64) typeSum += table[index * lineWords + 1]!;
  firstByteSum += (table.at(-1)! / payloadBytes) * batchCount;
}

const batch = process.argv[2] === 'sent' ? sendAll : receive;

serveParent(() => {
  firstByteSum = 0;
  typeSum = 0;
  for (let count = 0; count < batchesAtOnce; count++) batch();
  const objects = batchesAtOnce * batchCount;
  if (firstByteSum !== objects || typeSum === 0 || (keptReceived ?? keptSent) === undefined)
    throw new Error('objects were left out');
  return objects;
});
