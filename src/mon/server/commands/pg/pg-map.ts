/** Where objects and placement groups are. */
import { crushItemNone } from '../../../../maps/crush/map.ts';
import { findPool, type OSDMap } from '../../../../maps/osdmap.ts';
import { formatPgId, type PgId, parsePgId } from '../../../../maps/pg.ts';
import { Placement } from '../../../../maps/placement.ts';
import { hashToSeed } from '../../../../maps/pool.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { OsdErrno } from '../osd/shared.ts';
import { answer, failed, formatJson, isJson } from '../reply.ts';

export const pgMapCommands: readonly CommandDefinition[] = [
  {
    signature:
      'osd map name=pool,type=CephPoolname name=object,type=CephObjectname ' +
      'name=nspace,type=CephString,req=false',
    help: 'the placement group of an object, and its OSDs',
    module: 'osd',
    permissions: 'r',
    run: mapObject,
  },
  {
    signature: 'pg map name=pgid,type=CephPgid',
    help: 'the OSDs of a placement group',
    module: 'pg',
    permissions: 'r',
    run: mapPg,
  },
];

/** Placement prepares much for a map; commands ask one after another of the same. */
const placementOfMap = new WeakMap<OSDMap, Placement>();

function placementOf(map: OSDMap): Placement {
  let placement = placementOfMap.get(map);
  if (placement === undefined) {
    placement = new Placement(map);
    placementOfMap.set(map, placement);
  }
  return placement;
}

function mapObject({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const name = args.text('pool')!;
  const found = findPool(osdMap, name);
  if (found === undefined) return failed(OsdErrno.ENOENT, `pool ${name} does not exist`);
  const object = args.text('object')!;
  const namespace = args.text('nspace') ?? '';
  const placement = placementOf(osdMap);
  const { pg, rawPg } = placement.objectToPg(found.id, object, { namespace });
  const { acting, actingPrimary, up, upPrimary } = placement.pgToUpActing(pg);
  const shown = namespace === '' ? object : `${namespace}/${object}`;
  if (isJson(format)) {
    const mapping = {
      epoch: osdMap.epoch,
      pool: name,
      pool_id: found.id,
      objname: shown,
      raw_pgid: formatPgId(rawPg),
      pgid: formatPgId(pg),
      up,
      up_primary: upPrimary,
      acting,
      acting_primary: actingPrimary,
    };
    return answer(formatJson(mapping, format));
  }
  return answer(
    `osdmap e${osdMap.epoch} pool '${name}' (${found.id}) object '${shown}' -> pg ${formatPgId(rawPg)} ` +
      `(${formatPgId(pg)}) -> up (${osdsText(up)}, p${upPrimary}) acting (${osdsText(acting)}, p${actingPrimary})\n`,
  );
}

/** A seed beyond the pool's groups stands for the group that it is cut to. */
function mapPg({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const asked = parsePgId(args.text('pgid')!);
  const pool = osdMap.pools.get(asked.pool);
  if (pool === undefined) return failed(OsdErrno.ENOENT, `pg '${formatPgId(asked)}' does not exist`);
  const pg = { pool: asked.pool, seed: hashToSeed(pool, asked.seed) };
  const { acting, up } = placementOf(osdMap).pgToUpActing(pg);
  if (isJson(format)) {
    const mapping = { epoch: osdMap.epoch, raw_pgid: formatPgId(asked), pgid: formatPgId(pg), up, acting };
    return answer(formatJson(mapping, format));
  }
  return answer(
    `osdmap e${osdMap.epoch} pg ${formatPgId(asked)} (${formatPgId(pg)}) -> ` +
      `up ${osdsText(up)} acting ${osdsText(acting)}\n`,
  );
}

export function pgExists(map: OSDMap, { pool, seed }: PgId): boolean {
  return seed < (map.pools.get(pool)?.pgNum ?? 0);
}

function osdsText(osds: readonly number[]): string {
  return `[${osds.map((osd) => (osd === crushItemNone ? 'NONE' : osd))}]`;
}
