/**
 * What clients have asked to be kept up to date about (MMonSubscribe), and who tells them. Each kind of map
 * has a publisher; a subscription is `next`, the first version that was not sent yet.
 *
 * What a session may not read is not refused: it stays silent, as in Ceph.
 */
import { SubscribeFlag, type SubscribeItem } from '../../wire/messages/m-mon-subscribe.ts';
import type { Session } from './sessions.ts';

export interface Subscription {
  /** `osdmap`, `log-info`, `kv:config/…`. */
  readonly what: string;
  /** First version that is wanted; 0: the latest, whole. */
  next: number;
  isOneTime: boolean;
}

/** Sends what a subscriber lacks and moves `next`. */
export interface Publisher {
  /** What it needs: service and permissions of the monitor's caps. */
  readonly needs: { readonly service: string; readonly permissions: 'r' | 'w' };
  handles(what: string): boolean;
  /** Once when it subscribes. */
  begin?(session: Session, subscription: Subscription): void;
  /** After each commit, and when it subscribes. Answers true when something was sent. */
  publish(session: Session, subscription: Subscription): boolean;
}

export class Subscriptions {
  readonly #publishers: readonly Publisher[];

  constructor(publishers: readonly Publisher[]) {
    this.#publishers = publishers;
  }

  subscribe(session: Session, what: string, { start, flags }: SubscribeItem): void {
    const publisher = this.#publisherOf(what);
    if (publisher === undefined || !isAllowed(session, publisher)) return;
    const isOneTime = (flags & SubscribeFlag.OneTime) !== 0;
    const subscription = { what, next: Number(start), isOneTime };
    session.subscriptions.set(what, subscription);
    publisher.begin?.(session, subscription);
    this.#publish(session, subscription, publisher);
  }

  /** There may be something new for anyone. */
  publish(sessions: Iterable<Session>): void {
    for (const session of sessions) {
      for (const subscription of session.subscriptions.values()) {
        const publisher = this.#publisherOf(subscription.what);
        if (publisher !== undefined) this.#publish(session, subscription, publisher);
      }
    }
  }

  #publish(session: Session, subscription: Subscription, publisher: Publisher): void {
    const wasSent = publisher.publish(session, subscription);
    if (wasSent && subscription.isOneTime) session.subscriptions.delete(subscription.what);
  }

  #publisherOf(what: string): Publisher | undefined {
    return this.#publishers.find((publisher) => publisher.handles(what));
  }
}

function isAllowed(session: Session, { needs }: Publisher): boolean {
  return session.caps.allows(session, needs.service, needs.permissions);
}
