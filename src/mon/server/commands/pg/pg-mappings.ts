/** Mappings that bend placement for single groups: temporary ones, and those that a balancer makes. */
import { formatPgId, type PgId, parsePgId } from '../../../../maps/pg.ts';
import { Release, releaseName } from '../../../../maps/states.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal } from '../osd/shared.ts';
import { pgExists } from './pg-map.ts';

const pgid = 'name=pgid,type=CephPgid';
const osds = 'name=id,type=CephOsdName,n=N';
const shared = { module: 'osd', permissions: 'rw' } as const;

export const pgMappingCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd pg-temp ${pgid} ${osds},req=false`,
    help: 'let OSDs serve a group for now (for tests)',
    run: pgTemp,
  },
  {
    ...shared,
    signature: `osd primary-temp ${pgid} name=id,type=CephOsdName`,
    help: 'let an OSD be primary of a group for now (for tests)',
    run: primaryTemp,
  },
  { ...shared, signature: `osd pg-upmap ${pgid} ${osds}`, help: 'put a group on these OSDs', run: upmap },
  { ...shared, signature: `osd rm-pg-upmap ${pgid}`, help: 'take that back', run: removeUpmap },
  {
    ...shared,
    signature: `osd pg-upmap-items ${pgid} ${osds}`,
    help: 'replace OSDs of a group: from, to, from, to',
    run: upmapItems,
  },
  { ...shared, signature: `osd rm-pg-upmap-items ${pgid}`, help: 'take that back', run: removeUpmapItems },
];

/** @throws MsgrError ENOENT */
function existingPg({ args, monitor: { osdMap } }: CommandContext): PgId {
  const pg = parsePgId(args.text('pgid')!);
  if (!pgExists(osdMap, pg)) throw refusal(OsdErrno.ENOENT, `pg ${formatPgId(pg)} does not exist`);
  return pg;
}

/** @throws MsgrError ENOENT */
function existingOsds({ args, monitor: { pendingOsdMap } }: CommandContext): number[] {
  const ids = args.list('id').map(Number);
  const missing = ids.find((id) => !pendingOsdMap.exists(id));
  if (missing !== undefined) throw refusal(OsdErrno.ENOENT, `osd.${missing} does not exist`);
  return ids;
}

function idsText(ids: readonly number[]): string {
  return `[${ids}]`;
}

function pgTemp(context: CommandContext): Promise<CommandReply> {
  const { monitor } = context;
  const pg = existingPg(context);
  const ids = existingOsds(context);
  monitor.pendingOsdMap.change.newPgTemp.set(pg, Int32Array.from(ids));
  return committed(monitor, `set ${formatPgId(pg)} pg_temp mapping to ${idsText(ids)}`);
}

function primaryTemp(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const pg = existingPg(context);
  const osd = args.number('id')!;
  if (osd !== -1 && !monitor.pendingOsdMap.exists(osd)) {
    throw refusal(OsdErrno.ENOENT, `osd.${osd} does not exist`);
  }
  monitor.pendingOsdMap.change.newPrimaryTemp.set(pg, osd);
  return committed(monitor, `set ${formatPgId(pg)} primary_temp mapping to ${osd}`);
}

/** Clients that know no upmap would look for objects in the wrong place. @throws MsgrError EPERM */
function requireUpmapClients({ monitor: { osdMap } }: CommandContext): void {
  if (osdMap.requireMinCompatClient >= Release.luminous) return;
  throw refusal(
    OsdErrno.EPERM,
    `min_compat_client ${releaseName(osdMap.requireMinCompatClient)} < luminous, which is required for pg-upmap. ` +
      "Try 'ceph osd set-require-min-compat-client luminous' before using the new interface",
  );
}

function upmap(context: CommandContext): Promise<CommandReply> {
  requireUpmapClients(context);
  const { monitor } = context;
  const pg = existingPg(context);
  const ids = existingOsds(context);
  const { minSize, size } = monitor.osdMap.pools.get(pg.pool)!;
  if (ids.length > size) {
    throw refusal(OsdErrno.EINVAL, `num of osds (${ids.length}) > pool size (${size})`);
  }
  if (ids.length < minSize) {
    throw refusal(OsdErrno.EINVAL, `num of osds (${ids.length}) < pool min size (${minSize})`);
  }
  // One that is named twice counts once, and is told.
  const mapped = [...new Set(ids)];
  const doubles = ids.filter((id, index) => ids.indexOf(id) !== index);
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmap.set(pg, Int32Array.from(mapped));
  change.oldPgUpmap = change.oldPgUpmap.filter((old) => formatPgId(old) !== formatPgId(pg));
  const told = doubles.map((id) => `osd.${id} already exists, `).join('');
  return committed(monitor, `${told}set ${formatPgId(pg)} pg_upmap mapping to ${idsText(mapped)}`);
}

function removeUpmap(context: CommandContext): Promise<CommandReply> {
  const { monitor } = context;
  const pg = existingPg(context);
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmap.delete(pg);
  change.oldPgUpmap.push(pg);
  return committed(monitor, `clear ${formatPgId(pg)} pg_upmap mapping`);
}

function upmapItems(context: CommandContext): Promise<CommandReply> {
  requireUpmapClients(context);
  const { args, monitor } = context;
  const pg = existingPg(context);
  const ids = args.list('id').map(Number);
  if (ids.length % 2 !== 0)
    throw refusal(OsdErrno.EINVAL, 'you must specify pairs of osd ids to be remapped');
  const { size } = monitor.osdMap.pools.get(pg.pool)!;
  if (ids.length / 2 > size) {
    throw refusal(OsdErrno.EINVAL, `num of osd pairs (${ids.length / 2}) > pool size (${size})`);
  }
  const { items, told } = upmapPairs(context, ids);
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmapItems.set(pg, items);
  change.oldPgUpmapItems = change.oldPgUpmapItems.filter((old) => formatPgId(old) !== formatPgId(pg));
  const text = items.map(({ from, to }) => `${from}->${to}`).join(',');
  return committed(monitor, `${told}set ${formatPgId(pg)} pg_upmap_items mapping to [${text}]`);
}

interface UpmapPairs {
  readonly items: { from: number; to: number }[];
  /** Of pairs that change nothing. */
  readonly told: string;
}

/** @throws MsgrError when there is no such OSD, or no pair is left */
function upmapPairs({ monitor }: CommandContext, ids: readonly number[]): UpmapPairs {
  const items: { from: number; to: number }[] = [];
  let told = '';
  for (let index = 0; index < ids.length; index += 2) {
    const [from, to] = [ids[index]!, ids[index + 1]!];
    const missing = [from, to].find((id) => !monitor.pendingOsdMap.exists(id));
    if (from === to) {
      told += `from osd.${from} == to osd.${to}, `;
    } else if (missing !== undefined) {
      throw refusal(OsdErrno.ENOENT, `osd.${missing} does not exist`);
    } else if (items.some((item) => item.from === from && item.to === to)) {
      told += `osd.${from} -> osd.${to} already exists, `;
    } else {
      items.push({ from, to });
    }
  }
  if (items.length === 0) throw refusal(OsdErrno.EINVAL, `${told}no valid upmap items(pairs) is specified`);
  return { items, told };
}

function removeUpmapItems(context: CommandContext): Promise<CommandReply> {
  const { monitor } = context;
  const pg = existingPg(context);
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmapItems.delete(pg);
  change.oldPgUpmapItems.push(pg);
  return committed(monitor, `clear ${formatPgId(pg)} pg_upmap_items mapping`);
}
