/**
 * MMgrMap: which manager daemon is active. Only the beginning of the map is read, up to the active
 * manager; the modules and their options after it are of no use here, and the bytes are kept whole.
 */
import { Decoder } from '../decoder.ts';
import { decodeEntityAddrVec, type EntityAddrVec } from '../entity-addrvec.ts';
import { defineMessage } from './registry.ts';

export interface MMgrMap {
  /** An encoded MgrMap, its struct header included. */
  readonly mgrMap: Uint8Array;
}

export const MMgrMap = defineMessage<MMgrMap>({
  type: 0x704,
  name: 'mgrmap',
  headVersion: 1,
  compatVersion: 1,
  encode: (body, encoder) => void encoder.raw(body.mgrMap),
  decode(decoder) {
    const mgrMap = decoder.raw(decoder.remaining, 'mgrMap');
    decodeMgrMapHead(mgrMap);
    return { mgrMap };
  },
});

/** What {@link decodeMgrMapHead} reads of a MgrMap. */
export interface MgrMapHead {
  readonly epoch: number;
  /** Of the active manager; empty when there is none. */
  readonly activeAddrs: EntityAddrVec;
  readonly activeGid: bigint;
  readonly available: boolean;
  readonly activeName: string;
}

/** Newest struct_v whose beginning is known to be laid out like this; readers of 6 are allowed for. */
const version = 12;

/** @throws MsgrError `ERR_MSGR_MALFORMED` */
export function decodeMgrMapHead(mgrMap: Uint8Array): MgrMapHead {
  const decoder = new Decoder(mgrMap);
  return decoder.versioned('mgrMap', version, () => ({
    epoch: decoder.u32('epoch'),
    activeAddrs: decodeEntityAddrVec(decoder, 'activeAddrs'),
    activeGid: decoder.u64('activeGid'),
    available: decoder.bool('available'),
    activeName: decoder.string('activeName'),
  }));
}
