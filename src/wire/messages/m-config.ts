/** MConfig: options that the monitor's configuration database sets for the receiver, all of them each time. */
import { defineMessage } from './registry.ts';

export interface MConfig {
  /** Values as text by option name; an option that is missing has its default again. */
  readonly config: ReadonlyMap<string, string>;
}

export const MConfig = defineMessage<MConfig>({
  type: 62,
  name: 'config',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encoder.map(
      body.config,
      (name) => encoder.string(name),
      (value) => encoder.string(value),
    );
  },
  decode: (decoder) => ({
    config: decoder.map(
      'config',
      8,
      () => decoder.string('name'),
      () => decoder.string('value'),
    ),
  }),
});
