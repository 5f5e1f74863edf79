/** Device classes. */

import { MsgrError } from '../../../../errors.ts';
import type { CrushDraft } from '../../../../maps/crush/edit.ts';
import {
  classIdOf,
  makeClass,
  rebuildShadows,
  removeDeviceClass,
  rulesOfClass,
  setDeviceClass,
} from '../../../../maps/crush/edit-classes.ts';
import { CrushErrno } from '../../../../maps/crush/edit-error.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { isEverything, namedOsds, OsdErrno, parseOsdId, refusal, settled } from '../osd/shared.ts';
import { commitCrush, draftOf } from './pending-crush.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const className = 'type=CephString,goodchars=[A-Za-z0-9-_]';
const ids = 'name=ids,type=CephString,n=N';

export const crushClassCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd crush set-device-class name=class,type=CephString ${ids}`,
    help: 'the device class of OSDs that have none yet',
    run: setClass,
  },
  {
    ...shared,
    signature: `osd crush rm-device-class ${ids}`,
    help: 'take OSDs out of their device class',
    run: removeClassOf,
  },
  {
    ...shared,
    signature: `osd crush class create name=class,${className}`,
    help: 'a new device class',
    run: createClass,
  },
  {
    ...shared,
    signature: `osd crush class rm name=class,${className}`,
    help: 'remove a device class',
    run: removeClass,
  },
  {
    ...shared,
    signature: `osd crush class rename name=srcname,${className} name=dstname,${className}`,
    help: 'another name for a device class',
    run: renameClass,
  },
];

interface Named {
  readonly ids: readonly number[];
  readonly areAll: boolean;
  /** What is wrong with the other words; Ceph says it and goes on. */
  readonly mistakes: string;
}

function osdsOf({ args, monitor }: CommandContext): Named {
  const words = args.list('ids');
  if (isEverything(words)) return { ...namedOsds(monitor.osdMap, words), mistakes: '' };
  const parsed = words.map((word) => [word, parseOsdId(word)] as const);
  const ids = parsed.flatMap(([, id]) => (typeof id === 'number' ? [id] : []));
  const mistakes = parsed
    .map(([word, id]) => (typeof id === 'number' ? '' : `${id.error}, unable to parse osd id:"${word}". `))
    .join('');
  return { ids, areAll: false, mistakes };
}

function setClass(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const name = args.text('class')!;
  const draft = draftOf(monitor);
  const { areAll, ids: osds, mistakes } = osdsOf(context);
  const changed: number[] = [];
  let message = mistakes;
  for (const osd of osds) {
    if (!monitor.pendingOsdMap.exists(osd)) {
      message += `osd.${osd} does not exist. `;
      continue;
    }
    if (!draft.names.has(osd)) draft.setName(osd, `osd.${osd}`);
    const isChanged = setAfter(message, () => setDeviceClass(draft, osd, name));
    if (!isChanged) message += `osd.${osd} already set to class ${name}. `;
    if (isChanged || monitor.pendingOsdMap.change.crush !== undefined) {
      changed.push(osd);
    } else if (!areAll) {
      message += `set-device-class item id ${osd} name 'osd.${osd}' device_class '${name}': no change. `;
    }
  }
  return commitCrush(monitor, draft, `${message}set osd(s) ${sortedText(changed)} to class '${name}'`);
}

/** What there was to say of the OSDs before comes first in a refusal. */
function setAfter(message: string, set: () => boolean): boolean {
  try {
    return set();
  } catch (error) {
    if (!(error instanceof MsgrError) || error.errno !== CrushErrno.busy) throw error;
    throw refusal(OsdErrno.EBUSY, `${message}${error.message}`);
  }
}

function sortedText(ids: readonly number[]): string {
  return [...ids].sort((left, right) => left - right).join(',');
}

function removeClassOf(context: CommandContext): Promise<CommandReply> {
  const { monitor } = context;
  const draft = draftOf(monitor);
  const changed: number[] = [];
  const { ids: osds, mistakes } = osdsOf(context);
  let message = mistakes;
  for (const osd of osds) {
    if (!monitor.pendingOsdMap.exists(osd)) {
      message += `osd.${osd} does not exist. `;
    } else if (!draft.classes.has(osd)) {
      message += `osd.${osd} belongs to no class, `;
    } else {
      removeDeviceClass(draft, osd);
      changed.push(osd);
    }
  }
  return commitCrush(monitor, draft, `${message}done removing class of osd(s): ${sortedText(changed)}`);
}

function createClass({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('class')!;
  const draft = draftOf(monitor);
  if (classIdOf(draft, name) !== undefined) return settled(monitor, `class '${name}' already exists`);
  const id = makeClass(draft, name);
  return commitCrush(monitor, draft, `created class ${name} with id ${id} to crush map`);
}

function removeClass({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('class')!;
  const draft = draftOf(monitor);
  const id = classIdOf(draft, name);
  if (id === undefined) return settled(monitor, '');
  refuseUsed(draft, name, id);
  const osds = [...draft.classes].filter(([osd, own]) => osd >= 0 && own === id).map(([osd]) => osd);
  for (const osd of osds) removeDeviceClass(draft, osd);
  // The last of its OSDs takes the class along.
  draft.classNames.delete(id);
  return commitCrush(monitor, draft, `removed class ${name} with id ${id} from crush map`);
}

function refuseUsed(draft: CrushDraft, name: string, id: number): void {
  const rules = rulesOfClass(draft, id).map((rule) => draft.ruleNames.get(rule) ?? '');
  if (rules.length === 0) return;
  const list = rules.sort().join(',');
  throw refusal(OsdErrno.EBUSY, `class '${name}' still referenced by crush_rule(s): '${list}'`);
}

function renameClass({ args, monitor }: CommandContext): Promise<CommandReply> {
  const from = args.text('srcname')!;
  const to = args.text('dstname')!;
  const draft = draftOf(monitor);
  const id = classIdOf(draft, from);
  if (classIdOf(draft, to) !== undefined) {
    if (id === undefined) return settled(monitor, 'already renamed');
    throw refusal(OsdErrno.EEXIST, `class '${to}' already exists`);
  }
  if (id === undefined) {
    throw refusal(OsdErrno.ENOENT, `fail to rename '${from}' to '${to}' : (2) No such file or directory`);
  }
  draft.classNames.set(id, to);
  rebuildShadows(draft);
  return commitCrush(monitor, draft, `rename class '${from}' to '${to}'`);
}
