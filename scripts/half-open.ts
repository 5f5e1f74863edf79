/**
 * Ten thousand connections that begin and never go on, beside one healthy peer: all end at the ready
 * timeout, and the healthy peer's round trips are measured before and while they hang.
 *
 *     node --import tsx scripts/half-open.ts [--connections 10000] [--ready-timeout 10]
 *
 * Three processes: the server, the prober, and the one that holds the half-open connections. Waits of the
 * measured phases are the script's own; it asserts nothing about time and prints what it saw.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EntityAddrVec, Message, Messenger, Policy } from '../src/index.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'parent' },
    address: { type: 'string', default: '' },
    connections: { type: 'string', default: '10000' },
    'ready-timeout': { type: 'string', default: '10' },
  },
});
const type = 0x77;

async function server(): Promise<void> {
  const messenger = Messenger.create({
    name: 'osd.0',
    options: { ms_connection_ready_timeout: Number(values['ready-timeout']) },
  });
  messenger.setDefaultPolicy(Policy.statelessServer());
  messenger.addDispatcherTail({
    canFastDispatch: () => true,
    fastDispatch: (message) => void message.reply(new Message({ type, data: message.data })),
  });
  const addrs = await messenger.bind('v2:127.0.0.1:0');
  messenger.start();
  process.send!({ address: String(addrs) });
  process.on('message', () => {
    const descriptors = readdirSync('/proc/self/fd').length;
    process.send!({
      descriptors,
      failures: messenger.counters().acceptFailures,
      residentMb: Math.round(process.memoryUsage.rss() / 1e6),
    });
  });
}

async function prober(): Promise<void> {
  const messenger = Messenger.create({ name: 'client.1' });
  messenger.setDefaultPolicy(Policy.lossyClient());
  messenger.start();
  const connection = messenger.getConnection(EntityAddrVec.parse(values.address));
  await connection.request(new Message({ type }));
  process.on('message', async ({ seconds }: { seconds: number }) => {
    const histogram = createHistogram();
    const data = Buffer.alloc(64);
    for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
      const sentAt = process.hrtime.bigint();
      await connection.request(new Message({ type, data }));
      histogram.record(process.hrtime.bigint() - sentAt);
    }
    const { count } = histogram;
    process.send!({ count, p50: histogram.percentile(50) / 1000, p99: histogram.percentile(99) / 1000 });
  });
  process.send!({});
}

async function attacker(): Promise<void> {
  const { port, host } = EntityAddrVec.parse(values.address).front!;
  let closed = 0;
  for (let index = 0; index < Number(values.connections); index++) {
    const socket = connect(port, host);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => closed++);
    await once(socket, 'connect');
    if (index % 2 === 0) socket.write('ceph');
  }
  process.send!({ open: Number(values.connections) });
  process.on('message', () => process.send!({ closed }));
}

function start(role: string, address = ''): ChildProcess {
  const args = ['--role', role, '--address', address, ...process.argv.slice(2)];
  return fork(fileURLToPath(import.meta.url), args, { execArgv: process.execArgv });
}

async function answer<T>(child: ChildProcess, question?: unknown): Promise<T> {
  if (question !== undefined) child.send(question as object);
  const [value] = await once(child, 'message');
  return value as T;
}

async function parent(): Promise<void> {
  const children: ChildProcess[] = [];
  const begin = (role: string, address?: string): ChildProcess => {
    const child = start(role, address);
    children.push(child);
    return child;
  };
  try {
    const serverProcess = begin('server');
    const { address } = await answer<{ address: string }>(serverProcess);
    const proberProcess = begin('prober', address);
    await answer(proberProcess);
    const probe = (): Promise<{ count: number; p50: number; p99: number }> =>
      answer(proberProcess, { seconds: 4 });
    const tell = (when: string, { count, p50, p99 }: { count: number; p50: number; p99: number }): void =>
      console.log(`${when}: ${count} round trips, p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)} µs`);
    await probe();
    const before = await probe();
    tell('alone', before);
    const attackerProcess = begin('attacker', address);
    const { open } = await answer<{ open: number }>(attackerProcess);
    console.log(`${open} half-open connections`, await answer(serverProcess, {}));
    const during = await probe();
    tell('while they hang', during);
    await new Promise((resolve) => setTimeout(resolve, Number(values['ready-timeout']) * 1000 + 3000));
    console.log(
      'after the ready timeout',
      await answer(attackerProcess, {}),
      await answer(serverProcess, {}),
    );
    tell('afterwards', await probe());
    console.log(`p99 while they hang / alone: ${(during.p99 / before.p99).toFixed(2)}`);
  } finally {
    for (const child of children) child.kill();
  }
}

await { parent, server, prober, attacker }[values.role as 'parent']!();
