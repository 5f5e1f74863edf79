/**
 * Kills a real `msgr2 mon` process at random moments, again and again, while another process keeps it busy,
 * and after each death compares its store with what clients had been told.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LmdbStore } from '../../../../../src/mon/server/store/lmdb-store.ts';
import { resolveOptions } from '../../../../../src/options.ts';
import { compileCli, type MonitorProcess, startMonitorProcess } from '../monitor-process.ts';
import { seedStore } from '../seeded-store.ts';
import { Ledger, type Told } from './ledger.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const osds = 6;
/** A life ends when clients were told so much at most, and then at a random moment within so long. */
const toldPerLifeMax = 30;
const lateMsMax = 40;
/** Some end while they start. */
const earlyMsMax = 300;
const patienceMs = 5000;
const pollMs = 5;

export interface KillRunInit {
  readonly kills: number;
  /** 127.x.0.1 of a subnet that nobody else uses. */
  readonly host: string;
  /** A fraction from 0 to 1, for each moment. */
  readonly random: () => number;
  readonly onKill?: (done: number, ledger: Ledger) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Of those, before the monitor had said that it was ready. */
  readonly killsWhileStarting: number;
  readonly epochs: number;
  readonly startMsMax: number;
  readonly ledger: Ledger;
}

/** Options that make many epochs in a short life. */
const monOptions = {
  auth_cluster_required: 'none',
  auth_service_required: 'none',
  auth_client_required: 'none',
  paxos_propose_interval: 0.03,
  paxos_min_wait: 0.01,
  mon_osd_min_down_reporters: 1,
  mon_osd_min_up_ratio: 0,
  mon_osd_adjust_heartbeat_grace: false,
  mon_tick_interval: 1,
} as const;

/** Throws on the first loss. */
export async function runKills({ host, kills, onKill, random }: KillRunInit): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-kill-'));
  const data = join(folder, 'data');
  const program = compileCli();
  const ledger = new Ledger();
  const publicAddr = await seedStore({ data, publicAddr: host, options: resolveOptions(monOptions) }, osds);
  const load = fork(join(root, 'test/mon/server/support/mon-kill/load.ts'), [publicAddr, String(osds), '3'], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let lost: Error | undefined;
  load.on('message', (told: Told) => {
    try {
      ledger.add(told);
    } catch (error) {
      lost ??= error as Error;
    }
  });
  let monitor: MonitorProcess | undefined;
  let killsWhileStarting = 0;
  let startMsMax = 0;
  try {
    for (let kill = 0; kill < kills; kill++) {
      monitor = startMonitorProcess(program.main, data, monOptions);
      const isEarly = random() < 0.15;
      if (!isEarly) {
        startMsMax = Math.max(startMsMax, await monitor.ready);
        await untilTold(ledger, 1 + Math.floor(random() * toldPerLifeMax));
      }
      await sleep(random() * (isEarly ? earlyMsMax : lateMsMax));
      if (isEarly && !monitor.isReady()) killsWhileStarting++;
      monitor.child.kill('SIGKILL');
      await monitor.gone;
      if (load.exitCode !== null) throw new Error(`the load ended with ${load.exitCode}`);
      // What was on its way to clients when it died.
      await sleep(30);
      if (lost !== undefined) throw lost;
      const store = await LmdbStore.open(data);
      try {
        ledger.check(store);
      } finally {
        await store.close();
      }
      onKill?.(kill + 1, ledger);
    }
    monitor = startMonitorProcess(program.main, data, monOptions);
    await monitor.ready;
    return { kills, killsWhileStarting, epochs: ledger.newestEpoch, startMsMax, ledger };
  } finally {
    load.kill('SIGKILL');
    monitor?.child.kill('SIGKILL');
    await monitor?.gone;
    program.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves when clients were told so much more, whatever it was, or nothing for a while. */
async function untilTold(ledger: Ledger, more: number): Promise<void> {
  const enough = ledger.told + more;
  for (let slept = 0; ledger.told < enough && slept < patienceMs; slept += pollMs) await sleep(pollMs);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
