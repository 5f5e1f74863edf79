/** Rules, tunables, and whole CRUSH maps from a file. */
import { MsgrError } from '../../../../errors.ts';
import { decodeCrushMap } from '../../../../maps/crush/codec.ts';
import type { CrushDraft } from '../../../../maps/crush/edit.ts';
import { addSimpleRule, removeRule, ruleIdOf } from '../../../../maps/crush/edit-rules.ts';
import { finalizeCrush } from '../../../../maps/crush/finalize.ts';
import type { CrushMap } from '../../../../maps/crush/map.ts';
import { type CrushProfile, crushProfiles } from '../../../../maps/crush/tunables.ts';
import { PoolType } from '../../../../maps/pool.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { erasureCodeOf } from '../pool/erasure-code.ts';
import { commitCrush, draftOf, setPendingCrush } from './pending-crush.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const goodName = 'type=CephString,goodchars=[A-Za-z0-9-_.]';
const version = 'name=prior_version,type=CephInt,req=false';

export const crushRuleCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature:
      `osd crush rule create-simple name=name,${goodName} name=root,${goodName} name=type,${goodName} ` +
      'name=mode,type=CephChoices,strings=firstn|indep,req=false',
    help: 'a rule: each copy below another bucket of a type',
    run: (context) => createRule(context, context.args.text('mode') === 'indep' ? 'indep' : 'firstn'),
  },
  {
    ...shared,
    signature:
      `osd crush rule create-replicated name=name,${goodName} name=root,${goodName} name=type,${goodName} ` +
      `name=class,${goodName},req=false`,
    help: 'a rule for replicated pools, for devices of a class or of all',
    run: (context) => createRule(context, 'firstn'),
  },
  {
    ...shared,
    signature:
      `osd crush rule create-erasure name=name,${goodName} ` +
      'name=profile,type=CephString,goodchars=[A-Za-z0-9-_.=],req=false',
    help: 'a rule for pools of an erasure code profile',
    run: createErasure,
  },
  {
    ...shared,
    signature: `osd crush rule rm name=name,${goodName}`,
    help: 'remove a rule',
    run: removeNamed,
  },
  {
    ...shared,
    signature: `osd crush rule rename name=srcname,${goodName} name=dstname,${goodName}`,
    help: 'another name for a rule',
    run: renameRule,
  },
  {
    ...shared,
    signature:
      'osd crush tunables name=profile,type=CephChoices,' +
      'strings=legacy|argonaut|bobtail|firefly|hammer|jewel|optimal|default',
    help: 'choose as that release did',
    run: setTunables,
  },
  {
    ...shared,
    signature:
      'osd crush set-tunable name=tunable,type=CephChoices,strings=straw_calc_version name=value,type=CephInt',
    help: 'one of the numbers that CRUSH chooses by',
    run({ args, monitor }) {
      const value = args.number('value')!;
      if (value !== 0 && value !== 1) throw refusal(OsdErrno.EINVAL, `value must be 0 or 1; got ${value}`);
      const draft = draftOf(monitor);
      draft.tunables = { ...draft.tunables, strawCalcVersion: value };
      return commitCrush(monitor, draft, `adjusted tunable ${args.text('tunable')} to ${value}`);
    },
  },
  { ...shared, signature: `osd setcrushmap ${version}`, help: 'the CRUSH map of a file (-i)', run: setMap },
  { ...shared, signature: `osd crush set ${version}`, help: 'the CRUSH map of a file (-i)', run: setMap },
];

function createRule({ args, monitor }: CommandContext, mode: 'firstn' | 'indep'): Promise<CommandReply> {
  const name = args.text('name')!;
  const draft = draftOf(monitor);
  if (ruleIdOf(draft, name) !== undefined) return settled(monitor, `rule ${name} already exists`);
  addSimpleRule(draft, {
    name,
    root: args.text('root')!,
    failureDomain: args.text('type')!,
    deviceClass: args.text('class') ?? '',
    mode,
    poolType: PoolType.replicated,
  });
  return commitCrush(monitor, draft, '');
}

