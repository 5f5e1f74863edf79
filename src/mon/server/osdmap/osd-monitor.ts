/**
 * The OSDMap's service: it takes what OSDs say of themselves and of each other, applies the rules of this
 * folder to it, and makes the next epoch. Each rule has a file of its own; this one connects them to the
 * store, to the messages and to time.
 *
 * ```
 *   message ──► rule ──► Outcome ──► pending epoch ──► propose: seal ──► durable ──► committed
 *      ▲                                                                                │
 *      └──── tried again, answered, or sent maps ◄──────────────────────────────────────┘
 * ```
 * Whoever hands in a message has checked that its session has `osd x`; from whom it is and which
 * incarnation is meant is checked here.
 */
import type { OSDMap } from '../../../maps/osdmap.ts';
import { isUp, osdExists } from '../../../maps/osdmap.ts';
import { Placement } from '../../../maps/placement.ts';
import { Message } from '../../../messenger/message.ts';
import { EntityType } from '../../../wire/entity-name.ts';
import { LogPriority } from '../../../wire/log-entry.ts';
import { MMonGetPurgedSnaps } from '../../../wire/messages/m-mon-get-purged-snaps.ts';
import { MMonGetPurgedSnapsReply } from '../../../wire/messages/m-mon-get-purged-snaps-reply.ts';
import { MOSDAlive } from '../../../wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreated } from '../../../wire/messages/m-osd-pg-created.ts';
import { MOSDPGTemp } from '../../../wire/messages/m-osd-pg-temp.ts';
import type { MessageType } from '../../../wire/messages/registry.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import { LastEpochClean } from '../last-epoch-clean.ts';
import type { MonitorState } from '../monitor-state.ts';
import type { MonService } from '../service.ts';
import type { MonOp, MonSession } from '../session.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { isActive } from './active.ts';
import { Beacons } from './beacons.ts';
import { expireBlocklist } from './blocklist.ts';
import { boot } from './boot.ts';
import { CreatingPgs } from './creating-pgs.ts';
import { DownOut } from './down-out.ts';
import { checkFailures, type FailureContext, reportFailure } from './failure.ts';
import { FailureReports } from './failure-reports.ts';
import { full } from './full.ts';
import { markMeDead, markMeDown } from './mark-me.ts';
import { OsdMapEpochs } from './osd-map-epochs.ts';
import { OsdMetadata } from './osd-metadata.ts';
import type { OsdSender, Outcome } from './outcome.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';
import { PgCreates } from './pg-creates.ts';
import { pgTemp } from './pg-temp.ts';
import { seal } from './seal.ts';
import { trimTo } from './trim.ts';
import { alive } from './up-thru.ts';

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

const creatingPrefix = 'osd_pg_creating';
const creatingKey = 'creating';

interface Rule {
  readonly type: MessageType<unknown>;
  handle(op: MonOp<unknown>, sender: OsdSender): void;
}

function rule<Body>(
  type: MessageType<Body>,
  handle: (op: MonOp<Body>, sender: OsdSender) => void,
): readonly [number, Rule] {
  return [type.type, { type: type as MessageType<unknown>, handle: handle as Rule['handle'] }];
}

export class OsdMonitor implements MonService {
  readonly name = 'osdmap';
  readonly #monitor: MonitorState;
  readonly #maps: OsdMapDistributor;
  readonly #epochs: OsdMapEpochs;
  readonly #metadata: OsdMetadata;
  readonly #reports = new FailureReports();
  readonly #beacons = new Beacons();
  readonly #downOut = new DownOut();
  readonly #lastEpochClean = new LastEpochClean();
  readonly #pgCreates = new PgCreates();
  readonly #rules: ReadonlyMap<number, Rule>;
  /** Goes with the pending epoch's base; `#isCreatingChanged` when it differs from what the store has. */
  #creating: CreatingPgs;
  #isCreatingChanged = false;
  /** The epoch that is to become the oldest with the next proposal. */
  #trimTo: number | undefined;
  #placement: Placement | undefined;

