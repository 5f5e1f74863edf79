/**
 * `entity_inst_t`: a name and one address. Only old encodings have it; newer ones carry the number and
 * an address vector, so it is read and never written.
 */
import type { Decoder } from './decoder.ts';
import { decodeEntityAddr, type EntityAddr } from './entity-addr.ts';
import { decodeEntityName, type EntityName } from './entity-name.ts';

export interface EntityInst {
  readonly name: EntityName;
  readonly addr: EntityAddr;
}

export function decodeEntityInst(decoder: Decoder, field: string): EntityInst {
  return decoder.within(field, () => ({
    name: decodeEntityName(decoder, 'name'),
    addr: decodeEntityAddr(decoder, 'addr'),
  }));
}