function createErasure({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('name')!;
  const profile = args.text('profile') ?? '';
  const draft = draftOf(monitor);
  if (ruleIdOf(draft, name) !== undefined) return settled(monitor, `rule ${name} already exists`);
  const id = addErasureRule(draft, monitor, name, profile === '' ? 'default' : profile);
  return commitCrush(monitor, draft, `created rule ${name} at ${id}`);
}

/** By what the profile says of roots, failure domains and classes. */
export function addErasureRule(
  draft: CrushDraft,
  monitor: MonitorState,
  name: string,
  profileName: string,
): number {
  const { chunks, profile } = erasureCodeOf(monitor, profileName);
  return addSimpleRule(draft, {
    name,
    root: profile.get('crush-root') ?? 'default',
    failureDomain: profile.get('crush-failure-domain') ?? 'host',
    deviceClass: profile.get('crush-device-class') ?? '',
    mode: 'indep',
    poolType: PoolType.erasure,
    maxSize: chunks,
  });
}

function removeNamed({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('name')!;
  const draft = draftOf(monitor);
  const id = ruleIdOf(draft, name);
  if (id === undefined) return settled(monitor, `rule ${name} does not exist`);
  const ruleset = draft.rules[id]?.ruleset;
  for (const pool of monitor.pendingOsdMap.poolNames().keys()) {
    if (monitor.pendingOsdMap.pool(pool)?.crushRule === ruleset) {
      throw refusal(OsdErrno.EBUSY, `crush ruleset ${name} ${ruleset} is in use`);
    }
  }
  removeRule(draft, id);
  return commitCrush(monitor, draft, '');
}

function renameRule({ args, monitor }: CommandContext): Promise<CommandReply> {
  const from = args.text('srcname')!;
  const to = args.text('dstname')!;
  const draft = draftOf(monitor);
  const id = ruleIdOf(draft, from);
  const isTaken = ruleIdOf(draft, to) !== undefined;
  if (id === undefined && isTaken) return settled(monitor, `already renamed to '${to}'`);
  if (id === undefined) throw refusal(OsdErrno.ENOENT, `source rule name '${from}' does not exist`);
  if (isTaken) throw refusal(OsdErrno.EEXIST, `destination rule name '${to}' already exists`);
  draft.ruleNames.set(id, to);
  return commitCrush(monitor, draft, '');
}

/** The straw calculation stays as it is, except where a profile means all that there is. */
const profileAliases: Readonly<Record<string, readonly [CrushProfile, strawCalcVersion: number]>> = {
  legacy: ['argonaut', 0],
  optimal: ['jewel', 1],
  default: ['jewel', 1],
};

function setTunables({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('profile')!;
  const draft = draftOf(monitor);
  const [profile, strawCalcVersion] = profileAliases[name] ?? [
    name as CrushProfile,
    draft.tunables.strawCalcVersion,
  ];
  draft.tunables = { ...crushProfiles[profile], strawCalcVersion };
  return commitCrush(monitor, draft, `adjusted tunables profile to ${name}`);
}

async function setMap({ args, input, monitor }: CommandContext): Promise<CommandReply> {
  const prior = args.number('prior_version');
  const { crushVersion } = monitor.osdMap;
  if (prior !== undefined && prior !== crushVersion) {
    if (prior === crushVersion - 1) {
      // It may be the second try of the change before, whose answer was lost.
      if (Buffer.from(input).equals(monitor.osdMap.crushBytes)) return settled(monitor, String(crushVersion));
    }
    throw refusal(OsdErrno.EPERM, `prior_version ${prior} != crush version ${crushVersion}`);
  }
  setPendingCrush(monitor, checkedMap(monitor, input));
  await committed(monitor, '');
  return { result: 0, message: String(monitor.osdMap.crushVersion) };
}

/** @throws MsgrError when pools would lose their rules, or the bytes are no map */
function checkedMap({ pendingOsdMap }: MonitorState, bytes: Uint8Array): CrushMap {
  let crush: CrushMap;
  try {
    crush = finalizeCrush(decodeCrushMap(Buffer.from(bytes)));
  } catch (error) {
    if (!(error instanceof MsgrError)) throw error;
    throw refusal(OsdErrno.EINVAL, `Failed to parse crushmap: ${error.message}`);
  }
  const pools = [...pendingOsdMap.poolNames().keys()].flatMap((id) => pendingOsdMap.pool(id) ?? []);
  const orphan = pools.find(({ crushRule }) => crush.rules[crushRule] === undefined);
  if (orphan !== undefined) {
    throw refusal(OsdErrno.EINVAL, `crush rule ${orphan.crushRule} is in use by a pool and not in the map`);
  }
  const placed = crush.buckets.flatMap((bucket) => [...(bucket?.items ?? [])]);
  const beyond = placed.find((item) => item >= pendingOsdMap.maxOsd);
  if (beyond !== undefined) {
    throw refusal(
      OsdErrno.EINVAL,
      `crushmap max_devices ${beyond + 1} > osdmap max_osd ${pendingOsdMap.maxOsd}`,
    );
  }
  return crush;
}