  private constructor(init: OsdMonitorInit, epochs: OsdMapEpochs) {
    this.#monitor = init.monitor;
    this.#maps = init.maps;
    this.#epochs = epochs;
    this.#metadata = new OsdMetadata(init.store);
    const creating = init.store.get(creatingPrefix, creatingKey);
    this.#creating = creating === undefined ? CreatingPgs.none : CreatingPgs.decode(creating);
    const nowMs = init.monitor.clock.nowMs();
    this.#downOut.mapChanged(epochs.committed, nowMs);
    this.#pgCreates.update(epochs.committed, this.#creating);
    this.#rules = this.#makeRules();
  }

  /** @throws MsgrError ERR_MSGR_STORE when the store has no osdmap. */
  static open(init: OsdMonitorInit): OsdMonitor {
    return new OsdMonitor(init, new OsdMapEpochs(init.store));
  }

  // ── State ──────────────────────────────────────────────────────────────────────────────────────

  get map(): OSDMap {
    return this.#epochs.committed;
  }

  get pending(): PendingOsdMap {
    return this.#epochs.pending;
  }

  get firstCommitted(): number {
    return this.#epochs.firstCommitted;
  }

  get lastCommitted(): number {
    return this.#epochs.lastCommitted;
  }

  /** An epoch's encoding as it was committed; undefined when it was trimmed or is yet to come. */
  fullMap(epoch: number): Uint8Array | undefined {
    return this.#epochs.fullBytes(epoch);
  }

  incrementalMap(epoch: number): Uint8Array | undefined {
    return this.#epochs.incrementalBytes(epoch);
  }

  /** What an OSD said of itself when it booted; undefined when it never did, or was removed. */
  metadata(osd: number): ReadonlyMap<string, string> | undefined {
    return this.#metadata.of(osd);
  }

  /**
   * What the subscription `osd_pg_creates` of an OSD gets: placement groups to create since epoch `next`, and
   * the epoch that it is to ask for then. An OSD that is not up yet gets them once it is.
   */
  pgCreates(osd: number, next: number): { readonly message: Message | undefined; readonly next: number } {
    return isUp(this.map, osd) ? this.#pgCreates.of(osd, next) : { message: undefined, next };
  }

  // ── As a service ───────────────────────────────────────────────────────────────────────────────

  get hasPending(): boolean {
    return this.pending.isTouched || this.#isCreatingChanged || this.#trimTo !== undefined;
  }

