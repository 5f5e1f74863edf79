/** `msgr2 top`: a live view of who reaches whom, over the front and the back network, and how fast. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { MsgrError } from '../../errors.ts';
import { CliError } from '../cli-error.ts';
import { addClusterFlags, type ClusterFlags, configOf } from '../cluster/flags.ts';
import { untilSignal } from '../cluster/until-signal.ts';
import { LiveScreen } from '../live-screen.ts';
import { integer, seconds } from '../values.ts';
import { matrixLines } from './matrix.ts';
import { type Observation, observe } from './observation.ts';

interface TopFlags extends ClusterFlags {
  interval: number;
  count?: number;
}

const widthDefault = 100;

export function topCommand(): Command {
  const top = new Command('top')
    .description('live view of the heartbeats between OSDs: peers × networks, latencies and states')
    .argument('[sockets...]', "admin sockets of OSDs, ours or Ceph's (default: all of this host's)")
    .option('--interval <seconds>', 'between two looks', seconds(0.1, 3600), 1)
    .option(
      '--count <n>',
      'end after so many looks (default: one, when the output is no terminal)',
      integer(1),
    );
  const unused = ['--mon-host', '--connect-timeout', '--keyring', '--id', '--name'];
  return addClusterFlags(top, { without: [...unused, '-m', '-k', '-n'] }).action(watchHeartbeats);
}

async function watchHeartbeats(sockets: string[], flags: TopFlags): Promise<void> {
  const screen = new LiveScreen(process.stdout);
  const looks = flags.count ?? (screen.isLive ? Number.POSITIVE_INFINITY : 1);
  const paths = sockets.length > 0 ? sockets : await socketsOfHost(flags);
  await untilSignal(async (signal) => {
    for (let look = 0; look < looks; look++) {
      if (look > 0) await sleep(flags.interval * 1000, undefined, { signal });
      const lines = await lookAt(paths, screen.isLive);
      if (screen.isLive) screen.update(lines);
      else screen.print(...lines);
    }
  });
}

/** @throws CliError when not one OSD answers. */
async function lookAt(paths: readonly string[], isColoured: boolean): Promise<string[]> {
  const observations: Observation[] = [];
  const unreachable = new Map<string, string>();
  await Promise.all(
    paths.map(async (path) => {
      try {
        observations.push(await observe(path));
      } catch (error) {
        if (!(error instanceof MsgrError)) throw error;
        unreachable.set(path, error.message);
      }
    }),
  );
  if (observations.length === 0) throw new CliError([...unreachable.values()].join('; '));
  const width = process.stdout.columns || widthDefault;
  const epoch = Math.max(...observations.map((each) => each.epoch));
  const title = `${new Date().toLocaleTimeString('sv')}  ${paths.length} OSDs asked, osdmap e${epoch}`;
  return [title, '', ...matrixLines(observations, unreachable, { width, isColoured })];
}

/** The admin sockets of OSDs where ceph.conf has them. */
async function socketsOfHost(flags: ClusterFlags): Promise<string[]> {
  const any = configOf({ ...flags, name: 'osd.0' }).get('admin_socket') ?? '';
  const [folder, pattern] = [dirname(any), any.slice(dirname(any).length + 1)];
  const [before, after] = pattern.split('osd.0', 2);
  const names = await readdir(folder).catch(() => []);
  const paths = names
    .filter((name) => name.startsWith(`${before}osd.`) && name.endsWith(after ?? ''))
    .map((name) => join(folder, name));
  if (paths.length === 0) throw new CliError(`no OSD has an admin socket like ${any}; name the sockets`);
  return paths.sort();
}
