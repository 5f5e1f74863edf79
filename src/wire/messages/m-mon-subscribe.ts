/**
 * MMonSubscribe: which maps the monitor shall send, and from which version on (facts 2.14).
 *
 * Version 1 said which version the sender has instead of which it wants; it is read as the next one.
 */
import type { Decoder } from '../decoder.ts';
import { defineMessage } from './registry.ts';

/** Bits of an item's flags. */
export const SubscribeFlag = { OneTime: 1 } as const;

export interface SubscribeItem {
  /** First version wanted, the one held plus 1; 0 asks for the latest, whole. */
  readonly start: bigint;
  /** {@link SubscribeFlag} bits. */
  readonly flags: number;
}

export interface MMonSubscribe {
  /** By name: `monmap`, `osdmap`, `config`, `mgrmap`, `osd_pg_creates`; a daemon sends them sorted. */
  readonly what: ReadonlyMap<string, SubscribeItem>;
  readonly hostname: string;
}

const itemBytes = 9;
const oldItemBytes = 17;

function decodeOldItem(decoder: Decoder): SubscribeItem {
  decoder.u64('unused');
  const have = decoder.u64('have');
  const oneTime = decoder.bool('onetime');
  return { start: have === 0n ? 0n : have + 1n, flags: oneTime ? SubscribeFlag.OneTime : 0 };
}

export const MMonSubscribe = defineMessage<MMonSubscribe>({
  type: 15,
  name: 'mon_subscribe',
  headVersion: 3,
  compatVersion: 1,
  encode(body, encoder) {
    encoder.map(
      body.what,
      (name) => encoder.string(name),
      (item) => encoder.u64(item.start).u8(item.flags),
    );
    encoder.string(body.hostname);
  },
  decode(decoder, context) {
    const isOld = context.version < 2;
    const what = decoder.map(
      'what',
      4 + (isOld ? oldItemBytes : itemBytes),
      () => decoder.string('name'),
      () => (isOld ? decodeOldItem(decoder) : { start: decoder.u64('start'), flags: decoder.u8('flags') }),
    );
    return { what, hostname: context.version >= 3 ? decoder.string('hostname') : '' };
  },
});
