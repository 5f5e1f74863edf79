/** msgr2 itself, each kind: what all others are compared with. */
import { missingFor, startPair, type Variant, variantOf } from '../../src/cli/bench/variants.ts';
import type { Peer } from '../peer.ts';

function peerOf(variant: Variant, title: string, order: number): Peer {
  return {
    name: variant.name,
    title,
    order,
    missing: () => missingFor(variant),
    start: () => startPair(variant),
  };
}

export const peers: readonly Peer[] = [
  peerOf(variantOf('async', 'default'), 'msgr2 async', 1),
  peerOf(variantOf('async', 'borrowing'), 'msgr2 async, borrowing dispatcher', 2),
  peerOf(variantOf('simple', 'default'), 'msgr2 simple', 3),
  peerOf(variantOf('async', 'default', 'secure'), 'msgr2 async, secure mode', 4),
  peerOf(variantOf('async', 'borrowing', 'secure'), 'msgr2 async, borrowing, secure mode', 5),
  peerOf(variantOf('simple', 'default', 'secure'), 'msgr2 simple, secure mode', 6),
];
