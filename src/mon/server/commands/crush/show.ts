/** What the CRUSH map says. */

import { keyOf } from '../../../../maps/crush/edit.ts';
import { classIdOf, rulesOfClass } from '../../../../maps/crush/edit-classes.ts';
import {
  crushMapJson,
  crushRuleJson,
  crushRulesJson,
  crushTunablesJson,
  deviceClassOf,
} from '../../../../maps/crush/json.ts';
import type { CrushMap } from '../../../../maps/crush/map.ts';
import { type CrushTreeItem, crushTree, crushTreeItemJson } from '../../../../maps/crush/tree.ts';
import { osdExists } from '../../../../maps/osdmap.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { namedOsds, OsdErrno, refusal } from '../osd/shared.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { table } from '../text.ts';
import { draftOf } from './pending-crush.ts';
import { crushTreeCells, crushTreeColumns } from './tree-text.ts';

const shared = { module: 'osd', permissions: 'r' } as const;
const goodName = 'goodchars=[A-Za-z0-9-_.]';

export const crushShowCommands: readonly CommandDefinition[] = [
  ...['ls', 'list'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `osd crush rule ${word}`,
      help: 'names of the rules',
      flags: word === 'list' ? 4 : 0,
      run: ({ format, monitor: { osdMap } }) => names(ruleNames(osdMap.crush), format),
    }),
  ),
  {
    ...shared,
    signature: 'osd crush rule ls-by-class name=class,type=CephString,goodchars=[A-Za-z0-9-_.]',
    help: 'names of the rules for a device class',
    run: rulesByClass,
  },
  {
    ...shared,
    signature: `osd crush rule dump name=name,type=CephString,${goodName},req=false`,
    help: 'a rule, or each of them',
    run: dumpRules,
  },
  {
    ...shared,
    signature: 'osd crush dump',
    help: 'the whole CRUSH map',
    run: ({ format, monitor: { osdMap } }) => answer(`${formatJson(crushMapJson(osdMap.crush), format)}\n`),
  },
  {
    ...shared,
    signature: 'osd crush show-tunables',
    help: 'how CRUSH chooses',
    run: ({ format, monitor: { osdMap } }) =>
      answer(`${formatJson(crushTunablesJson(osdMap.crush), format)}\n`),
  },
  {
    ...shared,
    signature: 'osd crush get-tunable name=tunable,type=CephChoices,strings=straw_calc_version',
    help: 'one of the numbers that CRUSH chooses by',
    run({ args, format, monitor: { osdMap } }) {
      const { strawCalcVersion } = osdMap.crush.tunables;
      if (!isJson(format)) return answer(`${strawCalcVersion}\n`);
      return answer(formatJson({ [args.text('tunable')!]: strawCalcVersion }, format));
    },
  },
  {
    ...shared,
    signature: 'osd crush tree name=shadow,type=CephChoices,strings=--show-shadow,req=false',
    help: 'the CRUSH tree, with those of device classes',
    run: tree,
  },
  {
    ...shared,
    signature: `osd crush ls name=node,type=CephString,${goodName}`,
    help: 'what a bucket has',
    run: listNode,
  },
  {
    ...shared,
    signature: 'osd crush class ls',
    help: 'device classes',
    run: ({ format, monitor: { osdMap } }) =>
      answer(formatJson([...osdMap.crush.classNames.values()], format)),
  },
  {
    ...shared,
    signature: 'osd crush class ls-osd name=class,type=CephString,goodchars=[A-Za-z0-9-_]',
    help: 'OSDs of a device class',
    run: osdsOfClass,
  },
  {
    ...shared,
    signature: 'osd crush get-device-class name=ids,type=CephString,n=N',
    help: 'device classes of OSDs',
    run: classesOfOsds,
  },
  {
    ...shared,
    signature: 'osd crush weight-set ls',
    help: 'pools that have weights of their own',
    run: ({ format, monitor: { osdMap } }) =>
      names(
        [...osdMap.crush.chooseArgs.keys()].map((id) => osdMap.poolNames.get(id) ?? '(compat)'),
        format,
      ),
  },
  {
    ...shared,
    signature: 'osd crush weight-set dump',
    help: 'weights that pools have of their own',
    run: ({ format, monitor: { osdMap } }) =>
      answer(formatJson(crushMapJson(osdMap.crush).choose_args, format)),
  },
];

