/**
 * The load of a monitor that is killed again and again, in a process of its own: OSDs that boot and report
 * one another, clients that set keys and follow the maps. What they are told goes to the parent, message by
 * message, as it arrives.
 *
 *     tsx load.ts MON_HOST OSDS CLIENTS
 */

import { isUp } from '../../../../../src/maps/osdmap.ts';
import type { Dispatcher } from '../../../../../src/messenger/dispatcher.ts';
import type { ReceivedMessage } from '../../../../../src/messenger/message.ts';
import { MonClient } from '../../../../../src/mon/client/mon-client.ts';
import { crc32c } from '../../../../../src/wire/crc32c.ts';
import { MOSDMap } from '../../../../../src/wire/messages/m-osd-map.ts';
import { LightOsd } from '../light-osd.ts';
import { type Told, weightSteps } from './ledger.ts';

const options = {
  // A monitor is away for a second: nobody waits longer than it takes.
  mon_client_hunt_interval: 0.3,
  mon_client_hunt_interval_backoff: 1,
  mon_client_ping_interval: 0.5,
  ms_initial_backoff: 0.05,
  ms_max_backoff: 0.2,
} as const;

const [monHost = '', osdCount = '6', clientCount = '3'] = process.argv.slice(2);
const host = monHost.replace(/^v2:|:\d+$/g, '');

function tell(told: Told): void {
  process.send!(told);
}

/** Sees every map before anyone decodes it. */
const witness: Dispatcher = {
  fastPreprocess(message: ReceivedMessage): void {
    const maps = message.type === MOSDMap.type ? message.as(MOSDMap) : undefined;
    for (const [epoch, bytes] of maps?.maps ?? [])
      tell({ kind: 'map', epoch, isFull: true, crc: crc32c(-1, bytes) });
    for (const [epoch, bytes] of maps?.incrementalMaps ?? []) {
      tell({ kind: 'map', epoch, isFull: false, crc: crc32c(-1, bytes) });
    }
  },
};

function fail(error: unknown): void {
  process.stderr.write(`load: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function setKeys(index: number): Promise<void> {
  const client = new MonClient({ name: 'client.admin', monHost, options, transport: 'simple' });
  client.addDispatcher(witness);
  await client.connect({ timeoutMs: 60_000 });
  client.subscribe('osdmap', { start: 1n });
  const key = `kill/${index}`;
  for (let value = 1; ; value++) {
    const command = { prefix: 'config-key set', key, val: String(value) };
    await untilDone(() => client.command(command, { timeoutMs: 60_000 }));
    tell({ kind: 'key', key, value: String(value) });
    tell({ kind: 'count', what: 'commands' });
    await sleep(Math.random() * 40);
  }
}

/** A command that makes epochs: the weight of one OSD goes up in steps. */
async function reweight(osd: LightOsd): Promise<void> {
  const client = new MonClient({ name: 'client.admin', monHost, options, transport: 'simple' });
  await client.connect({ timeoutMs: 60_000 });
  // An OSD that comes up for the first time gets a weight by itself.
  while (!osd.isUp) await sleep(50);
  for (let step = 1; ; step = (step % weightSteps) + 1) {
    const weight = step / weightSteps;
    await untilDone(() =>
      client.command({ prefix: 'osd reweight', id: osd.id, weight }, { timeoutMs: 60_000 }),
    );
    tell({ kind: 'weight', osd: osd.id, step });
    tell({ kind: 'count', what: 'commands' });
    await sleep(Math.random() * 100);
  }
}

/** Again and again while its session breaks: the same command with the same values. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!/session|closed|timed|timeout/i.test(String(error))) throw error;
    }
  }
}

async function playOsds(count: number): Promise<void> {
  const osds: LightOsd[] = [];
  for (let id = 0; id < count; id++) {
    const osd = new LightOsd({ id, monHost, host, options, transport: 'simple' });
    osds.push(osd);
    await osd.start(host);
  }
  osds[0]!.client.addDispatcher(witness);
  reweight(osds.at(-1)!).catch(fail);
  let wasUp = new Set<number>();
  for (;;) {
    await sleep(Math.random() * 100);
    const reporter = osds[Math.floor(Math.random() * count)]!;
    const target = Math.floor(Math.random() * count);
    if (target !== reporter.id && reporter.isUp) {
      reporter.reportFailed(target);
      reporter.wantUpThru();
    }
    const { map } = osds[0]!;
    if (map === undefined) continue;
    const up = new Set(osds.filter(({ id }) => isUp(map, id)).map(({ id }) => id));
    for (const id of up) if (!wasUp.has(id)) tell({ kind: 'count', what: 'boots' });
    for (const id of wasUp) if (!up.has(id)) tell({ kind: 'count', what: 'failures' });
    wasUp = up;
  }
}

process.on('disconnect', () => process.exit(0));
playOsds(Number(osdCount)).catch(fail);
for (let index = 0; index < Number(clientCount); index++) setKeys(index).catch(fail);
