/**
 * Who says of whom that it does not answer. A report counts from when its target fell silent, and stays
 * until it is taken back, until the target is down, or until it is stale. Kept in memory only: reporters
 * repeat themselves to a monitor that was restarted.
 *
 * Bounded by the map: there is at most one report for each pair of existing OSDs.
 */
import type { MonSession } from '../session.ts';

export interface FailureReport {
  /** When the target answered last, as the reporter has it; monotonic. */
  readonly failedSinceMs: number;
  /** Its connection was refused: the process is gone, as far as the reporter can tell. */
  readonly isImmediate: boolean;
  /** The reporter's map, and where to send the one in which the target is down. */
  readonly epoch: number;
  readonly session: MonSession;
}

export class FailureReports {
  /** By target, then by reporter. */
  readonly #targets = new Map<number, Map<number, FailureReport>>();

  /** OSDs of which something is reported. */
  targets(): number[] {
    return [...this.#targets.keys()];
  }

  of(target: number): ReadonlyMap<number, FailureReport> {
    return this.#targets.get(target) ?? noReports;
  }

  /** A reporter's last word counts, as in Ceph; that it was refused a connection is not forgotten. */
  add(target: number, reporter: number, report: FailureReport): void {
    let reports = this.#targets.get(target);
    if (reports === undefined) {
      reports = new Map();
      this.#targets.set(target, reports);
    }
    const wasImmediate = reports.get(reporter)?.isImmediate === true;
    reports.set(reporter, { ...report, isImmediate: report.isImmediate || wasImmediate });
  }

  cancel(target: number, reporter: number): void {
    const reports = this.#targets.get(target);
    if (reports?.delete(reporter) === true && reports.size === 0) this.#targets.delete(target);
  }

  /** Forgets what is reported of a target, and gives it out once more. */
  take(target: number): ReadonlyMap<number, FailureReport> {
    const reports = this.of(target);
    this.#targets.delete(target);
    return reports;
  }

  /** The latest beginning of all: the time for which every reporter has been without an answer. */
  failedSinceMs(target: number): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { failedSinceMs } of this.of(target).values()) latest = Math.max(latest, failedSinceMs);
    return latest;
  }
}

const noReports: ReadonlyMap<number, FailureReport> = new Map();
