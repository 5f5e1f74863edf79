/** `msgr2 watch osdmap`: every new OSDMap of the cluster in one line. */
import { Command } from 'commander';
import type { OSDMap } from '../../maps/osdmap.ts';
import type { OsdMapUpdate } from '../../mon/client/osd-map-reader.ts';
import { utimeToString } from '../../wire/utime.ts';
import { integer } from '../values.ts';
import { addClusterFlags, type ClusterFlags, formatOption } from './flags.ts';
import { changeLine, mapChanges, stateLine } from './map-changes.ts';
import { openCluster } from './open-cluster.ts';
import { untilSignal } from './until-signal.ts';

interface WatchFlags extends ClusterFlags {
  format?: string;
  from?: number;
  count?: number;
}

export function watchCommand(): Command {
  const watch = new Command('watch').description('what changes in a cluster, as it changes');
  const osdmap = watch
    .command('osdmap')
    .description('OSDs that come and go, pools, flags: a line for each epoch, first the state that was found')
    .addOption(formatOption('plain', 'json', 'json-pretty'))
    .option(
      '--from <epoch>',
      'begin at this epoch, if the monitors still have it (default: the newest)',
      integer(1, 0xffffffff),
    )
    .option('--count <n>', 'end after so many lines', integer(1));
  addClusterFlags(osdmap).action(watchOsdMap);
  return watch;
}

async function watchOsdMap(flags: WatchFlags): Promise<void> {
  const { count = Number.POSITIVE_INFINITY, format = 'plain', from } = flags;
  const indent = format === 'json-pretty' ? 4 : 0;
  await untilSignal(async (signal) => {
    await using cluster = await openCluster(flags, signal);
    const updates = cluster.client.osdMaps({ ...(from === undefined ? {} : { from }), signal });
    let before: OSDMap | undefined;
    let lines = 0;
    for await (const update of updates) {
      const text = format === 'plain' ? plainText(before, update) : jsonText(before, update, indent);
      process.stdout.write(`${text}\n`);
      before = update.map;
      if (++lines >= count) return;
    }
  });
}

function plainText(before: OSDMap | undefined, { epoch, map }: OsdMapUpdate): string {
  return before === undefined ? stateLine(map) : changeLine(epoch, mapChanges(before, map));
}

/** `changes` is absent of the first map: there is nothing to compare it with. */
function jsonText(before: OSDMap | undefined, { epoch, map }: OsdMapUpdate, indent: number): string {
  const modified = utimeToString(map.modified);
  const told = before === undefined ? { state: stateLine(map) } : { changes: mapChanges(before, map) };
  return JSON.stringify({ epoch, modified, ...told }, undefined, indent);
}
