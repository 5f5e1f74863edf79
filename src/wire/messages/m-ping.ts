/**
 * MPing: asks nothing, and is answered with another. A monitor puts what it has to say of itself into its
 * answer, as JSON; everyone else's is empty.
 */
import { defineMessage } from './registry.ts';

export interface MPing {
  /** Left out, or empty: nothing is written at all. */
  readonly text?: string;
}

const empty: MPing = Object.freeze({});

export const MPing = defineMessage<MPing>({
  type: 2,
  name: 'ping',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    if (body.text !== undefined && body.text !== '') encoder.string(body.text);
  },
  // Less than a length is no text: old senders append nothing, and others what nobody reads.
  decode: (decoder) => (decoder.remaining < 4 ? empty : { text: decoder.string('text') }),
});
