/** OSDs that begin: an id for a disk's uuid, and with it the keys that its daemon authenticates with. */
import { CryptoKey } from '../../../../auth/cephx/crypto-key.ts';
import type { EntityAuth } from '../../../../auth/keyring.ts';
import { MsgrError } from '../../../../errors.ts';
import { CrushDraft } from '../../../../maps/crush/edit.ts';
import { setDeviceClass } from '../../../../maps/crush/edit-classes.ts';
import { osdIn } from '../../../../maps/osdmap.ts';
import { OsdState } from '../../../../maps/states.ts';
import { EntityAuthName } from '../../../../wire/entity-name.ts';
import { Uuid } from '../../../../wire/uuid.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { setPendingCrush } from '../crush/pending-crush.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { lockboxName } from './osd-remove.ts';
import { committed, OsdErrno, refusal, settled } from './shared.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const id = 'name=id,type=CephOsdName,req=false';

export const osdNewCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd new name=uuid,type=CephUUID,req=true ${id}`,
    help: 'an OSD for the disk with this uuid, with the secrets of -i FILE (JSON)',
    run: newOsd,
  },
  {
    ...shared,
    signature: `osd create name=uuid,type=CephUUID,req=false ${id}`,
    help: 'an OSD without secrets; osd new is better',
    flags: 4,
    run: createOsd,
  },
];

interface Secrets {
  readonly cephx: CryptoKey | undefined;
  readonly lockbox: CryptoKey | undefined;
  readonly dmCryptKey: string | undefined;
  readonly deviceClass: string | undefined;
}

async function newOsd(context: CommandContext): Promise<CommandReply> {
  const { args, input, monitor } = context;
  const uuid = Uuid.parse(args.text('uuid')!);
  const secrets = readSecrets(input);
  const wanted = args.number('id');
  const known = osdOfUuid(monitor, uuid);
  if (known !== undefined) {
    if (wanted !== undefined && wanted !== known) {
      throw refusal(OsdErrno.EEXIST, `uuid ${uuid} already in use for different id ${known}`);
    }
    // Told twice: the same answer, once what made it so is durable.
    await settled(monitor, '');
    return idAnswer(context, known, 'osdid');
  }
  if (wanted !== undefined && monitor.pendingOsdMap.exists(wanted)) {
    const isDestroyed = (monitor.pendingOsdMap.state(wanted) & OsdState.destroyed) !== 0;
    if (!isDestroyed) {
      throw refusal(OsdErrno.EINVAL, `id ${wanted} already in use and does not match uuid ${uuid}`);
    }
  }
  const osd = wanted ?? freeId(monitor);
  checkKeys(monitor, osd, uuid, secrets);
  // All of it in one turn: whoever asks meanwhile must not be given the same id.
  addOsd(monitor, osd, uuid, secrets.deviceClass);
  await Promise.all([setKeys(monitor, osd, uuid, secrets), committed(monitor, '')]);
  return idAnswer(context, osd, 'osdid');
}

async function createOsd(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const text = args.text('uuid');
  const uuid = text === undefined ? Uuid.zero : Uuid.parse(text);
  const wanted = args.number('id');
  const known = uuid.isZero ? undefined : osdOfUuid(monitor, uuid);
  if (known !== undefined) {
    if (wanted !== undefined && wanted !== known) {
      throw refusal(OsdErrno.EEXIST, `uuid ${uuid} already in use for different id ${known}`);
    }
    await settled(monitor, '');
    return idAnswer(context, known, 'osdid');
  }
  if (wanted !== undefined && monitor.pendingOsdMap.exists(wanted)) {
    throw refusal(OsdErrno.EINVAL, `id ${wanted} already in use and does not match uuid ${uuid}`);
  }
  const osd = wanted ?? freeId(monitor);
  addOsd(monitor, osd, uuid, undefined);
  await committed(monitor, '');
  return idAnswer(context, osd, 'osdid');
}

function idAnswer({ format }: CommandContext, osd: number, field: string): CommandReply {
  return answer(isJson(format) ? formatJson({ [field]: osd }, format) : `${osd}\n`);
}

function osdOfUuid({ pendingOsdMap }: MonitorState, uuid: Uuid): number | undefined {
  for (let osd = 0; osd < pendingOsdMap.maxOsd; osd++) {
    if (pendingOsdMap.exists(osd) && pendingOsdMap.uuid(osd).equals(uuid)) return osd;
  }
  return undefined;
}

/** The lowest that is not taken. */
function freeId({ pendingOsdMap }: MonitorState): number {
  let osd = 0;
  while (osd < pendingOsdMap.maxOsd && pendingOsdMap.exists(osd)) osd++;
  return osd;
}

function addOsd(monitor: MonitorState, osd: number, uuid: Uuid, deviceClass: string | undefined): void {
  const { pendingOsdMap } = monitor;
  if (osd >= monitor.options.mon_max_osd) {
    throw refusal(OsdErrno.ERANGE, `id ${osd} is beyond mon_max_osd ${monitor.options.mon_max_osd}`);
  }
  if (osd >= pendingOsdMap.maxOsd) pendingOsdMap.change.newMaxOsd = osd + 1;
  if (deviceClass !== undefined) {
    const draft = new CrushDraft(pendingOsdMap.crush);
    if (!draft.names.has(osd)) draft.setName(osd, `osd.${osd}`);
    // A disk that takes a destroyed one's place does not change the class that an operator may have given.
    if (!draft.classes.has(osd)) setDeviceClass(draft, osd, deviceClass);
    setPendingCrush(monitor, draft.finish());
  }
  pendingOsdMap.setWeight(osd, osdIn);
  pendingOsdMap.changeState(osd, OsdState.exists | OsdState.new, OsdState.destroyed);
  if (!uuid.isZero) pendingOsdMap.change.newUuid.set(osd, uuid);
}

/** @throws MsgrError that does not show any secret */
function readSecrets(input: Uint8Array): Secrets {
  if (input.byteLength === 0) {
    return { cephx: undefined, lockbox: undefined, dmCryptKey: undefined, deviceClass: undefined };
  }
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(input).toString('utf8'));
  } catch {
    throw refusal(OsdErrno.EINVAL, 'the secrets are not JSON');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw refusal(OsdErrno.EINVAL, 'the secrets must be a JSON object');
  }
  const text = (name: string): string | undefined => {
    const value = (fields as Record<string, unknown>)[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw refusal(OsdErrno.EINVAL, `${name} of the secrets is no text`);
    return value;
  };
  const key = (name: string, shown: string): CryptoKey | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    try {
      return CryptoKey.parse(value);
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      throw refusal(OsdErrno.EINVAL, `invalid ${shown} secret.`);
    }
  };
  const secrets = {
    cephx: key('cephx_secret', 'cephx'),
    lockbox: key('cephx_lockbox_secret', 'cephx lockbox'),
    dmCryptKey: text('dmcrypt_key'),
    deviceClass: text('crush_device_class'),
  };
  if (secrets.cephx === undefined && (secrets.lockbox !== undefined || secrets.dmCryptKey !== undefined)) {
    throw refusal(OsdErrno.EINVAL, 'requires a cephx secret.');
  }
  if ((secrets.lockbox === undefined) !== (secrets.dmCryptKey === undefined)) {
    throw refusal(OsdErrno.EINVAL, 'requires both a cephx lockbox secret and a dm-crypt key.');
  }
  return secrets;
}

function osdAuth(key: CryptoKey): EntityAuth {
  const caps = new Map([
    ['osd', 'allow *'],
    ['mon', 'allow profile osd'],
    ['mgr', 'allow profile osd'],
  ]);
  return { key, caps };
}

/** Where the OSD finds the key of its own encrypted disk. */
function dmCryptPath(uuid: Uuid): string {
  return `dm-crypt/osd/${uuid}/luks`;
}

function lockboxAuth(uuid: Uuid, key: CryptoKey): EntityAuth {
  const command = `allow command "config-key get" with key="${dmCryptPath(uuid)}"`;
  return { key, caps: new Map([['mon', command]]) };
}

/** An entity that is there already must be the same one: this may be a second try. */
function checkKeys(monitor: MonitorState, osd: number, uuid: Uuid, { cephx, lockbox }: Secrets): void {
  const entities = [
    [EntityAuthName.parse(`osd.${osd}`), cephx],
    [lockboxName(uuid), lockbox],
  ] as const;
  for (const [name, key] of entities) {
    const known = key && monitor.auth.pendingEntity(name);
    if (known !== undefined && known.key.toBase64() !== key!.toBase64()) {
      throw refusal(OsdErrno.EEXIST, `entity ${name} exists but key does not match`);
    }
  }
}

/** Resolves when what is kept beside the maps and keys is durable. */
async function setKeys(
  monitor: MonitorState,
  osd: number,
  uuid: Uuid,
  { cephx, dmCryptKey, lockbox }: Secrets,
): Promise<void> {
  if (cephx !== undefined) monitor.auth.set(EntityAuthName.parse(`osd.${osd}`), osdAuth(cephx));
  if (lockbox !== undefined) monitor.auth.set(lockboxName(uuid), lockboxAuth(uuid, lockbox));
  if (dmCryptKey !== undefined) await monitor.config.setKey(dmCryptPath(uuid), Buffer.from(dmCryptKey));
}
