/** Mappings that bend placement for single groups: temporary ones, and those that a balancer makes. */
import { formatPgId, type PgId, parsePgId } from '../../../../maps/pg.ts';
import { Release, releaseName } from '../../../../maps/states.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal } from '../osd/shared.ts';
import { done } from '../reply.ts';
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
  const double = ids.find((id, index) => ids.indexOf(id) !== index);
  if (double !== undefined) throw refusal(OsdErrno.EINVAL, `osd.${double} already exists, `);
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmap.set(pg, Int32Array.from(ids));
  change.oldPgUpmap = change.oldPgUpmap.filter((old) => formatPgId(old) !== formatPgId(pg));
  return committed(monitor, `set ${formatPgId(pg)} pg_upmap mapping to ${idsText(ids)}`);
}

function removeUpmap(context: CommandContext): CommandReply | Promise<CommandReply> {
  const { monitor } = context;
  const pg = existingPg(context);
  const { base, change } = monitor.pendingOsdMap;
  change.newPgUpmap.delete(pg);
  if (base.pgUpmap.get(pg.pool, pg.seed) === undefined) return done('');
  change.oldPgUpmap.push(pg);
  return committed(monitor, `clear ${formatPgId(pg)} pg_upmap mapping`);
}

function upmapItems(context: CommandContext): Promise<CommandReply> {
  requireUpmapClients(context);
  const { args, monitor } = context;
  const pg = existingPg(context);
  const ids = args.list('id').map(Number);
  if (ids.length % 2 !== 0) throw refusal(OsdErrno.EINVAL, 'you must specify pairs of OSDs');
  const { size } = monitor.osdMap.pools.get(pg.pool)!;
  if (ids.length / 2 > size) {
    throw refusal(OsdErrno.EINVAL, `num of osd pairs (${ids.length / 2}) > pool size (${size})`);
  }
  const items: { from: number; to: number }[] = [];
  for (let index = 0; index < ids.length; index += 2) {
    const [from, to] = [ids[index]!, ids[index + 1]!];
    if (from === to) throw refusal(OsdErrno.EINVAL, `from osd.${from} == to osd.${to}, `);
    const missing = [from, to].find((id) => !monitor.pendingOsdMap.exists(id));
    if (missing !== undefined) throw refusal(OsdErrno.ENOENT, `osd.${missing} does not exist, `);
    const isKnown = items.some((item) => item.from === from && item.to === to);
    if (isKnown) throw refusal(OsdErrno.EINVAL, `osd.${from} -> osd.${to} already exists, `);
    items.push({ from, to });
  }
  const { change } = monitor.pendingOsdMap;
  change.newPgUpmapItems.set(pg, items);
  change.oldPgUpmapItems = change.oldPgUpmapItems.filter((old) => formatPgId(old) !== formatPgId(pg));
  const text = items.map(({ from, to }) => `${from}->${to}`).join(',');
  return committed(monitor, `set ${formatPgId(pg)} pg_upmap_items mapping to [${text}]`);
}

function removeUpmapItems(context: CommandContext): CommandReply | Promise<CommandReply> {
  const { monitor } = context;
  const pg = existingPg(context);
  const { base, change } = monitor.pendingOsdMap;
  change.newPgUpmapItems.delete(pg);
  if (base.pgUpmapItems.get(pg.pool, pg.seed) === undefined) return done('');
  change.oldPgUpmapItems.push(pg);
  return committed(monitor, `clear ${formatPgId(pg)} pg_upmap_items mapping`);
}