function names(list: readonly string[], format: CommandContext['format']): CommandReply {
  if (isJson(format)) return answer(formatJson(list, format));
  return answer(list.map((name) => `${name}\n`).join(''));
}

function ruleNames({ ruleNames: all, rules }: CrushMap): string[] {
  return rules.flatMap((rule, id) => (rule === undefined ? [] : [all.get(id) ?? '']));
}

function rulesByClass({ args, format, monitor }: CommandContext): CommandReply {
  const name = args.text('class')!;
  const draft = draftOf(monitor);
  const classId = classIdOf(draft, name);
  if (classId === undefined) throw refusal(OsdErrno.ENOENT, `failed to get rules by class '${name}'`);
  return names(
    rulesOfClass(draft, classId).map((id) => draft.ruleNames.get(id) ?? ''),
    format,
  );
}

function dumpRules({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const { crush } = osdMap;
  const name = args.text('name');
  if (name === undefined || name === '') return answer(`${formatJson(crushRulesJson(crush), format)}\n`);
  const id = keyOf(crush.ruleNames, name);
  const rule = id === undefined ? undefined : crush.rules[id];
  if (rule === undefined) throw refusal(OsdErrno.ENOENT, `unknown crush rule '${name}'`);
  return answer(`${formatJson(crushRuleJson(crush, rule, id!), format)}\n`);
}

function tree({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const { crush, poolNames } = osdMap;
  const items = crushTree(crush, { shadows: args.text('shadow') !== undefined });
  if (!isJson(format)) {
    const rows = items.map((item) => crushTreeCells(crush, item));
    return answer(`${table(crushTreeColumns, rows)}\n`);
  }
  const seen = new Set(items.map(({ id }) => id));
  const stray = [...crush.names.keys()]
    .filter((id) => id >= 0 && !seen.has(id))
    .map((id): CrushTreeItem => ({ id, parent: undefined, depth: 0, weight: 0, children: [] }));
  const shown = (item: CrushTreeItem) => ({
    ...crushTreeItemJson(crush, item, poolNames),
    ...(item.id < 0 && { children: item.children }),
  });
  return answer(formatJson({ nodes: items.map(shown), stray: stray.map(shown) }, format));
}

function listNode({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const { crush } = osdMap;
  const node = args.text('node')!;
  const id = keyOf(crush.names, node);
  if (id === undefined) throw refusal(OsdErrno.ENOENT, `node '${node}' does not exist`);
  const items = id >= 0 ? [id] : [...(crush.buckets[-1 - id]?.items ?? [])];
  return names(
    items.map((item) => crush.names.get(item) ?? ''),
    format,
  );
}

function osdsOfClass({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const { crush } = osdMap;
  const classId = keyOf(crush.classNames, args.text('class')!);
  const osds = [...crush.classes]
    .filter(([id, own]) => id >= 0 && own === classId)
    .map(([id]) => id)
    .sort((left, right) => left - right);
  if (isJson(format)) return answer(formatJson(osds, format));
  return answer(osds.map((osd) => `${osd}\n`).join(''));
}

function classesOfOsds({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const { ids } = namedOsds(osdMap, args.list('ids'), (error, word) =>
    refusal(OsdErrno.EINVAL, `${error}, unable to parse osd id:"${word}". `),
  );
  const missing = ids.find((osd) => !osdExists(osdMap, osd));
  if (missing !== undefined) throw refusal(OsdErrno.EINVAL, `osd.${missing} does not exist. `);
  const classes = [...new Set(ids)]
    .sort((left, right) => left - right)
    .map((osd) => ({ osd, device_class: deviceClassOf(osdMap.crush, osd) ?? '' }));
  if (isJson(format)) return answer(formatJson(classes, format));
  if (classes.length === 1) return answer(`${classes[0]!.device_class}\n`);
  return answer(classes.map(({ device_class, osd }) => `osd.${osd} ${device_class}\n`).join(''));
}
