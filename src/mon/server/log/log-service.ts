/**
 * The cluster log: what daemons and the monitor itself have to say to operators, in channels (`cluster`,
 * `audit`), durable and bounded. A daemon repeats entries until they are acknowledged; each is kept once.
 *
 * In the store: `logm`/`last` is the number of entries ever kept, `logm`/`N` the N-th. Once one is dropped
 * (the oldest, above `mon_log_max`) its number is never used again.
 */
import { monLogBytesMax, monLogEntriesMax, monLogMessageCharactersMax } from '../../../limits.ts';
import type { Options } from '../../../options.ts';
import { Decoder } from '../../../wire/decoder.ts';
import { encodeWith } from '../../../wire/encoder.ts';
import { EntityAddrVec } from '../../../wire/entity-addrvec.ts';
import { EntityAuthName, EntityName, EntityType } from '../../../wire/entity-name.ts';
import { decodeLogEntry, encodeLogEntry, type LogEntry, LogPriority } from '../../../wire/log-entry.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import type { MonService, Proposer } from '../service.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';

export interface LogServiceInit {
  readonly store: MonStore;
  readonly proposer: Proposer;
  readonly options: Options;
  /** The monitor's own name, `a`, and rank. */
  readonly name: string;
  readonly rank: number;
  readonly addrs?: EntityAddrVec;
  wallMs(): number;
}

export type LogChannel = 'cluster' | 'audit';

const keyLast = 'last';
const channelCharactersMax = 64;

export class LogService implements MonService {
  readonly name = 'logm';
  readonly #init: LogServiceInit;
  readonly #entries: LogEntry[] = [];
  /** Number of the first of `#entries`. */
  #first = 1;
  #pending: LogEntry[] = [];
  #pendingCharacters = 0;
  /** Numbers as they are once all proposals under way are committed. */
  #firstProposed = 1;
  #lastProposed = 0;
  /** Bytes of each entry from `#firstProposed` on, and of all of them. */
  readonly #sizes: number[] = [];
  #bytes = 0;
  #ownSeq = 0n;
  /** Of every entry that is kept or pending. */
  readonly #keys = new Set<string>();
  readonly #listeners = new Set<(entries: readonly LogEntry[]) => void>();

  constructor(init: LogServiceInit) {
    this.#init = init;
    this.#load();
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────

  /** An entry of the monitor's own; durable with the next proposal, which it asks for. */
  log(channel: LogChannel, priority: LogPriority, message: string): void {
    this.#ownSeq++;
    this.add({
      name: new EntityAuthName(EntityType.Mon, this.#init.name),
      rank: EntityName.mon(this.#init.rank),
      addrs: this.#init.addrs ?? EntityAddrVec.empty,
      stamp: utimeFromMs(this.#init.wallMs()),
      seq: this.#ownSeq,
      priority,
      message,
      channel,
    });
    void this.#init.proposer.propose();
  }

  info(message: string): void {
    this.log('cluster', LogPriority.Info, message);
  }

  warn(message: string): void {
    this.log('cluster', LogPriority.Warning, message);
  }

  error(message: string): void {
    this.log('cluster', LogPriority.Error, message);
  }

  audit(message: string, priority: LogPriority = LogPriority.Info): void {
    this.log('audit', priority, message);
  }

  /**
   * Entries of a daemon's MLog; those that were taken before are passed over. Resolves when all are durable:
   * then MLogAck may name the last one's seq.
   */
  async append(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) this.#appendOne(entry);
    await this.#init.proposer.propose();
  }

  #appendOne(entry: LogEntry): void {
    const key = keyOf(entry);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.add(entry);
  }

  /**
   * One that nobody sends twice; durable with the next proposal. In a flood, what would be dropped as soon as
   * it was kept is not kept at all.
   */
  add(entry: LogEntry): void {
    const message = entry.message.slice(0, monLogMessageCharactersMax);
    this.#pending.push({ ...entry, channel: entry.channel.slice(0, channelCharactersMax), message });
    this.#pendingCharacters += message.length;
    while (this.#pending.length > monLogEntriesMax || this.#pendingCharacters > monLogBytesMax) {
      const oldest = this.#pending.shift()!;
      this.#pendingCharacters -= oldest.message.length;
      this.#keys.delete(keyOf(oldest));
    }
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────

  /** Version of subscriptions: number of the last entry. */
  get version(): number {
    return this.#first + this.#entries.length - 1;
  }

  /** Committed entries, oldest first. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** Entries from number `version` on. */
  since(version: number): readonly LogEntry[] {
    return this.#entries.slice(Math.max(0, version - this.#first));
  }

  /** Called with what was committed, after each commit. The function given back ends it. */
  onCommit(listener: (entries: readonly LogEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ── Service ──────────────────────────────────────────────────────────────────────────────────────

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  propose(transaction: StoreTransaction): () => void {
    const added = this.#pending;
    this.#pending = [];
    this.#pendingCharacters = 0;
    for (const entry of added) {
      this.#lastProposed++;
      const bytes = encodeWith((encoder) => encodeLogEntry(encoder, entry));
      transaction.put(this.name, String(this.#lastProposed), bytes);
      this.#count(bytes);
    }
    transaction.put(this.name, keyLast, Buffer.from(String(this.#lastProposed)));
    let dropped = 0;
    while (this.#sizes.length > monLogEntriesMax || this.#bytes > monLogBytesMax) {
      transaction.erase(this.name, String(this.#firstProposed));
      this.#firstProposed++;
      this.#bytes -= this.#sizes.shift()!;
      dropped++;
    }
    return () => {
      this.#entries.push(...added);
      for (const entry of this.#entries.splice(0, dropped)) this.#keys.delete(keyOf(entry));
      this.#first += dropped;
      for (const listener of this.#listeners) listener(added);
    };
  }

  #count({ byteLength }: Uint8Array): void {
    this.#sizes.push(byteLength);
    this.#bytes += byteLength;
  }

  #load(): void {
    const { store } = this.#init;
    const last = store.get(this.name, keyLast);
    if (last === undefined) return;
    this.#lastProposed = Number(Buffer.from(last).toString());
    for (const key of store.keys(this.name)) {
      const bytes = key === keyLast ? undefined : store.get(this.name, key);
      if (bytes === undefined) continue;
      const entry = decodeLogEntry(new Decoder(bytes), 'logEntry');
      this.#entries.push(entry);
      this.#count(bytes);
      this.#keys.add(keyOf(entry));
    }
    this.#first = this.#lastProposed - this.#entries.length + 1;
    this.#firstProposed = this.#first;
  }
}

/** A daemon that starts again counts from 1 again; the time tells its entries apart. */
function keyOf({ rank, seq, stamp }: LogEntry): string {
  return `${rank} ${seq} ${stamp.sec}.${stamp.nsec}`;
}
