/** Where an OSD is, and what it told of itself when it booted. */

import { isUp, osdExists } from '../../../../maps/osdmap.ts';
import { addrVecJson, osdIds } from '../../../../maps/osdmap-json.ts';
import { crushLocation } from '../../osdmap/crush-location.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, formatJson } from '../reply.ts';
import { counts } from '../text.ts';
import { OsdErrno, refusal } from './shared.ts';

const shared = { module: 'osd', permissions: 'r' } as const;

export const osdFindCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'osd find name=id,type=CephOsdName',
    help: 'addresses and place of an OSD',
    run: find,
  },
  {
    ...shared,
    signature: 'osd metadata name=id,type=CephOsdName,req=false',
    help: 'what an OSD told when it booted, or each of them',
    run: metadata,
  },
  {
    ...shared,
    signature: 'osd count-metadata name=property,type=CephString',
    help: 'how many OSDs have each value of a property',
    run: ({ args, format, monitor }) =>
      answer(formatJson(counts(valuesOf({ monitor }, args.text('property')!)), format)),
  },
  {
    ...shared,
    signature: 'osd versions',
    help: 'how many OSDs run each version',
    run: ({ format, monitor }) => answer(formatJson(counts(valuesOf({ monitor }, 'ceph_version')), format)),
  },
];

function existing({ args, monitor: { osdMap } }: CommandContext): number {
  const id = args.number('id');
  if (id === undefined || !osdExists(osdMap, id)) {
    throw refusal(OsdErrno.ENOENT, `osd.${args.text('id')} does not exist`);
  }
  return id;
}

function find(context: CommandContext): CommandReply {
  const { format, monitor } = context;
  const osd = existing(context);
  const { osdMap } = monitor;
  const metadata = monitor.osd.metadata(osd);
  const places = crushLocation(osdMap.crush, osd).sort(([left], [right]) => (left < right ? -1 : 1));
  const shown: Record<string, unknown> = {
    osd,
    addrs: addrVecJson(osdMap.clientAddrs[osd]!),
    osd_fsid: String(osdMap.osdUuid[osd]),
  };
  const host = metadata?.get('hostname');
  if (host !== undefined) shown.host = host;
  for (const name of ['pod_name', 'pod_namespace']) {
    const value = metadata?.get(name);
    if (value !== undefined) shown[name] = value;
  }
  shown.crush_location = Object.fromEntries(places);
  return answer(formatJson(shown, format));
}

function metadata(context: CommandContext): CommandReply {
  const { args, format, monitor } = context;
  if (args.text('id') === undefined) {
    const all = osdIds(monitor.osdMap).map((id) => ({
      id,
      ...Object.fromEntries(monitor.osd.metadata(id) ?? []),
    }));
    return answer(formatJson(all, format));
  }
  const id = existing(context);
  const own = monitor.osd.metadata(id);
  if (own === undefined) throw refusal(OsdErrno.ENOENT, '');
  return answer(formatJson({ id, ...Object.fromEntries(own) }, format));
}

/** Of those that are up. */
function* valuesOf({ monitor }: Pick<CommandContext, 'monitor'>, property: string): Generator<string> {
  for (const id of osdIds(monitor.osdMap)) {
    if (isUp(monitor.osdMap, id)) yield monitor.osd.metadata(id)?.get(property) ?? 'unknown';
  }
}
