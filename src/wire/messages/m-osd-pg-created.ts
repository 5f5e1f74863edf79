/** MOSDPGCreated: the primary of a new placement group says that it exists. */
import { decodePgId, encodePgId, type PgId } from '../pg-id.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MOSDPGCreated extends PaxosServiceMessage {
  readonly pgid: PgId;
}

export const MOSDPGCreated = defineMessage<MOSDPGCreated>({
  type: 116,
  name: 'osd_pg_created',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodePgId(encoder, body.pgid);
  },
  decode: (decoder) => ({ ...decodePaxosPrefix(decoder), pgid: decodePgId(decoder, 'pgid') }),
});
