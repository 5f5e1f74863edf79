/**
 * MOSDPGTemp: a primary asks for other OSDs to serve placement groups for now, because those that should
 * have no data yet. No OSDs: the exception is no longer needed. `forced` came with version 2.
 */
import { decodePgId, encodePgId, type PgId, pgIdBytes } from '../pg-id.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the epoch once more. */
export interface MOSDPGTemp extends PaxosServiceMessage {
  readonly epoch: number;
  readonly pgTemp: readonly { readonly pgid: PgId; readonly osds: readonly number[] }[];
  /** To be applied even when the sender is not the primary. */
  readonly forced: boolean;
}

export const MOSDPGTemp = defineMessage<MOSDPGTemp>({
  type: 78,
  name: 'osd_pgtemp',
  headVersion: 2,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.epoch);
    encoder.list(body.pgTemp, ({ pgid, osds }) => {
      encodePgId(encoder, pgid);
      encoder.list(osds, (osd) => encoder.i32(osd));
    });
    encoder.bool(body.forced);
  },
  decode: (decoder, { version }) => ({
    ...decodePaxosPrefix(decoder),
    epoch: decoder.u32('epoch'),
    pgTemp: decoder.list('pgTemp', pgIdBytes + 4, () => ({
      pgid: decodePgId(decoder, 'pgid'),
      osds: decoder.list('osds', 4, () => decoder.i32('osd')),
    })),
    forced: version >= 2 ? decoder.bool('forced') : false,
  }),
});
