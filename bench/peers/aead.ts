/** The cipher of secure mode alone: what that mode is measured against. */
import { startAead } from '../aead.ts';
import type { Peer } from '../peer.ts';

export const peers: readonly Peer[] = [
  {
    name: 'AEAD alone',
    title: 'AES-128-GCM alone, node:crypto, 64 KiB at once',
    order: 20,
    scenarios: ['stream'],
    does: 'no message at all: one process seals, one opens; the slower one counts',
    start: async () => startAead(),
  },
];
