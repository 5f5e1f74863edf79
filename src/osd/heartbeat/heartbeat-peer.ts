/**
 * One heartbeat peer on the main side: what its networks told last, put together as Ceph's HeartbeatInfo.
 *
 * Ceph keeps one history whose entries need both networks' answers; here each network keeps its own, and the
 * peer is unhealthy when either one's oldest deadline is past. One silent side is enough in both.
 */
import { type LinkFacts, type LinkState, LinkState as State, type Verdict } from './link-state.ts';
import { type NetworkName, networkNames, PeerField } from './network-protocol.ts';

export interface PeerLink {
  /** The row told last; undefined before the first. */
  row: Float64Array | undefined;
  /** When that was so. */
  atMs: number;
  state: LinkState;
  reason: string;
  sinceMs: number;
}

export class HeartbeatPeer {
  readonly osd: number;
  readonly upFrom: number;
  /** Without `front` where the map has no front address of it. */
  readonly links = new Map<NetworkName, PeerLink>();

  constructor(osd: number, upFrom: number, networks: Iterable<NetworkName>, nowMs: number) {
    this.osd = osd;
    this.upFrom = upFrom;
    for (const network of networks) {
      this.links.set(network, {
        row: undefined,
        atMs: 0,
        state: State.unknown,
        reason: 'not pinged yet',
        sinceMs: nowMs,
      });
    }
  }

  /** A row of this incarnation; another's is not taken. */
  take(network: NetworkName, row: Float64Array, atMs: number): boolean {
    const link = this.links.get(network);
    if (link === undefined || row[PeerField.upFrom] !== this.upFrom) return false;
    link.row = row;
    link.atMs = atMs;
    return true;
  }

  /** Nothing is known of it there any more: its network's thread was replaced. */
  clear(network: NetworkName): void {
    const link = this.links.get(network);
    if (link !== undefined) link.row = undefined;
  }

  get isUnhealthy(): boolean {
    return this.#some((row) => row[PeerField.isUnhealthy] === 1);
  }

  get isHealthy(): boolean {
    if (this.isUnhealthy) return false;
    return [...this.links.values()].every(({ row }) => row !== undefined && row[PeerField.lastRx] !== 0);
  }

  /** Its answer has been owed since before that time. */
  owesSince(ms: number): boolean {
    return this.#some((row) => row[PeerField.oldestTx] !== 0 && row[PeerField.oldestTx]! <= ms);
  }

  /** Its oldest deadline is that long past. */
  isStale(ms: number): boolean {
    return this.#some((row) => row[PeerField.oldestDeadline] !== 0 && row[PeerField.oldestDeadline]! <= ms);
  }

  /** One of its networks has never heard it. */
  get isNeverHeard(): boolean {
    return this.#some((row) => row[PeerField.firstTx] !== 0 && row[PeerField.lastRx] === 0);
  }

  /** Since when it fails: the first ping when a side was never heard, else the older of the last answers. */
  failedSinceMs(): number {
    const rows = [...this.links.values()].flatMap(({ row }) => (row === undefined ? [] : [row]));
    const field = this.isNeverHeard ? PeerField.firstTx : PeerField.lastRx;
    return Math.min(...rows.map((row) => row[field]!).filter((ms) => ms !== 0));
  }

  lastRxMs(network: NetworkName): number {
    return this.links.get(network)?.row?.[PeerField.lastRx] ?? 0;
  }

  firstTxMs(): number {
    const all = networkNames.map((network) => this.links.get(network)?.row?.[PeerField.firstTx] ?? 0);
    return Math.min(...all.filter((ms) => ms !== 0));
  }

  oldestDeadlineMs(): number {
    const all = networkNames.map((network) => this.links.get(network)?.row?.[PeerField.oldestDeadline] ?? 0);
    return Math.min(...all.filter((ms) => ms !== 0));
  }

  facts(network: NetworkName): LinkFacts | undefined {
    const row = this.links.get(network)?.row;
    return row && factsOf(row);
  }

  /** Answers the state before when it changed. */
  judge(network: NetworkName, { state, reason }: Verdict, nowMs: number): LinkState | undefined {
    const link = this.links.get(network)!;
    link.reason = reason;
    if (link.state === state) return undefined;
    const before = link.state;
    link.state = state;
    link.sinceMs = nowMs;
    return before;
  }

  #some(isSo: (row: Float64Array) => boolean): boolean {
    for (const { row } of this.links.values()) if (row !== undefined && isSo(row)) return true;
    return false;
  }
}

export function factsOf(row: Float64Array): LinkFacts {
  return {
    firstTx: row[PeerField.firstTx]!,
    lastRx: row[PeerField.lastRx]!,
    oldestTx: row[PeerField.oldestTx]!,
    lastPingIn: row[PeerField.lastPingIn]!,
    lastRttMs: row[PeerField.lastRttMs]!,
    missed: row[PeerField.missed]!,
    isConnected: row[PeerField.isConnected] === 1,
  };
}
