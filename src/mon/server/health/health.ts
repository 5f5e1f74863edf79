/**
 * The health of the cluster: every check that fails now, by code. A cluster of this monitor has no manager,
 * so what only a manager knows (placement groups, usage) does not count here; Ceph's own warning that there is
 * none can be had with `mon_warn_on_mgr_down`.
 */
import { MsgrError } from '../../../errors.ts';
import { OsdState } from '../../../maps/states.ts';
import { utimeToMs } from '../../../wire/utime.ts';
import { MonCaps } from '../caps/mon-caps.ts';
import type { MonitorState } from '../monitor-state.ts';
import { type HealthCheck, warning } from './health-check.ts';
import { osdChecks } from './osd-checks.ts';

/** Seconds for which a cluster that has OSDs may be without a manager, and then without an error. */
const managerGraceSeconds = 120;
const managerInactiveGraceSeconds = 60;

export function healthChecks(monitor: MonitorState): HealthCheck[] {
  const checks = [
    ...osdChecks(monitor.osdMap),
    ...neverOut(monitor),
    ...insecureReclaim(monitor),
    ...badCaps(monitor),
    ...noManager(monitor),
  ];
  return checks.sort((one, other) => (one.code < other.code ? -1 : 1));
}

/** Data of an OSD that died would never move. */
function neverOut({ name, options }: MonitorState): HealthCheck[] {
  if (options.mon_osd_down_out_interval !== 0) return [];
  const what = 'has mon_osd_down_out_interval set to 0';
  return [warning('OSD_NO_DOWN_OUT_INTERVAL', `mon ${name} ${what}`, 1, [`mon.${name} ${what}`])];
}

/** CVE-2021-20288: a client may take the global id of another that it once knew. */
function insecureReclaim({ name, options }: MonitorState): HealthCheck[] {
  if (!options.auth_allow_insecure_global_id_reclaim) return [];
  return [
    warning('AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED', 'mon is allowing insecure global_id reclaim', 1, [
      `mon.${name} has auth_allow_insecure_global_id_reclaim set to true`,
    ]),
  ];
}

/** Such an entity may do nothing at all. */
function badCaps({ auth }: MonitorState): HealthCheck[] {
  const detail = auth.entities().flatMap(([name, { caps }]) => {
    const problem = problemOf(caps.get('mon'));
    return problem === undefined ? [] : [`${name} ${problem}`];
  });
  if (detail.length === 0) return [];
  const summary = `${detail.length} auth entities have invalid capabilities`;
  return [{ ...warning('AUTH_BAD_CAPS', summary, detail.length, detail), severity: 'HEALTH_ERR' }];
}

function problemOf(caps: string | undefined): string | undefined {
  if (caps === undefined) return undefined;
  try {
    MonCaps.parse(caps);
  } catch (error) {
    if (error instanceof MsgrError) return error.message;
    throw error;
  }
  return undefined;
}

function noManager(monitor: MonitorState): HealthCheck[] {
  if (!monitor.options.mon_warn_on_mgr_down) return [];
  const hasOsds = monitor.osdMap.osdState.some((state) => (state & OsdState.exists) !== 0);
  const ageSeconds = (monitor.wallMs() - utimeToMs(monitor.monMap.created)) / 1000;
  if (!hasOsds || ageSeconds <= managerGraceSeconds) return [];
  const isLong = monitor.clock.nowMs() - monitor.startedMs > 1000 * managerInactiveGraceSeconds;
  const severity = isLong ? 'HEALTH_ERR' : 'HEALTH_WARN';
  return [{ ...warning('MGR_DOWN', 'no active mgr', 0), severity }];
}
