/**
 * What the monitor is told about peers (facts 5.9): Ceph's failure_queue and failure_pending.
 *
 *      silent ─► queue ──send──► pending ──heard again──► still alive, forgotten
 *                  ▲                │  ──down in the map──► forgotten
 *                  └──new monitor───┘
 *
 * One report per target and grace, however many symptoms it has: a refused connection on each network, every
 * second anew, and the silence after it are one failure. (In Ceph each refusal is a report of its own: on
 * one reboot 204,002 where 2,194 said it all.)
 */
import type { OSDMap } from '../../maps/osdmap.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { type MOSDFailure, OSDFailureFlag } from '../../wire/messages/m-osd-failure.ts';

interface Pending {
  /** Since when the peer has been silent, monotonic ms. */
  readonly sinceMs: number;
  /** The incarnation that was reported. */
  readonly addrs: EntityAddrVec;
}

export interface FailureCounters {
  reported: number;
  immediate: number;
  cancelled: number;
  suppressed: number;
}

export class FailureReports {
  readonly counters: FailureCounters = { reported: 0, immediate: 0, cancelled: 0, suppressed: 0 };
  readonly #send: (failure: MOSDFailure) => void;
  readonly #queue = new Map<number, number>();
  readonly #pending = new Map<number, Pending>();
  /** When each target was reported last; kept for a grace. */
  readonly #reportedMs = new Map<number, number>();

  constructor(send: (failure: MOSDFailure) => void) {
    this.#send = send;
  }

  get queued(): ReadonlyMap<number, number> {
    return this.#queue;
  }

  isPending(osd: number): boolean {
    return this.#pending.has(osd);
  }

  pendingOsds(): number[] {
    return [...this.#pending.keys()];
  }

  /** heartbeat_check found it silent. */
  queue(osd: number, sinceMs: number): void {
    if (!this.#pending.has(osd)) this.#queue.set(osd, sinceMs);
  }

  /** Ceph's send_failures. */
  sendAll(map: OSDMap, nowMs: number, graceMs: number): void {
    for (const [osd, sinceMs] of this.#queue) {
      if (this.#wasReported(osd, nowMs, graceMs)) continue;
      this.#queue.delete(osd);
      const addrs = map.clientAddrs[osd];
      if (addrs === undefined) continue;
      const failedForSeconds = Math.floor((nowMs - sinceMs) / 1000);
      this.#report(map, osd, addrs, failedForSeconds, OSDFailureFlag.Failed);
      this.#reportedMs.set(osd, nowMs);
      this.#pending.set(osd, { sinceMs, addrs });
      this.counters.reported++;
    }
  }

  /** A refused connection is no inference: failed for longer than the grace, and at once. Answers whether it was sent. */
  sendImmediate(map: OSDMap, osd: number, nowMs: number, graceMs: number): boolean {
    const addrs = map.clientAddrs[osd];
    if (addrs === undefined) return false;
    if (this.#wasReported(osd, nowMs, graceMs)) {
      this.counters.suppressed++;
      return false;
    }
    const failedForSeconds = Math.floor(graceMs / 1000) + 1;
    this.#report(map, osd, addrs, failedForSeconds, OSDFailureFlag.Immediate | OSDFailureFlag.Failed);
    this.#reportedMs.set(osd, nowMs);
    this.counters.immediate++;
    return true;
  }

  /** It answers again: what was said of it is taken back. */
  heard(map: OSDMap, osd: number): void {
    this.#queue.delete(osd);
    this.cancel(map, osd);
  }

  cancel(map: OSDMap, osd: number): void {
    const pending = this.#pending.get(osd);
    if (pending === undefined) return;
    this.#pending.delete(osd);
    this.#report(map, osd, pending.addrs, 0, OSDFailureFlag.Alive);
    this.counters.cancelled++;
  }

  /** Down in the map, or another incarnation: nothing is left to say. */
  forget(osd: number): void {
    this.#queue.delete(osd);
    this.#pending.delete(osd);
    this.#reportedMs.delete(osd);
  }

  /** Of a peer that is chosen anew while it fails: as if nothing had been said. */
  forgetAll(): void {
    this.#queue.clear();
    this.#pending.clear();
    this.#reportedMs.clear();
  }

  /** Another monitor, or the same one anew: it may not know what the last one was told. */
  requeue(): void {
    for (const [osd, { sinceMs }] of this.#pending) {
      this.#queue.set(osd, sinceMs);
    }
    this.#pending.clear();
    this.#reportedMs.clear();
  }

  #wasReported(osd: number, nowMs: number, graceMs: number): boolean {
    const reportedMs = this.#reportedMs.get(osd);
    return reportedMs !== undefined && nowMs - reportedMs < graceMs;
  }

  #report(
    map: OSDMap,
    targetOsd: number,
    targetAddrs: EntityAddrVec,
    failedForSeconds: number,
    flags: number,
  ) {
    const paxosVersion = BigInt(map.epoch);
    this.#send({
      paxosVersion,
      fsid: map.fsid,
      targetOsd,
      targetAddrs,
      epoch: map.epoch,
      failedForSeconds,
      flags,
    });
  }
}
