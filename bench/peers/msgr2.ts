/** msgr2 itself, each kind: what all others are compared with. */
import { describeMachine } from '../../src/cli/bench/machine.ts';
import { missingFor, startPair, type Variant, variantOf } from '../../src/cli/bench/variants.ts';
import { moduleBeside } from '../../src/module-beside.ts';
import type { Options } from '../../src/options.ts';
import type { Checkout } from '../against.ts';
import type { PairScenario, Peer } from '../peer.ts';

/**
 * That of all the others. By itself `async` has `reno` within one host; where the bench runs under another one,
 * it gets that. `simple` has what the system has.
 */
const { congestionControl: ofTheSystem } = describeMachine();
const asTheSystem: Partial<Options> =
  ofTheSystem === 'unknown' ? {} : { ms_tcp_congestion_control: ofTheSystem };

const againstEnds = moduleBeside('../against-ends', import.meta.url).href;

interface Kind {
  readonly variant: Variant;
  /** What is added to the variant's own name. */
  readonly word?: string;
  readonly title: string;
  readonly scenarios: readonly PairScenario[];
  readonly options?: Partial<Options>;
  readonly way?: 'requests' | 'loopback';
}

const kinds: readonly Kind[] = [
  {
    variant: variantOf('async', 'default'),
    title: 'msgr2 async',
    scenarios: ['stream', 'rotating', 'requests', 'gc', 'fan-in'],
  },
  {
    variant: variantOf('async', 'borrowing'),
    title: 'msgr2 async, borrowing dispatcher',
    scenarios: ['stream', 'rotating', 'gc'],
  },
  {
    variant: variantOf('async', 'queued'),
    title: 'msgr2 async, through the DispatchQueue',
    scenarios: ['stream'],
  },
  {
    variant: variantOf('async', 'default'),
    word: 'no polling',
    title: 'msgr2 async, polling off',
    scenarios: ['stream', 'requests'],
    options: { ms_busy_poll_us: 0 },
  },
  {
    variant: variantOf('async', 'default'),
    word: 'TCP',
    title: 'msgr2 async, over TCP (no shared memory)',
    scenarios: ['stream', 'rotating', 'requests'],
    options: { ms_shared_memory: false },
  },
  {
    variant: variantOf('async', 'borrowing'),
    word: 'TCP',
    title: 'msgr2 async, borrowing, over TCP',
    scenarios: ['stream', 'rotating'],
    options: { ms_shared_memory: false },
  },
  {
    variant: variantOf('async', 'default'),
    word: 'TCP no polling',
    title: 'msgr2 async, over TCP, polling off',
    scenarios: ['requests'],
    options: { ms_shared_memory: false, ms_busy_poll_us: 0 },
  },
  {
    variant: variantOf('async', 'default'),
    word: 'threaded',
    title: 'msgr2 async, loop on a thread of its own',
    scenarios: ['stream', 'requests'],
    options: { ms_async_op_threads: 1 },
  },
  {
    variant: variantOf('async', 'default'),
    word: 'request()',
    title: 'msgr2 async, request() and reply()',
    scenarios: ['requests'],
    way: 'requests',
  },
  {
    variant: variantOf('async', 'default'),
    word: 'loopback',
    title: 'msgr2 async, connection to itself',
    scenarios: ['loopback'],
    way: 'loopback',
  },
  {
    variant: variantOf('simple', 'default'),
    title: 'msgr2 simple',
    scenarios: ['stream', 'requests', 'gc', 'fan-in'],
  },
  {
    variant: variantOf('async', 'default', 'secure'),
    title: 'msgr2 async, secure mode',
    scenarios: ['stream', 'requests'],
  },
  {
    variant: variantOf('async', 'borrowing', 'secure'),
    title: 'msgr2 async, borrowing, secure mode',
    scenarios: ['stream'],
  },
  {
    variant: variantOf('simple', 'default', 'secure'),
    title: 'msgr2 simple, secure mode',
    scenarios: ['stream'],
  },
];

function optionsOf({ variant, options }: Kind): Partial<Options> {
  return variant.transport === 'async' ? { ...asTheSystem, ...options } : { ...options };
}

function doesOf({ variant, way }: Kind): string {
  if (way === 'loopback') return 'one process, no socket; the same dispatch';
  const protection = variant.mode === 'secure' ? 'AES-128-GCM' : 'CRC-32C of every segment';
  return `${protection}, sequence numbers, acks, replay after a reconnect, priorities, throttles`;
}

function peerOf(kind: Kind, index: number): Peer {
  const { variant, word, title, scenarios, way } = kind;
  return {
    name: word === undefined ? variant.name : `${variant.name} ${word}`,
    title,
    order: index,
    scenarios,
    does: doesOf(kind),
    missing: () => missingFor(variant),
    start: () => startPair(variant, optionsOf(kind), way),
  };
}

export const peers: readonly Peer[] = kinds.map(peerOf);

/** Each kind of this revision and of another one. */
export function twinPeers({ root, commit }: Checkout): (readonly [Peer, Peer])[] {
  return kinds.map((kind, index) => {
    const own = peerOf(kind, index);
    const { variant, way } = kind;
    const options = optionsOf(kind);
    const twin: Peer = {
      ...own,
      name: `${own.name} @ ${commit}`,
      title: `${own.title} @ ${commit}`,
      start: () => startPair(variant, options, way, { moduleUrl: againstEnds, root }),
    };
    return [own, twin];
  });
}
