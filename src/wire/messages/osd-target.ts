/** The OSD that a report to the monitors is about: the fields that several messages share. */
import type { Decoder } from '../decoder.ts';
import type { Encoder } from '../encoder.ts';
import { decodeEntityAddrVec, EntityAddrVec, encodeEntityAddrVec } from '../entity-addrvec.ts';
import { decodeEntityInst } from '../entity-inst.ts';

export interface OsdTarget {
  readonly targetOsd: number;
  /** Its public addresses: which incarnation is meant. */
  readonly targetAddrs: EntityAddrVec;
}

export function encodeOsdTarget(encoder: Encoder, { targetOsd, targetAddrs }: OsdTarget): void {
  encoder.i32(targetOsd);
  encodeEntityAddrVec(encoder, targetAddrs);
}

/** `isInst`: older versions have an entity_inst_t in its place. */
export function decodeOsdTarget(decoder: Decoder, isInst: boolean): OsdTarget {
  if (isInst) {
    const { addr, name } = decodeEntityInst(decoder, 'target');
    return { targetOsd: Number(BigInt.asIntN(32, name.num)), targetAddrs: EntityAddrVec.of(addr) };
  }
  return {
    targetOsd: decoder.i32('targetOsd'),
    targetAddrs: decodeEntityAddrVec(decoder, 'targetAddrs'),
  };
}
