/** The cipher of secure mode alone: what that mode is measured against. */
import { startAead } from '../aead.ts';
import type { Peer } from '../peer.ts';

export const peers: readonly Peer[] = [
  {
    name: 'AEAD alone',
    title: 'AES-128-GCM alone, node:crypto, 64 KiB at once',
    order: 7,
    start: async () => startAead(),
  },
];
