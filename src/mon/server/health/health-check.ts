/** What can be wrong with a cluster: a code for programs, a severity, a line for people, and details. */

export type HealthSeverity = 'HEALTH_WARN' | 'HEALTH_ERR';
export type HealthStatus = 'HEALTH_OK' | HealthSeverity;

export interface HealthCheck {
  /** `OSD_DOWN` */
  readonly code: string;
  readonly severity: HealthSeverity;
  readonly summary: string;
  /** How much of it; when it grows, a mute that is not sticky ends. */
  readonly count: number;
  readonly detail: readonly string[];
}

export function warning(
  code: string,
  summary: string,
  count: number,
  detail: readonly string[] = [],
): HealthCheck {
  return { code, severity: 'HEALTH_WARN', summary, count, detail };
}

export function worstOf(checks: Iterable<HealthCheck>): HealthStatus {
  let worst: HealthStatus = 'HEALTH_OK';
  for (const { severity } of checks) {
    if (severity === 'HEALTH_ERR') return severity;
    worst = severity;
  }
  return worst;
}
