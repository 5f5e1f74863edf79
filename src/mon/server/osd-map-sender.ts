/**
 * Sends OSDMaps as Ceph's send_incremental does: increments from where the session stands, at most
 * osd_map_message_max of them and osd_map_message_max_bytes in a message; what is older than the store
 * begins with the oldest full map. A thousand subscribers of one epoch share one message.
 */
import { Message } from '../../messenger/message.ts';
import type { Options } from '../../options.ts';
import { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { MonSession } from './session.ts';

/** What is committed. */
export interface OsdMapSource {
  readonly firstCommitted: number;
  readonly lastCommitted: number;
  fullMap(epoch: number): Uint8Array | undefined;
  incrementalMap(epoch: number): Uint8Array | undefined;
}

interface Built {
  readonly message: Message;
  readonly last: number;
}

/** Messages that are kept for the next subscriber, for as long as no epoch is committed. */
const keptMessagesMax = 16;

export class OsdMapSender {
  readonly #fsid: Uuid;
  readonly #options: Options;
  readonly #source: OsdMapSource;
  readonly #kept = new Map<string, Built>();
  #keptOf = '';

  constructor(fsid: Uuid, options: Options, source: OsdMapSource) {
    this.#fsid = fsid;
    this.#options = options;
    this.#source = source;
  }

  /**
   * Epochs from `first` to the latest one; from 0, the latest one in full. What the session was sent before is
   * not sent again. `isOneTime`: one message is all that is wanted.
   */
  send(session: MonSession, first: number, isOneTime = false): void {
    const { firstCommitted: oldest, lastCommitted: newest } = this.#source;
    if (first === 0) return this.#sendFull(session, newest);
    let next = Math.max(first, session.osdEpoch + 1);
    if (next < oldest) {
      this.#sendFull(session, oldest);
      next = oldest + 1;
      if (isOneTime) return;
    }
    while (next <= newest) {
      const { message, last } = this.#keep(`from ${next}`, () => this.#increments(next));
      session.connection.send(message);
      session.osdEpoch = last;
      next = last + 1;
      if (isOneTime) return;
    }
  }

  /**
   * The last step, to an OSD that will pass it on; whether it has all that comes before is not known, so it
   * may still ask. Ceph's share_map_with_random_osd.
   */
  share(session: MonSession): void {
    const { firstCommitted, lastCommitted } = this.#source;
    const first = Math.max(firstCommitted, lastCommitted - 1);
    session.connection.send(this.#keep(`from ${first}`, () => this.#increments(first)).message);
  }

  /** What MMonGetOSDMap asked for, as far as there is of it. */
  range(fullFirst: number, fullLast: number, incrementalFirst: number, incrementalLast: number): Message {
    let count = this.#options.osd_map_message_max;
    let bytes = this.#options.osd_map_message_max_bytes;
    const collect = (first: number, last: number, read: (epoch: number) => Uint8Array | undefined) => {
      const maps = new Map<number, Uint8Array>();
      const { firstCommitted, lastCommitted } = this.#source;
      const end = Math.min(last, lastCommitted);
      for (let epoch = Math.max(first, firstCommitted); epoch <= end && count > 0 && bytes > 0; epoch++) {
        const map = first > 0 ? read(epoch) : undefined;
        if (map === undefined) continue;
        maps.set(epoch, map);
        count--;
        bytes -= map.byteLength;
      }
      return maps;
    };
    const fulls = collect(fullFirst, fullLast, (epoch) => this.#source.fullMap(epoch));
    const steps = collect(incrementalFirst, incrementalLast, (epoch) => this.#source.incrementalMap(epoch));
    return this.#message(fulls, steps);
  }

  #sendFull(session: MonSession, epoch: number): void {
    const { message } = this.#keep(`full ${epoch}`, () => ({
      message: this.#message(new Map([[epoch, this.#source.fullMap(epoch)!]]), new Map()),
      last: epoch,
    }));
    session.connection.send(message);
    session.osdEpoch = epoch;
  }

  #increments(first: number): Built {
    const { osd_map_message_max: countMax, osd_map_message_max_bytes: bytesMax } = this.#options;
    const fulls = new Map<number, Uint8Array>();
    const steps = new Map<number, Uint8Array>();
    const end = Math.min(first + countMax - 1, this.#source.lastCommitted);
    let bytes = 0;
    let last = first;
    for (let epoch = first; epoch <= end && (bytes < bytesMax || epoch === first); epoch++) {
      const step = this.#source.incrementalMap(epoch);
      const map = step ?? this.#source.fullMap(epoch)!;
      (step === undefined ? fulls : steps).set(epoch, map);
      bytes += map.byteLength;
      last = epoch;
    }
    return { message: this.#message(fulls, steps), last };
  }

  #message(maps: ReadonlyMap<number, Uint8Array>, incrementalMaps: ReadonlyMap<number, Uint8Array>): Message {
    return Message.of(MOSDMap, {
      fsid: this.#fsid,
      maps,
      incrementalMaps,
      oldestMap: this.#source.firstCommitted,
      newestMap: this.#source.lastCommitted,
      gapRemovedSnaps: new Map(),
    });
  }

  #keep(what: string, build: () => Built): Built {
    const state = `${this.#source.firstCommitted} ${this.#source.lastCommitted}`;
    if (state !== this.#keptOf || this.#kept.size > keptMessagesMax) this.#kept.clear();
    this.#keptOf = state;
    const built = this.#kept.get(what) ?? build();
    this.#kept.set(what, built);
    return built;
  }
}
