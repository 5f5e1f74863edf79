/**
 * "Objects alone" (objects.ts): makes what a handler that may keep its message has to be given, an object of its own
 * with type, connection and payload and a view of that payload, and calls the handler. No message comes from
 * anywhere: the payloads lie in memory that stays in the first-level cache. It counts objects.
 */
import { serveParent } from './lone-process.ts';

const payloadBytes = 64;
const memoryBytes = 16 * 1024;
/** As many as one delivery brings, and deliveries between two looks at the clock. */
const batchCount = 1024;
const batchesAtOnce = 16;

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

const connection = {};
let firstByteSum = 0;
let typeSum = 0;
/** Keeps the last one, so that no compiler leaves the objects out. */
let kept: Received | undefined;

function handle(message: Received): void {
  typeSum += message.type;
  firstByteSum += message.payload[0]!;
  kept = message;
}

function deliver(memory: ArrayBuffer): void {
  for (let index = 0; index < batchCount; index++) {
    const at = (index * payloadBytes) % memoryBytes;
    handle(new Received(connection, index & 0xff, new Uint8Array(memory, at, payloadBytes)));
  }
}

const memory = new Uint8Array(memoryBytes).fill(1).buffer;

serveParent(() => {
  firstByteSum = 0;
  typeSum = 0;
  for (let batch = 0; batch < batchesAtOnce; batch++) deliver(memory);
  const objects = batchesAtOnce * batchCount;
  if (firstByteSum !== objects || typeSum === 0 || kept === undefined)
    throw new Error('objects were left out');
  return objects;
});
