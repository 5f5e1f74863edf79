/**
 * Whom to ping and as whom: from the cluster when the target is `osd.N` or a cluster is named, else from
 * the command line alone.
 */
import type { AuthProvider } from '../../auth/auth.ts';
import type { OSDMap } from '../../maps/osdmap.ts';
import type { Options } from '../../options.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import { EntityName, EntityType } from '../../wire/entity-name.ts';
import { Uuid } from '../../wire/uuid.ts';
import { CliError } from '../cli-error.ts';
import { type OpenCluster, openCluster } from '../cluster/open-cluster.ts';
import type { PingFlags } from './command.ts';
import { type HeartbeatNetwork, heartbeatTargets, parseOsdName, pingAs } from './osd-target.ts';
import { parseTarget } from './target.ts';

export interface PlannedTarget {
  readonly addr: EntityAddr;
  /** Absent when the address was given. */
  readonly network?: HeartbeatNetwork;
}

/** Disposing of it ends what it holds: the session with the monitors, which keeps tickets fresh. */
export interface PingPlan extends AsyncDisposable {
  readonly targets: readonly PlannedTarget[];
  /** What the peer is called before it told its name. */
  readonly peer: string;
  readonly fsid: Uuid;
  readonly epoch: number;
  readonly from: EntityName;
  readonly options: Partial<Options>;
  readonly auth?: AuthProvider;
}

type Identity = Pick<PingPlan, 'fsid' | 'epoch' | 'from'>;

/** @throws CliError */
export async function planPing(target: string, flags: PingFlags): Promise<PingPlan> {
  const osd = parseOsdName(target);
  const addr = osd === undefined ? parseTarget(target) : undefined;
  const given = givenIdentity(flags);
  const namesCluster = flags.conf !== undefined || flags.monHost !== undefined;
  if (addr !== undefined && !namesCluster) {
    return {
      targets: [{ addr }],
      peer: 'osd',
      ...requireIdentity(given),
      options: {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const cluster = await openCluster({ ...flags, option: optionTexts(flags.option) });
  try {
    const map = await currentMap(cluster);
    const networks = flags.network === 'both' ? (['front', 'back'] as const) : [flags.network];
    return {
      targets: addr === undefined ? heartbeatTargets(map, osd!, networks) : [{ addr }],
      peer: osd === undefined ? 'osd' : target,
      ...identityIn(map, osd, { ...ownIdentity(cluster), ...given }),
      options: cluster.config.options,
      auth: cluster.client.auth,
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

function optionTexts(options: Partial<Options> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
}

async function currentMap({ client }: OpenCluster): Promise<OSDMap> {
  for await (const { map } of client.osdMaps()) return map;
  throw new CliError('the monitors sent no OSDMap');
}

function givenIdentity({ epoch, from, fsid }: PingFlags): Partial<Identity> {
  return {
    ...(fsid === undefined ? {} : { fsid: Uuid.parse(fsid) }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(from === undefined ? {} : { from: parseFrom(from) }),
  };
}

/** Who has an OSD's key pings as that OSD: others are not believed to be one. */
function ownIdentity({ config }: OpenCluster): Partial<Identity> {
  const { id, type } = config.name;
  return type === EntityType.Osd && /^\d+$/.test(id) ? { from: EntityName.osd(Number(id)) } : {};
}

function identityIn(map: OSDMap, pinged: number | undefined, given: Partial<Identity>): Identity {
  const from = given.from ?? osdToPingAs(map, pinged);
  return { fsid: map.fsid, epoch: map.epoch, ...given, from };
}

function osdToPingAs(map: OSDMap, pinged: number | undefined): EntityName {
  const osd = pingAs(map, pinged);
  if (osd === undefined) {
    throw new CliError(
      `no OSD is up in the cluster's osdmap (epoch ${map.epoch}): name one to ping as with --from`,
    );
  }
  return EntityName.osd(osd);
}

function parseFrom(text: string): EntityName {
  const name = EntityName.parse(text);
  if (name.type !== EntityType.Osd || name.num < 0n) {
    throw new CliError(`--from ${text}: heartbeats come from an OSD, such as osd.1`, { exitCode: 2 });
  }
  return name;
}

/** Without a cluster all of it must be on the command line. */
function requireIdentity({ epoch, from, fsid }: Partial<Identity>): Identity {
  if (fsid !== undefined && epoch !== undefined && from !== undefined) return { fsid, epoch, from };
  const missing = Object.entries({ '--fsid': fsid, '--epoch': epoch, '--from': from })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  throw new CliError(
    `${missing.join(', ')} missing: an OSD answers only pings that carry its cluster's fsid, an OSDMap epoch and the id of an OSD. Name the cluster with --conf or --mon-host, or give them, all in the output of 'ceph osd dump'`,
    { exitCode: 2 },
  );
}
