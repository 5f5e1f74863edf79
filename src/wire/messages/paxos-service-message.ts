/**
 * The 18 bytes that begin every message to or from a service of the monitor (facts 2.6): the version of
 * the map that the sender has, and two fields that have lost their meaning and are written as -1 and 0.
 */
import type { Decoder } from '../decoder.ts';
import type { Encoder } from '../encoder.ts';

export interface PaxosServiceMessage {
  /** Version of the map that the sender has: an OSD's epoch, or 0. 0 when left out. */
  readonly paxosVersion?: bigint;
}

export const paxosPrefixBytes = 18;

export function encodePaxosPrefix(encoder: Encoder, message: PaxosServiceMessage): void {
  encoder
    .u64(message.paxosVersion ?? 0n)
    .i16(-1)
    .u64(0n);
}

/** Spread into the body: `{ ...decodePaxosPrefix(decoder), … }`. */
export function decodePaxosPrefix(decoder: Decoder): { paxosVersion: bigint } {
  const paxosVersion = decoder.u64('paxosVersion');
  decoder.i16('sessionMon');
  decoder.u64('sessionMonTid');
  return { paxosVersion };
}
