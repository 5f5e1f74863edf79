/** The OSDMap as a whole, and as bytes. */

import { isIn, isUp, type OSDMap, osdExists } from '../../../../maps/osdmap.ts';
import { encodeOsdMap } from '../../../../maps/osdmap-codec.ts';
import { osdIds, osdJson, osdMapJson } from '../../../../maps/osdmap-json.ts';
import { formatOsd, formatOsdMap } from '../../../../maps/print.ts';
import { osdMapFlagNames, osdMapFlagString } from '../../../../maps/states.ts';
import { type Utime, utimeToMs } from '../../../../wire/utime.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { durationText } from '../text.ts';
import { mapOfEpoch, OsdErrno, refusal } from './shared.ts';

const epoch = 'name=epoch,type=CephInt,range=0,req=false';
const shared = { module: 'osd', permissions: 'r' } as const;

export const osdDumpCommands: readonly CommandDefinition[] = [
  { ...shared, signature: 'osd stat', help: 'how many OSDs there are, are up and in', run: stat },
  { ...shared, signature: `osd dump ${epoch}`, help: 'the whole map', run: dump },
  {
    ...shared,
    signature: 'osd info name=id,type=CephOsdName,req=false',
    help: 'what the map says of one OSD, or of each',
    run: info,
  },
  { ...shared, signature: `osd ls ${epoch}`, help: 'numbers of all OSDs', run: list },
  {
    ...shared,
    signature: `osd getmap ${epoch}`,
    help: 'the map in binary (-o FILE)',
    run(context) {
      const map = mapOfEpoch(context);
      return answer(encodeOsdMap(map), `got osdmap epoch ${map.epoch}`);
    },
  },
  {
    ...shared,
    signature: `osd getcrushmap ${epoch}`,
    help: 'the CRUSH map in binary (-o FILE)',
    run(context) {
      const map = mapOfEpoch(context);
      return answer(map.crushBytes, String(map.crushVersion));
    },
  },
  {
    ...shared,
    signature: 'osd getmaxosd',
    help: 'how many numbers there are for OSDs',
    run({ format, monitor: { osdMap } }) {
      const { epoch: at, maxOsd } = osdMap;
      if (isJson(format)) return answer(formatJson({ epoch: at, max_osd: maxOsd }, format));
      return answer(`max_osd = ${maxOsd} in epoch ${at}\n`);
    },
  },
];

function dump(context: CommandContext): CommandReply {
  const map = mapOfEpoch(context);
  if (isJson(context.format)) return answer(`${formatJson(osdMapJson(map), context.format)}\n`);
  // The monitor leaves out the empty lines that osdmaptool prints.
  const lines = formatOsdMap(map)
    .split('\n')
    .filter((line) => line !== '');
  return answer(`${lines.join('\n')}\n`);
}

function info({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const id = args.number('id');
  if (id !== undefined && !osdExists(osdMap, id)) {
    throw refusal(OsdErrno.EINVAL, `osd.${id} does not exist`);
  }
  const ids = id === undefined ? osdIds(osdMap) : [id];
  if (!isJson(format)) return answer(ids.map((osd) => `${formatOsd(osdMap, osd)}\n`).join(''));
  const shown = ids.map((osd) => osdJson(osdMap, osd));
  return answer(`${formatJson(id === undefined ? shown : shown[0], format)}\n`);
}

function list(context: CommandContext): CommandReply {
  const ids = osdIds(mapOfEpoch(context));
  if (isJson(context.format)) return answer(`${formatJson(ids, context.format)}\n`);
  return answer(ids.map((id) => `${id}\n`).join(''));
}

/** Flags that every cluster of this age has are not worth a line. */
const commonFlags = osdMapFlagNames
  .filter(([, name]) => /^(require_|sortbitwise|recovery_deletes|purged_snapdirs|pglog_hardlimit)/.test(name))
  .reduce((bits, [bit]) => bits | (1 << bit), 0);

function stat({ format, monitor }: CommandContext): CommandReply {
  const { osdMap } = monitor;
  const ids = osdIds(osdMap);
  const up = ids.filter((osd) => isUp(osdMap, osd)).length;
  const inside = ids.filter((osd) => isIn(osdMap, osd)).length;
  if (!isJson(format)) return answer(statText(osdMap, monitor.wallMs(), ids.length, up, inside));
  const numbers = {
    epoch: osdMap.epoch,
    num_osds: ids.length,
    num_up_osds: up,
    osd_up_since: osdMap.lastUpChange.sec,
    num_in_osds: inside,
    osd_in_since: osdMap.lastInChange.sec,
    num_remapped_pgs: osdMap.pgTemp.size,
  };
  return answer(formatJson(numbers, format));
}

function statText(map: OSDMap, now: number, all: number, up: number, inside: number): string {
  const since = (stamp: Utime): string =>
    stamp.sec === 0 ? '' : ` (since ${durationText(now - utimeToMs(stamp))})`;
  const remapped = map.pgTemp.size === 0 ? '' : `; ${map.pgTemp.size} remapped pgs`;
  const flags = map.flags & ~commonFlags;
  return (
    `${all} osds: ${up} up${since(map.lastUpChange)}, ${inside} in${since(map.lastInChange)}; ` +
    `epoch: e${map.epoch}${remapped}\n${flags === 0 ? '' : `flags ${osdMapFlagString(flags)}\n`}`
  );
}
