/**
 * What a consumer that does not keep up costs in memory: a sender that sends as fast as it may, and a
 * receiver whose dispatcher answers nothing for a while, each in a process of its own. Prints the resident
 * memory that came on top of a warmed-up process beside the cap that the options set.
 *
 *     node --expose-gc --import tsx scripts/slow-consumer.ts [--cap-mb 100] [--connections 8] [--seconds 5]
 *
 * The receiver's cap is ms_dispatch_throttle_bytes; the sender's is ms_send_high_water_mark per connection
 * and what the sessions have not had acknowledged.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EntityAddrVec, Message, Messenger, Policy, type ReceivedMessage } from '../src/index.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'parent' },
    address: { type: 'string', default: '' },
    transport: { type: 'string', default: 'async' },
    size: { type: 'string', default: '4096' },
    'cap-mb': { type: 'string', default: '100' },
    connections: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '5' },
  },
});
const type = 0x77;
const megabyte = 1024 * 1024;
const transport = values.transport as 'async' | 'simple';
const residentBytes = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
};

/** Holds every message it gets while it is slow, as a dispatcher that queues does, and lets all go at once. */
async function consumer(): Promise<void> {
  const messenger = Messenger.create({
    name: 'osd.0',
    transport,
    options: { ms_dispatch_throttle_bytes: Number(values['cap-mb']) * megabyte },
  });
  messenger.setDefaultPolicy(Policy.statelessServer());
  let isSlow = false;
  let dispatched = 0;
  const held: { message: ReceivedMessage; release: () => void }[] = [];
  messenger.addDispatcherTail({
    dispatch(message) {
      dispatched++;
      if (isSlow) held.push({ message, release: message.connection.hold(message.byteLength) });
      return true;
    },
  });
  const addrs = await messenger.bind('v2:127.0.0.1:0');
  messenger.start();
  process.send!({ address: String(addrs), resident: residentBytes() });
  process.on('message', ({ slow }: { slow: boolean }) => {
    isSlow = slow;
    const bytes = held.reduce((sum, { message }) => sum + message.byteLength, 0);
    const answer = { resident: residentBytes(), dispatched, held: held.length, bytes };
    if (!slow) for (const { release } of held.splice(0)) release();
    process.send!(answer);
  });
}

async function sender(): Promise<void> {
  const messenger = Messenger.create({ name: 'client.1', transport });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.start();
  const data = Buffer.alloc(Number(values.size));
  const connections = Array.from({ length: Number(values.connections) }, () =>
    messenger.getConnection(EntityAddrVec.parse(values.address), { isAnonymous: true }),
  );
  let refused = 0;
  let sent = 0;
  const pump = (connection: (typeof connections)[number]): void => {
    for (let index = 0; index < 64; index++) {
      sent++;
      if (!connection.send(new Message({ type, data }))) {
        refused++;
        connection.once('drain', () => pump(connection));
        return;
      }
    }
    setImmediate(pump, connection);
  };
  for (const connection of connections) pump(connection);
  process.on('message', () => process.send!({ resident: residentBytes(), sent, refused }));
  process.send!({});
}

interface Answer {
  resident: number;
  dispatched: number;
  held: number;
  bytes: number;
  sent: number;
  refused: number;
}

function start(role: string, address = ''): ChildProcess {
  const args = ['--role', role, '--address', address, ...process.argv.slice(2)];
  return fork(fileURLToPath(import.meta.url), args, { execArgv: process.execArgv });
}

async function answer<T>(child: ChildProcess, question?: object): Promise<T> {
  if (question !== undefined) child.send(question);
  const [value] = await once(child, 'message');
  return value as T;
}

async function parent(): Promise<void> {
  const children: ChildProcess[] = [];
  const pause = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));
  try {
    const receiver = start('consumer');
    children.push(receiver);
    const idle = await answer<{ address: string; resident: number }>(receiver);
    const { address } = idle;
    const source = start('sender', address);
    children.push(source);
    await answer(source);
    await pause();
    const cap = Number(values['cap-mb']) * megabyte;
    const before = await answer<Answer>(receiver, { slow: true });
    const senderBefore = await answer<Answer>(source, {});
    await pause();
    const during = await answer<Answer>(receiver, { slow: true });
    const senderDuring = await answer<Answer>(source, {});
    await pause();
    const later = await answer<Answer>(receiver, { slow: false });
    const senderLater = await answer<Answer>(source, {});
    await pause();
    const after = await answer<Answer>(receiver, { slow: false });
    const mb = (bytes: number): string => `${(bytes / megabyte).toFixed(0)} MiB`;
    console.log(
      `${transport}, messages of ${values.size} B over ${values.connections} connections, cap ${mb(cap)}`,
    );
    console.log(
      `  receiver: resident ${mb(idle.resident)} idle, ${mb(before.resident)} at full speed, ${mb(during.resident)} and ${mb(later.resident)} while slow (+${(((later.resident - idle.resident) / cap) * 100).toFixed(0)} % of the cap), ${mb(after.resident)} afterwards`,
    );
    console.log(`  held: ${later.held} messages, ${mb(later.bytes)} of payload`);
    console.log(
      `  sender: resident ${mb(senderBefore.resident)} at full speed, ${mb(senderDuring.resident)} and ${mb(senderLater.resident)} while held back; sent in that time ${senderLater.sent - senderDuring.sent} messages`,
    );
    console.log(`  dispatched again afterwards: ${after.dispatched - later.dispatched}`);
  } finally {
    for (const child of children) child.kill();
  }
}

await { parent, consumer, sender }[values.role as 'parent']!();
