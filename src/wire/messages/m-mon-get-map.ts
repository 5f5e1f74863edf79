/** MMonGetMap: asks a monitor for the monitor map; there is nothing to say. */
import { defineMessage } from './registry.ts';

export type MMonGetMap = Readonly<Record<string, never>>;

const empty: MMonGetMap = Object.freeze({});

export const MMonGetMap = defineMessage<MMonGetMap>({
  type: 5,
  name: 'mon_getmap',
  headVersion: 1,
  compatVersion: 1,
  encode: () => {},
  decode: () => empty,
});
