/** Items that leave the CRUSH map: `rm` and `remove` for good, `unlink` from where they hang. */

import { MsgrError } from '../../../../errors.ts';
import { keyOf } from '../../../../maps/crush/edit.ts';
import { removeItem, removeItemUnder } from '../../../../maps/crush/edit-items.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { OsdErrno, refusal, settled } from '../osd/shared.ts';
import { commitCrush, draftOf } from './pending-crush.ts';

const goodName = 'type=CephString,goodchars=[A-Za-z0-9-_.]';

export const crushRemoveCommands: readonly CommandDefinition[] = ['rm', 'remove', 'unlink'].map((word) => ({
  signature: `osd crush ${word} name=name,${goodName} name=ancestor,${goodName},req=false`,
  help: word === 'unlink' ? 'let an item hang nowhere, or no longer below a bucket' : 'remove an item',
  module: 'osd',
  permissions: 'rw',
  flags: word === 'remove' ? 4 : 0,
  run: (context) => remove(context, word === 'unlink'),
}));

function remove({ args, monitor }: CommandContext, unlinkOnly: boolean): Promise<CommandReply> {
  const name = args.text('name')!;
  const ancestorName = args.text('ancestor');
  const draft = draftOf(monitor);
  const item = keyOf(draft.names, name);
  if (item === undefined) return settled(monitor, `device '${name}' does not appear in the crush map`);
  try {
    if (ancestorName === undefined) {
      removeItem(draft, item, { unlinkOnly });
    } else {
      const ancestor = keyOf(draft.names, ancestorName);
      if (ancestor === undefined) {
        throw refusal(OsdErrno.ENOENT, `ancestor item '${ancestorName}' does not appear in the crush map`);
      }
      removeItemUnder(draft, item, ancestor, { unlinkOnly });
    }
  } catch (error) {
    const isAbsent =
      error instanceof MsgrError && error.errno === OsdErrno.ENOENT && !/ancestor/.test(error.message);
    if (!isAbsent) throw error;
    return settled(monitor, `item ${item} does not appear in that position`);
  }
  if (!unlinkOnly) monitor.pendingOsdMap.change.newCrushNodeFlags.set(item, 0);
  return commitCrush(monitor, draft, `removed item id ${item} name '${name}' from crush map`);
}
