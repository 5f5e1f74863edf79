/**
 * Messengers that are broken on purpose. An oracle that has never seen a violation proves nothing: each of
 * these must be found, and by what it is.
 */
import { Buffer } from 'node:buffer';
import type { RandomBytes } from '../../src/auth/cephx/random.ts';
import type { Channel, OutgoingMessage } from '../../src/transport/channel.ts';
import type { Clock } from '../../src/transport/clock.ts';
import type { Random } from '../../src/transport/memory/random.ts';
import type { ModeName } from './auth.ts';

export interface Canary {
  /** What is wrong with the messenger. */
  readonly what: string;
  /** The word that one of the violations begins with. */
  readonly found: string;
  /** Breaks a channel; called for each one of a world. */
  readonly sabotage?: (channel: Channel, random: Random, clock: Clock) => void;
  /** Breaks where nonces come from, in worlds of one mode. */
  readonly auth?: { readonly mode: ModeName; readonly bytes: RandomBytes };
}

/** About one call in so many is treated badly. */
const oneIn = 12;

function badSend(
  treat: (send: (message: OutgoingMessage) => number, message: OutgoingMessage) => number,
): NonNullable<Canary['sabotage']> {
  return (channel, random) => {
    const send = channel.send.bind(channel);
    channel.send = (message) => {
      return random.integer(1, oneIn) === 1 ? treat(send, message) : send(message);
    };
  };
}

export const canaries = {
  sendsTwice: {
    what: 'a message is framed twice, with a sequence number each',
    found: 'duplicate',
    sabotage: badSend((send, message) => {
      send(message);
      return send(message);
    }),
  },
  drops: {
    what: 'a message is not sent at all',
    found: 'lost',
    sabotage: badSend(() => 0),
  },
  damages: {
    what: 'a bit of the payload changes before the CRC is made',
    found: 'damaged',
    sabotage: badSend((send, message) => {
      const data = Uint8Array.from(message.data);
      if (data.length > 0) data[data.length >> 1]! ^= 4;
      const { type, priority, version, compatVersion, tidLow, tidHigh, front, middle } = message;
      return send({ type, priority, version, compatVersion, tidLow, tidHigh, front, middle, data });
    }),
  },
  reorders: {
    what: 'a message is overtaken by the one behind it',
    found: 'reorder',
    sabotage: (channel, random) => {
      const send = channel.send.bind(channel);
      let late: OutgoingMessage | undefined;
      channel.send = (message) => {
        if (late === undefined && random.integer(1, 2) === 1) {
          late = message;
          return 0;
        }
        let bytes = send(message);
        if (late !== undefined) bytes += send(late);
        late = undefined;
        return bytes;
      };
    },
  },
  acknowledgesTooMuch: {
    what: 'after a reconnect one message more than the peer has is taken for acknowledged',
    found: 'lost',
    sabotage: (channel) => {
      const acknowledge = channel.acknowledge.bind(channel);
      channel.acknowledge = (seq) => acknowledge(seq + 1n);
    },
  },
  forgetsReceived: {
    what: 'a connection that is taken over counts what it receives from 1 again',
    found: 'duplicate',
    sabotage: (channel) => {
      const adopt = channel.adopt.bind(channel);
      channel.adopt = (other) => {
        adopt(other);
        channel.resetInSeq();
      };
    },
  },
  connectsOnce: {
    what: 'a connection that broke does not connect again',
    found: 'deadlock',
    sabotage: (channel) => {
      const connect = channel.connect.bind(channel);
      let isFirst = true;
      channel.connect = (address, options) => {
        if (isFirst) connect(address, options);
        isFirst = false;
      };
    },
  },
  leavesTimers: {
    what: 'a connection that ends leaves a timer running',
    found: 'leak',
    sabotage: (channel, _random, clock) => {
      const destroy = channel.destroy.bind(channel);
      channel.destroy = () => {
        destroy();
        clock.setTimeout(() => {}, 900_000);
      };
    },
  },
  repeatsNonces: {
    what: 'what should be random in authentication is the same each time',
    found: 'nonce',
    auth: { mode: 'secure', bytes: (count) => Buffer.alloc(count, 7) },
  },
} as const satisfies Record<string, Canary>;
export type CanaryName = keyof typeof canaries;
export const canaryNames = Object.keys(canaries) as CanaryName[];
