/** MMonGetVersion: asks for the newest version of a map without the map itself. */
import { defineMessage } from './registry.ts';

export interface MMonGetVersion {
  /** Comes back in the reply. */
  readonly handle: bigint;
  /** `osdmap`, `monmap`, `mdsmap`. */
  readonly what: string;
}

export const MMonGetVersion = defineMessage<MMonGetVersion>({
  type: 19,
  name: 'mon_get_version',
  headVersion: 1,
  compatVersion: 1,
  encode: (body, encoder) => void encoder.u64(body.handle).string(body.what),
  decode: (decoder) => ({ handle: decoder.u64('handle'), what: decoder.string('what') }),
});
