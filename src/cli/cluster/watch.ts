/** `msgr2 watch osdmap`: every new OSDMap of the cluster in one line. */
import { Command, Option } from 'commander';
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
    .description(
      'OSDs that come and go, pools, flags: a line for each epoch, first the state that was found',
    );
  addClusterFlags(osdmap)
    .addOption(formatOption('plain', 'json'))
    .addOption(
      new Option(
        '--from <epoch>',
        'begin at this epoch, if the monitors still have it (default: the newest)',
      ).argParser(integer(1, 0xffffffff)),
    )
    .addOption(new Option('--count <n>', 'end after so many lines').argParser(integer(1)))
    .action(watchOsdMap);
  return watch;
}

async function watchOsdMap(flags: WatchFlags): Promise<void> {
  const { count = Number.POSITIVE_INFINITY, format, from } = flags;
  const lineOf = format === 'json' ? jsonLine : textLine;
  await untilSignal(async (signal) => {
    await using cluster = await openCluster(flags, signal);
    const updates = cluster.client.osdMaps({ ...(from === undefined ? {} : { from }), signal });
    let before: OSDMap | undefined;
    let lines = 0;
    for await (const update of updates) {
      process.stdout.write(`${lineOf(before, update)}\n`);
      before = update.map;
      if (++lines >= count) return;
    }
  });
}

function textLine(before: OSDMap | undefined, { epoch, map }: OsdMapUpdate): string {
  return before === undefined ? stateLine(map) : changeLine(epoch, mapChanges(before, map));
}

/** `changes` is absent of the first map: there is nothing to compare it with. */
function jsonLine(before: OSDMap | undefined, { epoch, map }: OsdMapUpdate): string {
  const modified = utimeToString(map.modified);
  return JSON.stringify({
    epoch,
    modified,
    ...(before === undefined ? { state: stateLine(map) } : { changes: mapChanges(before, map) }),
  });
}
