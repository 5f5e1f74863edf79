/** MMonMap: the monitor map, in its own encoding, which src/maps reads. */
import { defineMessage } from './registry.ts';

export interface MMonMap {
  /** An encoded MonMap. */
  readonly monmap: Uint8Array;
}

export const MMonMap = defineMessage<MMonMap>({
  type: 4,
  name: 'mon_map',
  headVersion: 1,
  compatVersion: 1,
  encode: (body, encoder) => void encoder.buffer(body.monmap),
  decode: (decoder) => ({ monmap: decoder.buffer('monmap') }),
});
