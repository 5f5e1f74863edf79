/**
 * MAuth: a round of authentication as a message. On msgr2 the handshake has authenticated already, and
 * this renews tickets and fetches rotating keys afterwards.
 */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MAuth extends PaxosServiceMessage {
  /** 0 to choose one, 1 none, 2 cephx. */
  readonly protocol: number;
  /** The protocol's own bytes. */
  readonly payload: Uint8Array;
  /** Epoch of the sender's monitor map; old clients leave it out. */
  readonly monmapEpoch: number;
}

export const MAuth = defineMessage<MAuth>({
  type: 17,
  name: 'auth',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.protocol).buffer(body.payload).u32(body.monmapEpoch);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    protocol: decoder.u32('protocol'),
    payload: decoder.buffer('payload'),
    monmapEpoch: decoder.remaining === 0 ? 0 : decoder.u32('monmapEpoch'),
  }),
});
