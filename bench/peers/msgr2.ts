/** msgr2 itself, each kind: what all others are compared with. */
import { startPair, type Variant, variantOf } from '../../src/cli/bench/variants.ts';
import { nativeAvailable } from '../../src/native.ts';
import type { Peer } from '../peer.ts';

function peerOf(variant: Variant, title: string, order: number): Peer {
  return {
    name: variant.name,
    title,
    order,
    missing: () =>
      variant.transport === 'async' && !nativeAvailable() ? 'the native core is not built' : undefined,
    start: () => startPair(variant),
  };
}

export const peers: readonly Peer[] = [
  peerOf(variantOf('async', 'default'), 'msgr2 async', 1),
  peerOf(variantOf('async', 'borrowing'), 'msgr2 async, borrowing dispatcher', 2),
  peerOf(variantOf('simple', 'default'), 'msgr2 simple', 3),
];
