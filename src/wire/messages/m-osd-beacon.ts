/**
 * MOSDBeacon: an OSD tells the monitor now and then that it lives, whether or not a peer watches it
 * (facts 2.11). Versions 1 and 2 lack the last fields, which are then zero.
 */
import { decodePgId, encodePgId, type PgId, pgIdBytes } from '../pg-id.ts';
import { decodeUtime, encodeUtime, type Utime, utimeZero } from '../utime.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the sender's OSDMap epoch. */
export interface MOSDBeacon extends PaxosServiceMessage {
  /** Placement groups of which the sender is the primary. */
  readonly pgs: readonly PgId[];
  readonly minLastEpochClean: number;
  readonly lastPurgedSnapsScrub: Utime;
  /** How often the sender means to send beacons. */
  readonly reportIntervalSeconds: number;
}

export const MOSDBeacon = defineMessage<MOSDBeacon>({
  type: 79,
  name: 'osd_beacon',
  headVersion: 3,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.list(body.pgs, (pg) => encodePgId(encoder, pg));
    encoder.u32(body.minLastEpochClean);
    encodeUtime(encoder, body.lastPurgedSnapsScrub);
    encoder.i32(body.reportIntervalSeconds);
  },
  decode: (decoder, { version }) => ({
    ...decodePaxosPrefix(decoder),
    pgs: decoder.list('pgs', pgIdBytes, (index) => decodePgId(decoder, String(index))),
    minLastEpochClean: decoder.u32('minLastEpochClean'),
    lastPurgedSnapsScrub: version >= 2 ? decodeUtime(decoder, 'lastPurgedSnapsScrub') : utimeZero,
    reportIntervalSeconds: version >= 3 ? decoder.i32('reportIntervalSeconds') : 0,
  }),
});
