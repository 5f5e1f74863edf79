/**
 * Which connection modes and authentication methods the options allow between two kinds of entities, most
 * wanted first. As in Ceph it depends on who this side is and who the peer is, not on who dialled:
 *
 *      this side      peer           modes                   methods
 *      client         mon, mgr       ms_mon_client_mode      auth_client_required
 *      client         others         ms_client_mode          auth_client_required
 *      mon, mgr       mon, mgr       ms_mon_cluster_mode     auth_cluster_required
 *      mon, mgr       others         ms_mon_service_mode     auth_service_required
 *      osd, mds       mon, mgr       ms_mon_cluster_mode     auth_cluster_required
 *      osd, mds       osd, mds       ms_cluster_mode         auth_cluster_required
 *      osd, mds       others         ms_service_mode         auth_service_required
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { OptionName, Options } from '../options.ts';
import { EntityType } from '../wire/entity-name.ts';
import { AuthMethod, ConnectionMode } from './auth.ts';

interface Rule {
  readonly modes: OptionName;
  readonly methods: OptionName;
}

function ruleFor(myType: number, peerType: number): Rule {
  const isPeerMon = peerType === EntityType.Mon || peerType === EntityType.Mgr;
  switch (myType) {
    case EntityType.Client:
      return {
        modes: isPeerMon ? 'ms_mon_client_mode' : 'ms_client_mode',
        methods: 'auth_client_required',
      };
    case EntityType.Mon:
    case EntityType.Mgr:
      return isPeerMon
        ? { modes: 'ms_mon_cluster_mode', methods: 'auth_cluster_required' }
        : { modes: 'ms_mon_service_mode', methods: 'auth_service_required' };
    default:
      if (isPeerMon) return { modes: 'ms_mon_cluster_mode', methods: 'auth_cluster_required' };
      return peerType === EntityType.Osd || peerType === EntityType.Mds
        ? { modes: 'ms_cluster_mode', methods: 'auth_cluster_required' }
        : { modes: 'ms_service_mode', methods: 'auth_service_required' };
  }
}

const modeNames: Readonly<Record<string, ConnectionMode>> = {
  crc: ConnectionMode.Crc,
  secure: ConnectionMode.Secure,
};
const methodNames: Readonly<Record<string, AuthMethod>> = {
  none: AuthMethod.None,
  cephx: AuthMethod.Cephx,
};

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when the option names no mode, or one that is not known. */
export function connectionModes(options: Options, myType: number, peerType: number): ConnectionMode[] {
  return parseNames(options, ruleFor(myType, peerType).modes, modeNames);
}

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when the option names no method, or one that is not known. */
export function authMethods(options: Options, myType: number, peerType: number): AuthMethod[] {
  return parseNames(options, ruleFor(myType, peerType).methods, methodNames);
}

/** The first of the connector's modes that this side allows. */
export function pickConnectionMode(
  preferred: readonly number[],
  allowed: readonly ConnectionMode[],
): ConnectionMode | undefined {
  return preferred.find((mode): mode is ConnectionMode => allowed.includes(mode as ConnectionMode));
}

/** Names apart by blanks, commas or semicolons, as Ceph takes them. */
function parseNames<T>(options: Options, option: OptionName, known: Readonly<Record<string, T>>): T[] {
  const names = String(options[option])
    .split(/[\s,;]+/)
    .filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined || names.length === 0) {
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `option ${option} takes a list of ${Object.keys(known).join(', ')}, not ${JSON.stringify(options[option])}`,
    );
  }
  return [...new Set(names.map((name) => known[name]!))];
}
