/** `CephXTicketBlob`: a ticket as its holder has it, sealed for the service and opaque to the holder. */
import type { Decoder } from '../../wire/decoder.ts';
import type { Encoder } from '../../wire/encoder.ts';
import { structVersion } from './sealed.ts';

export interface TicketBlob {
  /** Which of the service's rotating secrets seals it; 2^64 - 1 for a secret that does not rotate. */
  readonly secretId: bigint;
  readonly blob: Uint8Array;
}

/** What a client without a ticket shows. */
export const emptyTicketBlob: TicketBlob = Object.freeze({ secretId: 0n, blob: new Uint8Array(0) });

export function encodeTicketBlob(encoder: Encoder, value: TicketBlob): void {
  encoder.u8(1).u64(value.secretId).buffer(value.blob);
}

export function decodeTicketBlob(decoder: Decoder, field: string): TicketBlob {
  return decoder.within(field, () => {
    structVersion(decoder);
    return { secretId: decoder.u64('secretId'), blob: decoder.buffer('blob') };
  });
}

/** The same with bytes of its own, to be kept. */
export function copyTicketBlob(value: TicketBlob): TicketBlob {
  return { secretId: value.secretId, blob: Uint8Array.from(value.blob) };
}
