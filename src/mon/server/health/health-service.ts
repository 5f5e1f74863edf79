/**
 * Health over time: what operators muted, durable, and lines in the cluster log when a check begins to fail,
 * changes or passes again.
 *
 * In the store: `health`/`mutes`, JSON. A mute ends at its time; one that is not sticky ends also when its
 * check passes or gets worse than it was.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import { LogPriority } from '../../../wire/log-entry.ts';
import type { MonitorState } from '../monitor-state.ts';
import type { MonService } from '../service.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { healthChecks } from './health.ts';
import { type HealthCheck, type HealthStatus, worstOf } from './health-check.ts';

export interface HealthMute {
  readonly code: string;
  /** Wall clock in ms; 0 for no end. */
  readonly untilMs: number;
  readonly isSticky: boolean;
  readonly summary: string;
  readonly count: number;
}

export interface Health {
  /** Of what is not muted. */
  readonly status: HealthStatus;
  readonly checks: readonly HealthCheck[];
  readonly mutes: ReadonlyMap<string, HealthMute>;
}

const mutesKey = 'mutes';

export class HealthService implements MonService {
  readonly name = 'health';
  readonly #monitor: MonitorState;
  #mutes: ReadonlyMap<string, HealthMute>;
  #pending: Map<string, HealthMute> | undefined;
  /** Those that were seen to end; they do not begin again when things get better, and go with the next tick. */
  readonly #ended = new WeakSet<HealthMute>();
  #told: ReadonlyMap<string, HealthCheck> = new Map();

  constructor(monitor: MonitorState, store: MonStore) {
    this.#monitor = monitor;
    this.#mutes = readMutes(store.get(this.name, mutesKey));
  }

  /** Now. */
  get health(): Health {
    const checks = healthChecks(this.#monitor);
    const nowMs = this.#monitor.wallMs();
    for (const mute of this.#mutes.values()) if (!holds(mute, checks, nowMs)) this.#ended.add(mute);
    const mutes = new Map([...this.#mutes].filter(([, mute]) => !this.#ended.has(mute)));
    return { status: worstOf(checks.filter(({ code }) => !mutes.has(code))), checks, mutes };
  }

  mute(mute: HealthMute): void {
    this.#change().set(mute.code, mute);
  }

  /** Every one when no code is given. */
  unmute(code: string | undefined): void {
    const mutes = this.#change();
    if (code === undefined) mutes.clear();
    else mutes.delete(code);
  }

  #change(): Map<string, HealthMute> {
    this.#pending ??= new Map(this.#mutes);
    return this.#pending;
  }

  get hasPending(): boolean {
    return this.#pending !== undefined;
  }

  propose(transaction: StoreTransaction): () => void {
    const mutes = this.#pending ?? this.#mutes;
    this.#pending = undefined;
    transaction.put(this.name, mutesKey, Buffer.from(JSON.stringify([...mutes.values()])));
    return () => {
      this.#mutes = mutes;
    };
  }

  tick(): void {
    const { checks, mutes } = this.health;
    if (mutes.size !== this.#mutes.size && this.#pending === undefined) this.#pending = new Map(mutes);
    this.#tell(new Map(checks.map((check) => [check.code, check])));
  }

  #tell(checks: ReadonlyMap<string, HealthCheck>): void {
    const { log } = this.#monitor;
    for (const [code, { severity, summary }] of checks) {
      const before = this.#told.get(code);
      if (before !== undefined && before.summary === summary && before.severity === severity) continue;
      const priority = severity === 'HEALTH_ERR' ? LogPriority.Error : LogPriority.Warning;
      log.log('cluster', priority, `Health check ${before ? 'update' : 'failed'}: ${summary} (${code})`);
    }
    for (const [code, { summary }] of this.#told) {
      if (!checks.has(code)) log.info(`Health check cleared: ${code} (was: ${summary})`);
    }
    if (this.#told.size > 0 && checks.size === 0) log.info('Cluster is now healthy');
    this.#told = checks;
  }
}

function holds(
  { code, count, isSticky, untilMs }: HealthMute,
  checks: readonly HealthCheck[],
  nowMs: number,
): boolean {
  if (untilMs !== 0 && nowMs >= untilMs) return false;
  const check = checks.find((candidate) => candidate.code === code);
  return isSticky || (check !== undefined && check.count <= count);
}

function readMutes(bytes: Uint8Array | undefined): Map<string, HealthMute> {
  if (bytes === undefined) return new Map();
  try {
    const mutes = JSON.parse(Buffer.from(bytes).toString()) as HealthMute[];
    return new Map(mutes.map((mute) => [mute.code, mute]));
  } catch (cause) {
    throw new MsgrError(ErrorCode.Malformed, 'health/mutes in the store is not JSON', { cause });
  }
}
