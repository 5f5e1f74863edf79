/** OSDs that end: destroyed (the id waits for another disk), purged (nothing is left of it), removed. */
import { CrushDraft } from '../../../../maps/crush/edit.ts';
import { removeItem } from '../../../../maps/crush/edit-items.ts';
import { OsdState } from '../../../../maps/states.ts';
import { EntityAuthName } from '../../../../wire/entity-name.ts';
import { Uuid } from '../../../../wire/uuid.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { setPendingCrush } from '../crush/pending-crush.ts';
import { done } from '../reply.ts';
import { refuseUp } from './osd-state.ts';
import { committed, OsdErrno, parseOsdId, refusal, settled } from './shared.ts';

const id = 'name=id,type=CephOsdName';
const sure = 'name=yes_i_really_mean_it,type=CephBool,req=false';
const force = 'name=force,type=CephBool,req=false';
const shared = { module: 'osd', permissions: 'rw' } as const;
/** Not shown by `ceph --help`: a manager sends these once it has seen that it is safe. */
const hidden = 32;

export const osdRemoveCommands: readonly CommandDefinition[] = [
  ...[`osd destroy ${id} ${force} ${sure}`, `osd destroy-actual ${id} ${sure}`].map(
    (signature): CommandDefinition => ({
      ...shared,
      signature,
      help: 'mark an OSD destroyed and forget its keys; another disk may take its id',
      flags: signature.includes('actual') ? hidden : 0,
      run: destroy,
    }),
  ),
  ...[`osd purge ${id} ${force} ${sure}`, `osd purge-actual ${id} ${sure}`].map(
    (signature): CommandDefinition => ({
      ...shared,
      signature,
      help: 'remove an OSD from everywhere: maps, CRUSH tree, keys',
      flags: signature.includes('actual') ? hidden : 0,
      run: (context) => purge(context),
    }),
  ),
  {
    ...shared,
    signature: `osd purge-new ${id} ${sure}`,
    help: 'remove an OSD that never booted',
    run(context) {
      const osd = osdOf(context);
      const { pendingOsdMap } = context.monitor;
      if (pendingOsdMap.exists(osd) && (pendingOsdMap.state(osd) & OsdState.new) === 0) {
        throw refusal(OsdErrno.EPERM, `osd.${osd} is not new`);
      }
      return purge(context);
    },
  },
  {
    ...shared,
    signature: 'osd rm name=ids,type=CephString,n=N',
    help: 'remove OSDs that are down from the map only',
    flags: 4,
    run: remove,
  },
];

function osdOf({ args }: CommandContext): number {
  const osd = args.number('id');
  if (osd === undefined) throw refusal(OsdErrno.EINVAL, 'invalid osd id value: < 0 or > int64 max');
  return osd;
}

const dataLoss =
  "Are you SURE?  Did you verify with 'ceph osd safe-to-destroy'?  This will mean real, permanent data loss, " +
  'as well as deletion of cephx and lockbox keys. Pass --yes-i-really-mean-it if you really do.';

async function destroy(context: CommandContext): Promise<CommandReply> {
  const osd = osdOf(context);
  const { args, monitor } = context;
  const { pendingOsdMap } = monitor;
  if (!args.flag('yes_i_really_mean_it') && !args.flag('force')) throw refusal(OsdErrno.EPERM, dataLoss);
  if (!pendingOsdMap.exists(osd)) return done(`osd.${osd} does not exist`);
  refuseUp(monitor, osd, `osd.${osd} is not \`down\`.`);
  if ((pendingOsdMap.state(osd) & OsdState.destroyed) !== 0) return settled(monitor, `destroyed osd.${osd}`);
  const keys = destroyKeys(monitor, osd);
  pendingOsdMap.changeState(osd, OsdState.destroyed, 0);
  pendingOsdMap.change.newUuid.set(osd, Uuid.zero);
  const [reply] = await Promise.all([committed(monitor, `destroyed osd.${osd}`), keys]);
  return reply;
}

async function purge(context: CommandContext): Promise<CommandReply> {
  const osd = osdOf(context);
  const { args, monitor } = context;
  if (!args.flag('yes_i_really_mean_it') && !args.flag('force')) throw refusal(OsdErrno.EPERM, dataLoss);
  const { pendingOsdMap } = monitor;
  if (!pendingOsdMap.exists(osd)) return done(`osd.${osd} does not exist`);
  refuseUp(monitor, osd, `osd.${osd} is not \`down\`.`);
  if (pendingOsdMap.crush.names.has(osd)) {
    const draft = new CrushDraft(pendingOsdMap.crush);
    removeItem(draft, osd, { unlinkOnly: false });
    setPendingCrush(monitor, draft.finish());
  }
  const isDestroyed = (pendingOsdMap.state(osd) & OsdState.destroyed) !== 0;
  const keys = isDestroyed ? undefined : destroyKeys(monitor, osd);
  removeFromMap(monitor, osd);
  const [reply] = await Promise.all([committed(monitor, `purged osd.${osd}`), keys]);
  return reply;
}

async function remove({ args, monitor }: CommandContext): Promise<CommandReply> {
  let message = '';
  let errno = 0;
  let isChanged = false;
  for (const word of args.list('ids')) {
    const osd = parseOsdId(word);
    if (typeof osd !== 'number') {
      message += `${osd.error}invalid osd id-1`;
      errno = OsdErrno.EINVAL;
    } else if (!monitor.pendingOsdMap.exists(osd)) {
      message += `osd.${osd} does not exist. `;
    } else if (monitor.pendingOsdMap.isUp(osd)) {
      message += `${isChanged ? ', ' : ''}osd.${osd} is still up; must be down before removal. `;
      errno = OsdErrno.EBUSY;
    } else {
      removeFromMap(monitor, osd);
      message += isChanged ? `, osd.${osd}` : `removed osd.${osd}`;
      isChanged = true;
    }
  }
  await (isChanged ? committed(monitor, message) : settled(monitor, message));
  return { result: errno === 0 ? 0 : -errno, message };
}

function removeFromMap({ pendingOsdMap }: MonitorState, osd: number): void {
  pendingOsdMap.changeState(osd, 0, -1);
  pendingOsdMap.change.newUuid.set(osd, Uuid.zero);
}

/**
 * What is pending of it changes at once; resolves when the rest is durable.
 *
 * Keys of the OSD, of the lockbox that opens its encrypted disk, and what that disk is opened with.
 */
async function destroyKeys(monitor: MonitorState, osd: number): Promise<void> {
  const uuid = monitor.pendingOsdMap.uuid(osd);
  monitor.auth.delete(EntityAuthName.parse(`osd.${osd}`));
  monitor.auth.delete(lockboxName(uuid));
  const prefixes = [`dm-crypt/osd/${uuid}/`, `daemon-private/osd.${osd}/`];
  const keys = monitor.config.keys().filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
  await Promise.all(keys.map((key) => monitor.config.setKey(key, undefined)));
}

export function lockboxName(uuid: Uuid): EntityAuthName {
  return EntityAuthName.parse(`client.osd-lockbox.${uuid}`);
}
