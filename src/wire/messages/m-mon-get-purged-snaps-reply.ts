/** MMonGetPurgedSnapsReply: snapshots purged in a range of epochs; `last` may be less than was asked for. */
import { decodeIntervals, encodeIntervals, type Interval } from '../interval-set.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MMonGetPurgedSnapsReply extends PaxosServiceMessage {
  readonly start: number;
  readonly last: number;
  /** By epoch and pool. */
  readonly purgedSnaps: ReadonlyMap<number, ReadonlyMap<bigint, readonly Interval[]>>;
}

export const MMonGetPurgedSnapsReply = defineMessage<MMonGetPurgedSnapsReply>({
  type: 77,
  name: 'mon_get_purged_snaps_reply',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.start).u32(body.last);
    encoder.map(
      body.purgedSnaps,
      (epoch) => encoder.u32(epoch),
      (pools) =>
        encoder.map(
          pools,
          (pool) => encoder.i64(pool),
          (intervals) => encodeIntervals(encoder, intervals),
        ),
    );
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    start: decoder.u32('start'),
    last: decoder.u32('last'),
    purgedSnaps: decoder.map(
      'purgedSnaps',
      8,
      () => decoder.u32('epoch'),
      () =>
        decoder.map(
          'pools',
          12,
          () => decoder.i64('pool'),
          () => decodeIntervals(decoder, 'intervals'),
        ),
    ),
  }),
});
