/**
 * The OSDMaps of the cluster for any number of readers, over the one subscription that a session has for
 * them: every MOSDMap goes to all readers, and the subscription begins where the hindmost one stands.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Message } from '../../messenger/message.ts';
import type { Clock } from '../../transport/clock.ts';
import { MMonGetOSDMap } from '../../wire/messages/m-mon-get-osd-map.ts';
import type { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { OsdMapReader, type OsdMapUpdate } from './osd-map-reader.ts';
import type { MapVersions } from './versions.ts';

export interface OsdMapsOptions {
  /** First epoch; the newest one when absent. Epochs that the monitors have trimmed are passed over. */
  readonly from?: number;
  /** Ends the iteration with ERR_MSGR_ABORTED. */
  readonly signal?: AbortSignal;
}

export interface OsdMapsInit {
  readonly clock: Clock;
  fsid(): Uuid | undefined;
  newest(signal: AbortSignal | undefined): Promise<MapVersions>;
  /** Subscribes from an epoch on, again if `isRenewal`; undefined ends the subscription. */
  subscribe(start: number | undefined, isRenewal: boolean): void;
  send(message: Message): void;
  blame(error: MsgrError): void;
}

/** What a monitor says it has and does not send is missed again after this time. */
const missAgainMs = 1000;

interface Follower {
  readonly reader: OsdMapReader;
  wake: (() => void) | undefined;
}

export class OsdMaps {
  readonly #init: OsdMapsInit;
  readonly #followers = new Set<Follower>();
  /** Set when the client closes: iterations end. */
  #isStopped = false;
  /** Ends the waits of followers that have no reader yet. */
  readonly #stopping = new AbortController();

  constructor(init: OsdMapsInit) {
    this.#init = init;
  }

  get hasFollowers(): boolean {
    return this.#followers.size > 0;
  }

  async *follow({ from, signal }: OsdMapsOptions = {}): AsyncGenerator<OsdMapUpdate, void, void> {
    const either =
      signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    let first = from;
    try {
      // A cluster without an OSDMap will make its first one.
      first ??= Math.max(1, Number((await this.#init.newest(either)).newest));
    } catch (error) {
      if (this.#isStopped && !signal?.aborted) return;
      throw error;
    }
    const follower = this.#add(first);
    const wake = (): void => follower.wake?.();
    either.addEventListener('abort', wake);
    try {
      for (;;) {
        if (signal?.aborted) {
          throw new MsgrError(ErrorCode.Aborted, 'osdMaps: aborted', { cause: signal.reason });
        }
        if (this.#isStopped) return;
        const update = follower.reader.take();
        if (update === undefined) await this.#news(follower);
        else yield update;
      }
    } finally {
      either.removeEventListener('abort', wake);
      this.#followers.delete(follower);
      this.#subscribe();
    }
  }

  handle(maps: MOSDMap): void {
    for (const { reader, wake } of this.#followers) {
      if (reader.add(maps)) wake?.();
    }
    this.#subscribe();
  }

  /** A session stands; the subscription begins with it. */
  sessionChanged(): void {
    for (const { reader, wake } of this.#followers) {
      reader.sessionChanged();
      wake?.();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopping.abort();
  }

  #add(first: number): Follower {
    const init = this.#init;
    const reader = new OsdMapReader(
      {
        get fsid() {
          return init.fsid()!;
        },
        askFull: (epoch) => init.send(fullMapRequest(epoch)),
        askFrom: (epoch) => init.subscribe(epoch, true),
        blame: (error) => init.blame(error),
      },
      first,
    );
    const follower: Follower = { reader, wake: undefined };
    this.#followers.add(follower);
    // Another follower's subscription may be past this one's first epoch.
    this.#init.subscribe(this.#hindmost(), true);
    return follower;
  }

  /** Resolves when {@link OsdMapReader.take} may have something new to say. */
  #news(follower: Follower): Promise<void> {
    return new Promise((resolve) => {
      const { clock } = this.#init;
      let timer: unknown;
      follower.wake = () => {
        follower.wake = undefined;
        clock.clearTimeout(timer);
        resolve();
      };
      if (follower.reader.isMissing) timer = clock.setTimeout(follower.wake, missAgainMs);
    });
  }

  #hindmost(): number {
    return Math.min(...[...this.#followers].map(({ reader }) => reader.wantedFrom));
  }

  #subscribe(): void {
    this.#init.subscribe(this.#followers.size === 0 ? undefined : this.#hindmost(), false);
  }
}

function fullMapRequest(epoch: number): Message {
  return Message.of(MMonGetOSDMap, {
    fullFirst: epoch,
    fullLast: epoch,
    incrementalFirst: 0,
    incrementalLast: 0,
  });
}
