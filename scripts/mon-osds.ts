/**
 * Many OSDs at one monitor at once: all subscribe and boot in the same turn, then some of them end without a
 * word and are reported. Prints how long it took, how many epochs it made, and what memory it cost; exits
 * with 1 when somebody was told of an epoch twice, or not of the last one.
 *
 *     node --import tsx scripts/mon-osds.ts [--osds 1000] [--fail 100] [--data FOLDER]
 *
 * The monitor has a process of its own, so that its figures are its own; with `--data` its store is durable.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Monitor } from '../src/mon/server/monitor.ts';
import { Uuid } from '../src/wire/uuid.ts';
import { makeRoom, repeated, Swarm } from '../test/mon/server/osdmap/swarm.ts';
import { testTransports } from '../test/support/messengers.ts';

const perHost = 10;
const { values } = parseArgs({
  options: {
    osds: { type: 'string', default: '1000' },
    fail: { type: 'string', default: '100' },
    data: { type: 'string' },
    monitor: { type: 'boolean', default: false },
  },
});
const osds = Number(values.osds);
const transport = testTransports()[0]!;

interface MonitorState {
  readonly addrs: string;
  readonly fsid: string;
}

interface Usage {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly epoch: number;
}

/** The child: answers every message with what it uses. */
async function serve(): Promise<void> {
  const none = {
    auth_cluster_required: 'none',
    auth_service_required: 'none',
    auth_client_required: 'none',
  };
  const monitor = await Monitor.start({
    publicAddr: 'v2:127.88.255.1:0',
    transport,
    options: none,
    ...(values.data === undefined ? {} : { data: values.data }),
  });
  await makeRoom(monitor, osds / perHost, perHost);
  process.send!({ addrs: String(monitor.publicAddrs), fsid: String(monitor.fsid) } satisfies MonitorState);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = {
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      epoch: monitor.osdMap.epoch,
    };
    process.send!(usage);
  });
  process.on('disconnect', () => void monitor.close().then(() => process.exit(0)));
}

async function measure(): Promise<boolean> {
  const args = ['--monitor', '--osds', String(osds), ...(values.data ? ['--data', values.data] : [])];
  const child = fork(fileURLToPath(import.meta.url), args);
  const answer = async <T>(): Promise<T> => (await once(child, 'message'))[0] as T;
  const { addrs, fsid } = await answer<MonitorState>();
  const usage = async (): Promise<Usage> => {
    child.send('usage');
    return answer<Usage>();
  };
  const report = async (what: string, before: Usage, startedMs: number): Promise<Usage> => {
    const seconds = (performance.now() - startedMs) / 1000;
    const after = await usage();
    console.log(
      `${what}: ${seconds.toFixed(2)} s, ${after.epoch - before.epoch} epochs, monitor ` +
        `${(after.cpuSeconds - before.cpuSeconds).toFixed(2)} s CPU, ` +
        `${Math.round(after.residentBytes / 2 ** 20)} MiB (before ${Math.round(before.residentBytes / 2 ** 20)})`,
    );
    return after;
  };
  const swarm = await Swarm.start({ mon: addrs, fsid: Uuid.parse(fsid), count: osds, transport });
  try {
    const idle = await usage();
    let startedMs = performance.now();
    await swarm.bootAll();
    const booted = await report(`${osds} OSDs subscribed and booted, all up and told`, idle, startedMs);
    const victims = swarm.members.slice(0, Number(values.fail));
    startedMs = performance.now();
    await swarm.fail(victims, perHost);
    await report(`${victims.length} failed, all down and everybody told`, booted, startedMs);
    const alive = swarm.members.slice(victims.length);
    const twice = alive.filter(({ epochs }) => repeated(epochs).length > 0).length;
    const behind = alive.filter(({ newest }) => newest < swarm.map!.epoch).length;
    console.log(`told of an epoch twice: ${twice} of ${alive.length}; not told of the last one: ${behind}`);
    return twice === 0 && behind === 0;
  } finally {
    await swarm[Symbol.asyncDispose]();
    child.disconnect();
    await once(child, 'exit');
  }
}

if (values.monitor) await serve();
else process.exitCode = (await measure()) ? 0 : 1;
