/** The objects of a handler alone: what bounds a receiver in JavaScript beside the frames. */
import { startObjects } from '../objects.ts';
import type { Peer } from '../peer.ts';

export const peers: readonly Peer[] = [
  {
    name: 'objects alone',
    title: 'an object and a view each, and nothing else',
    order: 21,
    scenarios: ['stream'],
    does: 'no message at all: one process makes what a handler gets, and calls it',
    start: async () => startObjects(),
  },
];
