/**
 * The OSDMap's service: it takes what OSDs say of themselves and of each other, applies the rules of this
 * folder to it, and makes the next epoch. Each rule has a file of its own; this one connects them to the
 * store, to the messages and to time.
 *
 * Whoever hands in a message has checked that its session has `osd x`; from whom it is and which
 * incarnation is meant is checked here.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { decodeOsdMap } from '../../../maps/osdmap-codec.ts';
import type { Message } from '../../../messenger/message.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import type { MonitorState } from '../monitor-state.ts';
import type { MonService } from '../service.ts';
import type { MonOp, MonSession } from '../session.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { PendingOsdMap } from './pending-osd-map.ts';

/** Who sends OSDMaps: it knows what each session has. */
export interface OsdMapDistributor {
  /** Epochs from `first` to the latest one, those before the store's oldest as a full map; from 0, the latest one in full. */
  sendOsdMaps(session: MonSession, first: number): void;
}

export interface OsdMonitorInit {
  readonly store: MonStore;
  readonly monitor: MonitorState;
  readonly maps: OsdMapDistributor;
}

const prefix = 'osdmap';

export class OsdMonitor implements MonService {
  readonly name = prefix;
  readonly #store: MonStore;
  readonly #monitor: MonitorState;
  readonly #maps: OsdMapDistributor;
  #map: OSDMap;
  #pending: PendingOsdMap;
  #firstCommitted: number;

  private constructor(init: OsdMonitorInit, map: OSDMap, firstCommitted: number) {
    this.#store = init.store;
    this.#monitor = init.monitor;
    this.#maps = init.maps;
    this.#map = map;
    this.#pending = new PendingOsdMap(map);
    this.#firstCommitted = firstCommitted;
  }

  /**
   * From what the store has; an empty store gets a first map, which is pending until it is proposed.
   * @throws MsgrError ERR_MSGR_STORE when the store lacks the map that it says is the last one.
   */
  static open(init: OsdMonitorInit): OsdMonitor {
    const last = readNumber(init.store, 'last_committed');
    const full = init.store.get(prefix, `full_${last}`);
    if (full === undefined) throw new MsgrError(ErrorCode.Store, `the store has no osdmap ${last}`);
    return new OsdMonitor(init, decodeOsdMap(full), readNumber(init.store, 'first_committed'));
  }

  // ── State ──────────────────────────────────────────────────────────────────────────────────────

  get map(): OSDMap {
    return this.#map;
  }

  get pending(): PendingOsdMap {
    return this.#pending;
  }

  get firstCommitted(): number {
    return this.#firstCommitted;
  }

  get lastCommitted(): number {
    return this.#map.epoch;
  }

  /** An epoch's encoding as it was committed; undefined when it was trimmed or is yet to come. */
  fullMap(epoch: number): Uint8Array | undefined {
    return this.#store.get(prefix, `full_${epoch}`);
  }

  incrementalMap(epoch: number): Uint8Array | undefined {
    return this.#store.get(prefix, String(epoch));
  }

  /** What an OSD said of itself when it booted; undefined when it never did, or was removed. */
  metadata(_osd: number): ReadonlyMap<string, string> | undefined {
    return undefined;
  }

  // ── As a service ───────────────────────────────────────────────────────────────────────────────

  get hasPending(): boolean {
    return this.#pending.isTouched;
  }

  propose(transaction: StoreTransaction): () => void {
    const { map, fullBytes, incrementalBytes } = this.#pending.finish(utimeFromMs(this.#monitor.wallMs()));
    transaction
      .put(prefix, String(map.epoch), incrementalBytes)
      .put(prefix, `full_${map.epoch}`, fullBytes)
      .put(prefix, 'last_committed', encodeNumber(map.epoch));
    this.#pending = new PendingOsdMap(map);
    return () => {
      this.#map = map;
    };
  }

  tick(): void {}

  // ── Messages ───────────────────────────────────────────────────────────────────────────────────

  /** Types that {@link dispatch} takes: boots, failures, alive, beacons and so on. */
  handles(_type: number): boolean {
    return false;
  }

  /** Never throws for what a peer says; what is refused is not answered, as in Ceph. */
  dispatch(op: MonOp<unknown>): void {
    this.#maps.sendOsdMaps(op.session, this.#map.epoch);
  }

  /**
   * What the subscription `osd_pg_creates` of an OSD gets: placement groups to create since epoch `next`, and
   * the epoch that it is to ask for then.
   */
  pgCreates(_osd: number, next: number): { readonly message: Message | undefined; readonly next: number } {
    return { message: undefined, next };
  }
}

function readNumber(store: MonStore, key: string): number {
  const bytes = store.get(prefix, key);
  return bytes === undefined ? 0 : Number(Buffer.from(bytes).readBigUInt64LE());
}

function encodeNumber(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