  propose(transaction: StoreTransaction): () => void {
    const apply = this.pending.isTouched ? this.#proposeEpoch(transaction) : () => {};
    if (this.#isCreatingChanged) {
      transaction.put(creatingPrefix, creatingKey, this.#creating.encode());
      this.#isCreatingChanged = false;
    }
    if (this.#trimTo !== undefined) {
      this.#epochs.trim(transaction, this.#trimTo);
      this.#trimTo = undefined;
    }
    return apply;
  }

  #proposeEpoch(transaction: StoreTransaction): () => void {
    const wallMs = this.#monitor.wallMs();
    const { pending } = this;
    const before = this.#creating;
    this.#creating = seal(pending, {
      modified: utimeFromMs(wallMs),
      options: this.#monitor.options,
      creating: before,
    });
    if (this.#creating !== before) this.#isCreatingChanged = true;
    const { base, change } = pending;
    for (const osd of change.newState.keys()) {
      if (osdExists(base, osd) && !pending.exists(osd)) this.#metadata.remove(transaction, osd);
    }
    this.#metadata.propose(transaction);
    const creating = this.#creating;
    const commit = this.#epochs.propose(transaction, wallMs);
    return () => {
      const previous = this.map;
      commit();
      for (const [osd, addrs] of change.newUpClient) this.#monitor.log.info(`osd.${osd} ${addrs} boot`);
      this.#committed(previous, creating);
    };
  }

  /** Before subscribers are told of the new map. */
  #committed(previous: OSDMap, creating: CreatingPgs): void {
    const { map } = this;
    this.#placement = undefined;
    this.#beacons.forgetChanged(previous, map);
    this.#lastEpochClean.forget(map);
    this.#downOut.mapChanged(map, this.#monitor.clock.nowMs());
    this.#pgCreates.update(map, creating);
    for (const target of this.#reports.targets()) {
      if (isUp(map, target)) continue;
      for (const { session, epoch } of this.#reports.take(target).values()) this.#sendMaps(session, epoch);
    }
  }

  tick(): void {
    const nowMs = this.#monitor.clock.nowMs();
    const context = { pending: this.pending, options: this.#monitor.options };
    const tell = (text: string): void => this.#monitor.log.info(text);
    this.#beacons.check(context, nowMs, tell);
    checkFailures(this.#failureContext());
    this.#downOut.check(context, nowMs, tell);
    expireBlocklist(this.pending, this.#monitor.wallMs());
    if (this.#creating.size === 0) {
      const { map, firstCommitted, lastCommitted } = this;
      const neededFrom = this.#lastEpochClean.floor(map);
      this.#trimTo = trimTo({ firstCommitted, lastCommitted, neededFrom }, context.options);
    }
    if (this.hasPending) void this.#monitor.propose();
  }

  // ── Messages ───────────────────────────────────────────────────────────────────────────────────

  /** Types that {@link dispatch} takes. */
  handles(type: number): boolean {
    return this.#rules.has(type);
  }

  /** Never throws for what a peer says; what is refused is not answered, as in Ceph. */
  dispatch(op: MonOp<unknown>): void {
    const { entity, addrs } = op.session;
    const osd = Number(entity.id);
    if (entity.type !== EntityType.Osd || !/^\d{1,9}$/.test(entity.id)) return;
    const rule = this.#rules.get(op.message.type);
    if (rule === undefined) return;
    const { message, session } = op;
    const reply = (answer: Message): void => op.reply(answer);
    rule.handle({ message, session, reply, body: message.as(rule.type) }, { osd, addrs });
  }

  #makeRules(): ReadonlyMap<number, Rule> {
    const tell = (text: string): void => this.#monitor.log.info(text);
    const identity = () => ({
      pending: this.pending,
      options: this.#monitor.options,
      fsid: this.#monitor.fsid,
      now: utimeFromMs(this.#monitor.wallMs()),
    });
    return new Map([
      rule(MOSDBoot, (op, sender) => this.#boot(op, sender, boot(identity(), sender, op.body, tell))),
      rule(MOSDAlive, (op, sender) => this.#finish(op, alive(this.pending, sender, op.body))),
      rule(MOSDBeacon, (op, sender) => this.#beacon(op, sender)),
      rule(MOSDFull, (op, sender) => this.#finish(op, full(this.pending, sender, op.body))),
      rule(MOSDPGTemp, (op, sender) => this.#finish(op, this.#pgTemp(op.body, sender))),
      rule(MOSDPGCreated, (op, sender) => this.#pgCreated(op.body, sender)),
      rule(MOSDFailure, (op, sender) => this.#failure(op, sender)),
      rule(MOSDMarkMeDown, (op, sender) => {
        this.#finish(op, markMeDown(identity(), sender, op.body, tell), () => acknowledgeDown(op));
      }),
      rule(MOSDMarkMeDead, (op, sender) => {
        this.#finish(op, markMeDead(identity(), sender, op.body, tell));
      }),
      rule(MMonGetPurgedSnaps, (op) => answerPurgedSnaps(op)),
    ]);
  }

  /**
   * What a rule decided, and `then` once it is true: after the commit, or at once when nothing has to change.
   * A rule that found it so in a map that is still on its way to the disk is as good as one that changed it.
   */
  #finish(op: MonOp<unknown>, outcome: Outcome, then?: () => void): void {
    const { session } = op;
    const { mapsFrom } = outcome;
    const answer = (): void => {
      if (session.isClosed) return;
      if (outcome.kind === 'pending' && outcome.retry === true) {
        this.dispatch(op);
        return;
      }
      then?.();
      if (mapsFrom !== undefined) this.#sendMaps(session, mapsFrom);
    };
    if (outcome.kind === 'done' && this.pending.base === this.map) answer();
    else if (outcome.kind === 'pending' || mapsFrom !== undefined || then !== undefined) {
      void this.#monitor.propose().then(answer);
    }
  }

  #boot(op: MonOp<MOSDBoot>, { osd }: OsdSender, outcome: Outcome): void {
    if (outcome.kind === 'pending' && outcome.retry !== true) this.#metadata.set(osd, op.body.metadata);
    this.#finish(op, outcome);
  }

  #beacon(op: MonOp<MOSDBeacon>, sender: OsdSender): void {
    const { body } = op;
    this.#finish(op, this.#beacons.handle(this.pending, sender, body, this.#monitor.clock.nowMs()));
    if (!isActive(this.map, sender)) return;
    const epoch = Number(body.paxosVersion ?? 0n);
    this.#lastEpochClean.beacon(this.map, sender.osd, epoch, body.pgs, body.minLastEpochClean);
  }

  #pgTemp(body: MOSDPGTemp, sender: OsdSender): Outcome {
    // Placement is derived from a map once: every primary asks in the epoch after a change.
    const { pending } = this;
    if (this.#placement?.map !== pending.base) this.#placement = new Placement(pending.base);
    return pgTemp(pending, this.#placement, sender, body);
  }

  #pgCreated({ pgid }: MOSDPGCreated, sender: OsdSender): void {
    if (!isActive(this.map, sender)) return;
    const before = this.#creating;
    this.#creating = before.created({ pool: Number(pgid.pool), seed: pgid.seed });
    if (this.#creating === before) return;
    this.#isCreatingChanged = true;
    // The pool is whole, or there is room for groups that wait: either shows in a map.
    if (this.#creating.hasQueue || !this.#creating.isCreating(Number(pgid.pool))) this.pending.touch();
    void this.#monitor.propose();
  }

  #failure(op: MonOp<MOSDFailure>, sender: OsdSender): void {
    const outcome = reportFailure(this.#failureContext(), { ...sender, session: op.session }, op.body);
    // Reporters are sent the map in which the target is down: see #committed.
    if (outcome.kind === 'pending') void this.#monitor.propose();
    else this.#finish(op, outcome);
  }

  #failureContext(): FailureContext {
    const { options, fsid, clock, log } = this.#monitor;
    return {
      pending: this.pending,
      options,
      fsid,
      reports: this.#reports,
      nowMs: clock.nowMs(),
      wallMs: this.#monitor.wallMs(),
      tell: (text, isDebug = false) =>
        log.log('cluster', isDebug ? LogPriority.Debug : LogPriority.Info, text),
    };
  }

  #sendMaps(session: MonSession, first: number): void {
    if (!session.isClosed) this.#maps.sendOsdMaps(session, first);
  }
}

/** The same message, which asks for no answer itself. */
function acknowledgeDown(op: MonOp<MOSDMarkMeDown>): void {
  if (op.body.requestAck) op.reply(Message.of(MOSDMarkMeDown, { ...op.body, requestAck: false }));
}

/** Snapshots are purged by a manager, which there is none of: nothing ever was. */
function answerPurgedSnaps({ body: { start, last }, reply }: MonOp<MMonGetPurgedSnaps>): void {
  reply(Message.of(MMonGetPurgedSnapsReply, { start, last, purgedSnaps: new Map() }));
}
