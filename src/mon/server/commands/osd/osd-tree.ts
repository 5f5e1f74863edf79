/** OSDs as they hang in the CRUSH tree. */
import { keyOf } from '../../../../maps/crush/edit.ts';
import { type CrushTreeItem, crushTree, crushTreeItemJson } from '../../../../maps/crush/tree.ts';
import {
  defaultPrimaryAffinity,
  isUp,
  type OSDMap,
  osdExists,
  osdIn,
  osdOut,
  primaryAffinityOf,
} from '../../../../maps/osdmap.ts';
import { osdIds } from '../../../../maps/osdmap-json.ts';
import { OsdState } from '../../../../maps/states.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { crushTreeCells, crushTreeColumns, rightColumn, weightText } from '../crush/tree-text.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { table } from '../text.ts';
import { mapOfEpoch, OsdErrno, refusal } from './shared.ts';

const epoch = 'name=epoch,type=CephInt,range=0,req=false';
const states = 'name=states,type=CephChoices,strings=up|down|in|out|destroyed,n=N,req=false';
const shared = { module: 'osd', permissions: 'r' } as const;

export const osdTreeCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd tree ${epoch} ${states}`,
    help: 'the CRUSH tree with the state of each OSD',
    run(context) {
      const map = mapOfEpoch(context);
      const isShown = stateFilter(map, context.args.list('states'));
      const items = crushTree(map.crush, isShown === undefined ? {} : { isShown });
      const seen = new Set(items.map(({ id }) => id));
      const stray = osdIds(map)
        .filter((osd) => !seen.has(osd) && (isShown?.(osd) ?? true))
        .map((id): CrushTreeItem => ({ id, parent: undefined, depth: 0, weight: 0, children: [] }));
      return show(context, map, items, stray);
    },
  },
  {
    ...shared,
    signature: `osd tree-from ${epoch} name=bucket,type=CephString ${states}`,
    help: 'the part of the tree below a bucket',
    run(context) {
      const map = mapOfEpoch(context);
      const name = context.args.text('bucket')!;
      const root = keyOf(map.crush.names, name);
      if (root === undefined) throw refusal(OsdErrno.ENOENT, `bucket '${name}' does not exist`);
      if (root >= 0) throw refusal(OsdErrno.EINVAL, `"${name}" is not a bucket`);
      const isShown = stateFilter(map, context.args.list('states'));
      return show(context, map, crushTree(map.crush, { root, ...(isShown && { isShown }) }));
    },
  },
  {
    ...shared,
    signature: `osd ls-tree ${epoch} name=name,type=CephString,req=true`,
    help: 'numbers of the OSDs below a bucket',
    run(context) {
      const map = mapOfEpoch(context);
      const name = context.args.text('name')!;
      const root = keyOf(map.crush.names, name);
      if (root === undefined) throw refusal(OsdErrno.ENOENT, `"${name}" does not exist`);
      const below = crushTree(map.crush, { root }).map(({ id }) => id);
      const ids = [...new Set(below)].filter((id) => id >= 0).sort((left, right) => left - right);
      if (isJson(context.format)) return answer(`${formatJson(ids, context.format)}\n`);
      return answer(ids.map((id) => `${id}\n`).join(''));
    },
  },
];

/** Undefined when nothing is left out. @throws MsgrError for states that exclude each other */
function stateFilter(map: OSDMap, wanted: readonly string[]): ((osd: number) => boolean) | undefined {
  if (wanted.length === 0) return undefined;
  const lives = wanted.filter((state) => state === 'up' || state === 'down' || state === 'destroyed');
  if (new Set(lives).size > 1) {
    throw refusal(OsdErrno.EINVAL, "can specify only one of 'up', 'down' and 'destroyed'");
  }
  if (wanted.includes('in') && wanted.includes('out')) {
    throw refusal(OsdErrno.EINVAL, "cannot specify both 'in' and 'out'");
  }
  return (osd) =>
    wanted.every((state) => {
      const isDestroyed = ((map.osdState[osd] ?? 0) & OsdState.destroyed) !== 0;
      switch (state) {
        case 'up':
          return isUp(map, osd);
        case 'down':
          return !isUp(map, osd) && !isDestroyed;
        case 'destroyed':
          return isDestroyed;
        case 'in':
          return (map.osdWeight[osd] ?? osdOut) !== osdOut;
        default:
          return (map.osdWeight[osd] ?? osdOut) === osdOut;
      }
    });
}

function show(
  { format }: CommandContext,
  map: OSDMap,
  items: readonly CrushTreeItem[],
  stray?: readonly CrushTreeItem[],
): CommandReply {
  if (isJson(format)) {
    const shown = (item: CrushTreeItem) => ({
      ...crushTreeItemJson(map.crush, item, map.poolNames),
      ...(item.id < 0 ? { children: item.children } : osdFields(map, item.id)),
    });
    const tree = { nodes: items.map(shown), ...(stray && { stray: stray.map(shown) }) };
    return answer(`${formatJson(tree, format)}\n`);
  }
  const columns = [...crushTreeColumns, ...['STATUS', 'REWEIGHT', 'PRI-AFF'].map(rightColumn)];
  const rows = [...items, ...(stray ?? [])].map((item) => [
    ...crushTreeCells(map.crush, item),
    ...osdCells(map, item.id),
  ]);
  return answer(`${table(columns, rows)}\n`);
}

function statusOf(map: OSDMap, osd: number): string {
  if (isUp(map, osd)) return 'up';
  return ((map.osdState[osd] ?? 0) & OsdState.destroyed) !== 0 ? 'destroyed' : 'down';
}

function osdFields(map: OSDMap, osd: number): Record<string, unknown> {
  if (!osdExists(map, osd)) return { exists: 0, status: 'down', reweight: 0, primary_affinity: 1 };
  return {
    exists: 1,
    status: statusOf(map, osd),
    reweight: (map.osdWeight[osd] ?? 0) / osdIn,
    primary_affinity: primaryAffinityOf(map, osd) / defaultPrimaryAffinity,
  };
}

function osdCells(map: OSDMap, osd: number): [string, string, string] {
  if (osd < 0) return ['', '', ''];
  if (!osdExists(map, osd)) return ['DNE', '0', ''];
  return [
    statusOf(map, osd),
    weightText(map.osdWeight[osd]! / osdIn),
    weightText(primaryAffinityOf(map, osd) / defaultPrimaryAffinity),
  ];
}
