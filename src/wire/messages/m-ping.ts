/** MPing: asks nothing and carries nothing; the peer's messenger has shown by then that it lives. */
import { defineMessage } from './registry.ts';

export type MPing = Readonly<Record<string, never>>;

const empty: MPing = Object.freeze({});

export const MPing = defineMessage<MPing>({
  type: 2,
  name: 'ping',
  headVersion: 1,
  compatVersion: 1,
  encode: () => {},
  decode: () => empty,
});
