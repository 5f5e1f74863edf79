/**
 * When reports of a failure mark an OSD down.
 *
 * ```
 *   silence     reports from mon_osd_min_down_reporters failure domains, the latest of them older than the
 *               grace, which is longer for OSDs that were marked down in error before (laggy.ts)
 *   refused     a connection was refused ("immediate"): at once, when a second failure domain has anything
 *               to report too, or when no other domain has an OSD that could
 * ```
 * The second condition of "refused" is ours. Ceph believes a single report, so that one host whose firewall
 * rejects instead of dropping takes a whole cluster down. `mon_osd_immediate_failure_needs_corroboration`
 * = false is Ceph's behaviour.
 */
import { isUp, type OSDMap, osdExists } from '../../../maps/osdmap.ts';
import type { Options } from '../../../options.ts';
import { type MOSDFailure, OSDFailureFlag } from '../../../wire/messages/m-osd-failure.ts';
import type { Uuid } from '../../../wire/uuid.ts';
import type { MonSession } from '../session.ts';
import { crushLocationText, failureDomainOf } from './crush-location.ts';
import type { FailureReports } from './failure-reports.ts';
import { ageSeconds, laggyGraceSeconds } from './laggy.ts';
import { type MarkContext, mayMarkDown } from './may-mark.ts';
import { done, type OsdSender, type Outcome, sameIncarnation } from './outcome.ts';

export interface FailureContext extends MarkContext {
  readonly fsid: Uuid;
  readonly reports: FailureReports;
  /** Monotonic. */
  readonly nowMs: number;
  /** For the age of what the map remembers. */
  readonly wallMs: number;
  /** Says something in the cluster log. */
  tell(text: string, isDebug?: boolean): void;
}

/** A report is kept, or taken back; what follows from it may be pending afterwards. */
export function reportFailure(
  context: FailureContext,
  sender: OsdSender & { readonly session: MonSession },
  message: MOSDFailure,
): Outcome {
  const { pending, reports, tell } = context;
  const map = pending.base;
  const { targetOsd: target, epoch } = message;
  const hasFailed = (message.flags & OSDFailureFlag.Failed) !== 0;
  if (!message.fsid.equals(context.fsid)) return done('it belongs to another cluster');
  if (!osdExists(map, sender.osd) || !sameIncarnation(map.clientAddrs[sender.osd]!, sender.addrs)) {
    return done('the reporter is none of the map', epoch + 1);
  }
  if (!isUp(map, sender.osd) && hasFailed) return done('the reporter is down itself', epoch + 1);
  const news = epoch < map.epoch ? epoch + 1 : undefined;
  if (!isUp(map, target)) return done('it is down', news);
  if (!map.clientAddrs[target]!.equals(message.targetAddrs)) return done('another life is meant', news);
  if (map.osdInfo[target]!.upFrom > epoch) return done('it was up again since', news);
  if (sender.osd === target) return done('an OSD that reports itself is up');

  const before = reports.of(target).get(sender.osd);
  if (!hasFailed) {
    // Heeded whatever the flags say: a report that outlives its cause would strike when nodown is lifted.
    if (before !== undefined) tell(`osd.${target} failure report canceled by osd.${sender.osd}`, true);
    reports.cancel(target, sender.osd);
    return done('taken back');
  }
  if (!mayMarkDown(context, target)) return done('it may not be marked down');
  const isImmediate = (message.flags & OSDFailureFlag.Immediate) !== 0;
  if (before === undefined || (isImmediate && !before.isImmediate)) {
    tell(`osd.${target} reported ${isImmediate ? 'immediately ' : ''}failed by osd.${sender.osd}`, true);
  }
  reports.add(target, sender.osd, {
    failedSinceMs: context.nowMs - Math.max(0, message.failedForSeconds) * 1000,
    isImmediate,
    epoch,
    session: sender.session,
  });
  return checkFailure(context, target) ? { kind: 'pending' } : done('noted');
}

/** On tick: reports that have become old enough mark down, those that are too old are forgotten. */
export function checkFailures(context: FailureContext): void {
  const { reports, options } = context;
  const staleMs = (options.osd_heartbeat_grace + options.osd_heartbeat_stale) * 1000;
  for (const target of reports.targets()) {
    if (mayMarkDown(context, target) && checkFailure(context, target)) continue;
    if (context.nowMs - reports.failedSinceMs(target) >= staleMs) reports.take(target);
  }
}

/** True when the target is marked down, now or earlier in this epoch. */
export function checkFailure(context: FailureContext, target: number): boolean {
  const { pending, reports, options, tell } = context;
  const map = pending.base;
  if (!isUp(map, target)) return false;
  if (!pending.isUp(target)) return true;
  for (const reporter of reports.of(target).keys()) {
    if (!osdExists(map, reporter)) reports.cancel(target, reporter);
  }
  const reporters = reports.of(target);
  if (reporters.size === 0) return false;
  const level = options.mon_osd_reporter_subtree_level;
  const domains = new Set([...reporters.keys()].map((osd) => failureDomainOf(map.crush, osd, level)));
  const place = (): string => `osd.${target} failed (${crushLocationText(map.crush, target)})`;

  const immediate = [...reporters].find(([, report]) => report.isImmediate)?.[0];
  if (immediate !== undefined && isCorroborated(map, target, domains, options)) {
    pending.markDown(target);
    // Nothing answers at its address: its sessions need not be waited for.
    pending.changeXinfo(target, { deadEpoch: pending.epoch });
    tell(`${place()} (connection refused reported by osd.${immediate})`);
    return true;
  }

  if (domains.size < options.mon_osd_min_down_reporters) return false;
  const failedSeconds = (context.nowMs - reports.failedSinceMs(target)) / 1000;
  const grace = graceSeconds(context, target, failedSeconds);
  if (failedSeconds < grace) return false;
  pending.markDown(target);
  tell(
    `${place()} (${domains.size} reporters from different ${level} after ` +
      `${failedSeconds.toFixed(6)} >= grace ${grace.toFixed(6)})`,
  );
  return true;
}

/** Whether reports of these failure domains, one of them of a refused connection, are enough. */
function isCorroborated(
  map: OSDMap,
  target: number,
  domains: ReadonlySet<string>,
  options: Options,
): boolean {
  if (!options.mon_osd_immediate_failure_needs_corroboration || domains.size > 1) return true;
  for (let osd = 0; osd < map.maxOsd; osd++) {
    if (osd === target || !isUp(map, osd)) continue;
    if (!domains.has(failureDomainOf(map.crush, osd, options.mon_osd_reporter_subtree_level))) return false;
  }
  return true;
}

/** The reporters' own history counts too: a part of the network that lags takes them all along. */
export function graceSeconds(context: FailureContext, target: number, failedSeconds: number): number {
  const { options, reports, wallMs } = context;
  const grace = options.osd_heartbeat_grace;
  if (!options.mon_osd_adjust_heartbeat_grace) return grace;
  const { osdXinfo } = context.pending.base;
  const own = laggyGraceSeconds(osdXinfo[target]!, failedSeconds, options);
  const reporters = [...reports.of(target).keys()];
  let others = 0;
  for (const reporter of reporters) {
    const xinfo = osdXinfo[reporter];
    if (xinfo === undefined) continue;
    others += laggyGraceSeconds(xinfo, ageSeconds(xinfo.downStamp, wallMs), options);
  }
  return grace + own + others / Math.max(1, reporters.length);
}
