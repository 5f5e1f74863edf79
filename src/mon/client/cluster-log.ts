/**
 * Entries for the cluster log (`ceph -w`). They are numbered, sent every `mon_client_log_interval`, and kept
 * until a monitor acknowledges them; the next session is sent all that are not. Monitors know an entry by
 * its sender, stamp and number and keep it once.
 */
import { clusterLogEntriesMax } from '../../limits.ts';
import { Message } from '../../messenger/message.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { EntityAuthName, EntityName } from '../../wire/entity-name.ts';
import { type LogEntry, LogPriority } from '../../wire/log-entry.ts';
import { MLog } from '../../wire/messages/m-log.ts';
import { utimeNow } from '../../wire/utime.ts';
import type { Uuid } from '../../wire/uuid.ts';

/** Levels by the names that Ceph's log shows. */
export const clusterLogLevels = {
  debug: LogPriority.Debug,
  info: LogPriority.Info,
  sec: LogPriority.Security,
  warn: LogPriority.Warning,
  error: LogPriority.Error,
} as const;
export type ClusterLogLevel = keyof typeof clusterLogLevels;

export interface ClusterLogInit {
  readonly clock: Clock;
  readonly options: Options;
  /** Whose entries they are, as of now. */
  author(): { name: EntityAuthName; rank: EntityName; addrs: EntityAddrVec };
  /** Sends on the present session; false when there is none. */
  send(message: (fsid: Uuid) => Message): boolean;
}

export class ClusterLog {
  readonly #init: ClusterLogInit;
  #entries: LogEntry[] = [];
  #lastSeq = 0n;
  /** Seq of the last one that the present session was sent. */
  #sentSeq = 0n;
  /** Dropped since one was last taken. */
  #dropped = 0;
  #timer: unknown;
  #waiting: { seq: bigint; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(init: ClusterLogInit) {
    this.#init = init;
  }

  /** Entries that no monitor has acknowledged. */
  get size(): number {
    return this.#entries.length;
  }

  /** Whether the present session owes an acknowledgement. */
  get isAckDue(): boolean {
    const [first] = this.#entries;
    return first !== undefined && first.seq <= this.#sentSeq;
  }

  add(channel: string, level: ClusterLogLevel, message: string): void {
    if (this.#entries.length >= clusterLogEntriesMax) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const lost = `${this.#dropped} log entries were dropped: no monitor took them`;
      this.#dropped = 0;
      this.#push('cluster', LogPriority.Warning, lost);
    }
    this.#push(channel, clusterLogLevels[level], message);
    this.#schedule();
  }

  /** Sends what is not sent, and resolves when everything so far is acknowledged. */
  flush(): Promise<void> {
    if (this.#entries.length === 0) return Promise.resolve();
    this.#sendNow();
    const seq = this.#lastSeq;
    return new Promise((resolve, reject) => this.#waiting.push({ seq, resolve, reject }));
  }

  /** A new session stands. */
  resendAll(): void {
    this.#sentSeq = 0n;
    this.#sendNow();
  }

  acknowledged(last: bigint): void {
    this.#entries = this.#entries.filter(({ seq }) => seq > last);
    const first = this.#entries[0]?.seq ?? this.#lastSeq + 1n;
    const done = this.#waiting.filter(({ seq }) => seq < first);
    this.#waiting = this.#waiting.filter(({ seq }) => seq >= first);
    for (const { resolve } of done) resolve();
    if (this.#sentSeq < this.#lastSeq) this.#sendNow();
  }

  stop(error: Error): void {
    this.#init.clock.clearTimeout(this.#timer);
    this.#entries = [];
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #push(channel: string, priority: number, message: string): void {
    const entry = { ...this.#init.author(), stamp: utimeNow(), seq: ++this.#lastSeq };
    this.#entries.push({ ...entry, priority, message, channel });
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const { clock, options } = this.#init;
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sendNow();
    }, options.mon_client_log_interval * 1000);
  }

  #sendNow(): void {
    const countMax = this.#init.options.mon_client_max_log_entries_per_message;
    const entries = this.#entries.filter(({ seq }) => seq > this.#sentSeq).slice(0, countMax);
    if (entries.length === 0) return;
    if (this.#init.send((fsid) => Message.of(MLog, { fsid, entries }))) this.#sentSeq = entries.at(-1)!.seq;
  }
}
