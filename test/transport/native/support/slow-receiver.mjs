/**
 * A process that receives one message at a time, and makes garbage of its own in between. Run as a child: node
 * slow-receiver.mjs LIBRARY THREADS COUNT BYTES. Prints by how many bytes its external memory grew at most.
 */
const [library, threads, countText, bytesText] = process.argv.slice(2);
const { Message, Messenger } = await import(`${library}index.js`);

const count = Number(countText);
const data = new Uint8Array(Number(bytesText));
/** Elements of arrays that nobody keeps, for each message: V8 collects its young generation all the time. */
const garbageElements = 16 * 1024;

const make = (name) => Messenger.create({ name, options: { ms_async_op_threads: Number(threads) } });
const receiver = make('osd.0');
const sender = make('client.1');
let connection;
let received = 0;
let growthMax = 0;
let garbage;
const before = process.memoryUsage().external;

receiver.addDispatcherTail({
  canFastDispatch: () => true,
  fastDispatch() {
    garbage = new Array(garbageElements).fill(received);
    if (++received % 100 === 0) growthMax = Math.max(growthMax, process.memoryUsage().external - before);
    if (received < count) connection.send(new Message({ type: 42, data }));
    else finish();
  },
});

async function finish() {
  console.log(JSON.stringify({ growthMax, garbage: garbage.length }));
  await Promise.all([sender.shutdown(), receiver.shutdown()]);
}

const address = await receiver.bind('v2:127.0.0.1:0');
receiver.start();
sender.start();
connection = sender.getConnection(String(address));
connection.send(new Message({ type: 42, data }));
