/** MMonGetVersionReply: the answer to MMonGetVersion. Version 1 did not say the oldest version. */
import { defineMessage } from './registry.ts';

export interface MMonGetVersionReply {
  /** Of the MMonGetVersion that is answered. */
  readonly handle: bigint;
  readonly version: bigint;
  readonly oldestVersion: bigint;
}

export const MMonGetVersionReply = defineMessage<MMonGetVersionReply>({
  type: 20,
  name: 'mon_get_version_reply',
  headVersion: 2,
  compatVersion: 2,
  encode: (body, encoder) => void encoder.u64(body.handle).u64(body.version).u64(body.oldestVersion),
  decode: (decoder, context) => ({
    handle: decoder.u64('handle'),
    version: decoder.u64('version'),
    oldestVersion: context.version >= 2 ? decoder.u64('oldestVersion') : 0n,
  }),
});
