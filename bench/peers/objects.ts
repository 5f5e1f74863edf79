/** Objects alone: what bounds an end in JavaScript beside the frames. */
import { startObjects } from '../objects.ts';
import type { Peer } from '../peer.ts';

export const peers: readonly Peer[] = [
  {
    name: 'objects alone',
    title: 'an object each at both ends, and nothing else',
    order: 21,
    scenarios: ['stream'],
    does: 'no message at all: one process makes what is sent, one what a handler gets, and calls it; the slower one counts',
    start: async () => startObjects(),
  },
];
