/**
 * How the processes of a world authenticate: not at all, or with a shared key whose nonces are the seed's, so
 * that keys and every byte on the wire are the same in each run.
 */
import { Buffer } from 'node:buffer';
import type { AuthProvider } from '../../src/auth/auth.ts';
import type { RandomBytes } from '../../src/auth/cephx/random.ts';
import { sharedKeyProvider } from '../../src/auth/shared-key.ts';
import { ErrorCode, type MsgrError } from '../../src/errors.ts';
import type { StreamSecrets } from '../../src/protocol/stream-secrets.ts';
import type { Random } from '../../src/transport/memory/random.ts';
import { type EntityType, entityTypeName } from '../../src/wire/entity-name.ts';

/**
 * `crc`: AUTH_NONE. `secure`: every connection in secure mode. `mixed`: each process has its own order of the
 * two, and the one that connects decides, so that a session may go from one mode to the other.
 */
export const modeNames = ['crc', 'secure', 'mixed'] as const;
export type ModeName = (typeof modeNames)[number];

/** Of all seeds. */
const secureShare = 0.2;
const mixedShare = 0.1;

export function chooseMode(random: Random): ModeName {
  const choice = random.float();
  if (choice < secureShare) return 'secure';
  return choice < secureShare + mixedShare ? 'mixed' : 'crc';
}

const key = Buffer.from('the key of a simulated world');

export interface AuthTotals {
  /** Ends of streams that came to secure mode. */
  secureEnds: number;
  /** Frames whose tag told that they were altered. */
  tagsRefused: number;
}

/** The authentication of one world, and what must hold of its secrets. */
export class WorldAuth {
  readonly mode: ModeName;
  readonly violations: string[] = [];
  readonly totals: AuthTotals = { secureEnds: 0, tagsRefused: 0 };
  readonly #random: Random;
  readonly #bytes: RandomBytes;
  readonly #used = new Set<string>();

  /** `bytes`: where nonces come from, if not from `random`. */
  constructor(mode: ModeName, random: Random, bytes: RandomBytes = seededBytes(random)) {
    this.mode = mode;
    this.#random = random;
    this.#bytes = bytes;
  }

  /** Of one incarnation of an entity; undefined is AUTH_NONE. */
  provider(type: EntityType, entity: number): AuthProvider | undefined {
    if (this.mode === 'crc') return undefined;
    const crcFirst = this.mode === 'mixed' && this.#random.chance(0.5);
    const modes: ('secure' | 'crc')[] = this.mode === 'secure' ? ['secure'] : ['secure', 'crc'];
    if (crcFirst) modes.reverse();
    return sharedKeyProvider({ name: `${entityTypeName(type)}.${entity}`, key, modes }, this.#bytes);
  }

  /** A stream's end begins to seal with these: no other end, of this or any other stream, ever did. */
  noteSecrets({ key, sendNonce }: StreamSecrets): void {
    this.totals.secureEnds++;
    const used = Buffer.concat([key, sendNonce]).toString('hex');
    if (this.#used.has(used))
      this.violations.push('nonce: two ends of streams seal with the same key and nonce');
    this.#used.add(used);
  }

  noteClosed(cause: MsgrError | undefined): void {
    if (cause?.code === ErrorCode.BadFrame && cause.field?.endsWith('.tag')) this.totals.tagsRefused++;
  }
}

function seededBytes(random: Random): RandomBytes {
  return (count) => {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at + 4 <= count; at += 4) bytes.writeUInt32LE(random.next(), at);
    return bytes;
  };
}
