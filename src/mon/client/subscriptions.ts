/**
 * Which maps the monitor shall send by itself, and from which version on. The table outlives sessions: the
 * next monitor is told of all of it, each map from the version after the last one that came.
 */
import { SubscribeFlag, type SubscribeItem } from '../../wire/messages/m-mon-subscribe.ts';

interface Subscription {
  start: bigint;
  isOneTime: boolean;
  /** The present session has been told. */
  isSent: boolean;
}

export class Subscriptions {
  readonly #table = new Map<string, Subscription>();

  has(what: string): boolean {
    return this.#table.has(what);
  }

  /** Of the next version that is wanted; undefined without a subscription. */
  startOf(what: string): bigint | undefined {
    return this.#table.get(what)?.start;
  }

  /** Wants `what` from version `start` on; 0 is the newest, whole. */
  want(what: string, start: bigint, isOneTime = false): void {
    const now = this.#table.get(what);
    if (now !== undefined && now.start === start && now.isOneTime === isOneTime) return;
    this.#table.set(what, { start, isOneTime, isSent: false });
  }

  /** As {@link want}, also when the monitor was told the same before: it then sends all from `start` on. */
  renew(what: string, start: bigint): void {
    this.#table.set(what, { start, isOneTime: false, isSent: false });
  }

  /** The monitor has sent all before `start`; it goes on by itself, and the next monitor begins there. */
  advance(what: string, start: bigint): void {
    const now = this.#table.get(what);
    if (now !== undefined) now.start = start;
  }

  /** Version `have` came. */
  got(what: string, have: bigint): void {
    const now = this.#table.get(what);
    if (now === undefined || now.start > have) return;
    if (now.isOneTime) this.#table.delete(what);
    else now.start = have + 1n;
  }

  /**
   * Not wanted any more. There is no message that says so: a monitor is told to send one more version and
   * then no more.
   */
  drop(what: string): void {
    const now = this.#table.get(what);
    if (now === undefined) return;
    if (now.isSent) this.#table.set(what, { start: now.start, isOneTime: true, isSent: false });
    else this.#table.delete(what);
  }

  /** A new session: nobody has been told anything. */
  reload(): void {
    for (const subscription of this.#table.values()) subscription.isSent = false;
  }

  /** What the monitor is to be told now, by name; they count as told from here on. */
  take(): Map<string, SubscribeItem> {
    const items = new Map<string, SubscribeItem>();
    for (const [what, subscription] of [...this.#table].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (subscription.isSent) continue;
      subscription.isSent = true;
      items.set(what, {
        start: subscription.start,
        flags: subscription.isOneTime ? SubscribeFlag.OneTime : 0,
      });
    }
    return items;
  }
}
