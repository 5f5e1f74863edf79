/**
 * What one OSD sees of the others, as its admin socket tells it. An OSD of ours tells states; Ceph's own
 * tells ping times only (`dump_osd_network 0`), so a peer that it does not mention is not known to be down.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { askAdminSocket } from '../../osd/admin/admin-client.ts';
import { LinkState } from '../../osd/heartbeat/link-state.ts';
import { type NetworkName, networkNames } from '../../osd/heartbeat/network-protocol.ts';

/** One peer over one network. */
export interface Sight {
  readonly state: LinkState;
  readonly reason: string;
  readonly lastRttMs: number;
  /** Undefined when never, or when it is not told. */
  readonly lastHeardMs: number | undefined;
}

/** A NIC that stands out, as the OSD that sees it says it. */
export interface SeenFault {
  readonly network: NetworkName;
  readonly owner: number;
  readonly state: LinkState;
  readonly separated: readonly number[];
  readonly reason: string;
}

export interface Observation {
  readonly osd: number;
  readonly state: string;
  readonly epoch: number;
  readonly sights: ReadonlyMap<number, Readonly<Partial<Record<NetworkName, Sight>>>>;
  readonly faults: readonly SeenFault[];
  /** Failures of others that it reported to the monitor, ever; undefined when it does not tell. */
  readonly failuresReported: number | undefined;
}

interface PeersAnswer {
  peers: {
    osd: number;
    networks: Partial<
      Record<
        NetworkName,
        { state: LinkState; reason: string; last_rtt_ms: number; last_heard_ms?: number | null }
      >
    >;
  }[];
  faults: SeenFault[];
  reports: { failures: number };
}

interface NetworkAnswer {
  entries: { 'from osd': number; 'to osd': number; interface: string; stale: boolean; last: number }[];
}

/** @throws MsgrError when nobody answers at the path, or not as an OSD does. */
export async function observe(path: string): Promise<Observation> {
  const status = parsed(path, await askAdminSocket(path, { prefix: 'status' })) as {
    whoami: number;
    state: string;
    newest_map: number;
  };
  if (typeof status.whoami !== 'number') {
    throw new MsgrError(ErrorCode.Malformed, `the admin socket ${path} is not an OSD's`, { field: 'whoami' });
  }
  const own = await askAdminSocket(path, { prefix: 'dump_heartbeat_peers' });
  const seen = own.startsWith('ERROR')
    ? sightsOfCeph(await askNetwork(path), status.whoami)
    : sightsOfOurs(parsed(path, own) as PeersAnswer);
  return { osd: status.whoami, state: status.state, epoch: status.newest_map, ...seen };
}

async function askNetwork(path: string): Promise<NetworkAnswer> {
  const answer = await askAdminSocket(path, { prefix: 'dump_osd_network', value: 0 });
  return parsed(path, answer) as NetworkAnswer;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MsgrError(
      ErrorCode.Malformed,
      `the admin socket ${path} answers: ${text.trim().slice(0, 200)}`,
      {
        cause,
      },
    );
  }
}

type Seen = Pick<Observation, 'sights' | 'faults' | 'failuresReported'>;

function sightsOfOurs({ faults, peers, reports }: PeersAnswer): Seen {
  const sights = new Map<number, Partial<Record<NetworkName, Sight>>>();
  for (const { networks, osd } of peers) {
    const entries = Object.entries(networks).map(([network, link]): [string, Sight] => [
      network,
      {
        state: link.state,
        reason: link.reason,
        lastRttMs: link.last_rtt_ms,
        lastHeardMs: link.last_heard_ms ?? undefined,
      },
    ]);
    sights.set(osd, Object.fromEntries(entries));
  }
  return { sights, faults, failuresReported: reports.failures };
}

function sightsOfCeph({ entries }: NetworkAnswer, whoami: number): Seen {
  const sights = new Map<number, Partial<Record<NetworkName, Sight>>>();
  for (const entry of entries) {
    const network = networkNames.find((name) => name === entry.interface);
    if (network === undefined || entry['from osd'] !== whoami) continue;
    const sight: Sight = {
      state: entry.stale ? LinkState.unknown : LinkState.up,
      reason: entry.stale ? 'its last ping time is old' : '',
      lastRttMs: entry.last,
      lastHeardMs: undefined,
    };
    sights.set(entry['to osd'], { ...sights.get(entry['to osd']), [network]: sight });
  }
  return { sights, faults: [], failuresReported: undefined };
}
