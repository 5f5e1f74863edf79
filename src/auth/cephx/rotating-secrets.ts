/**
 * The secrets under which a service's tickets are sealed. A monitor keeps three of each service: the one
 * before, the one in use, and the next, which daemons hold before the first ticket is sealed with it.
 */
import type { Decoder } from '../../wire/decoder.ts';
import type { Encoder } from '../../wire/encoder.ts';
import { decodeUtime, encodeUtime, type Utime, utimeFromMs, utimeToMs } from '../../wire/utime.ts';
import { CryptoKey, decodeCryptoKey, encodeCryptoKey } from './crypto-key.ts';
import type { KeyType } from './key-type.ts';
import { structVersion } from './sealed.ts';

/** `ExpiringCryptoKey`. */
export interface ExpiringKey {
  readonly key: CryptoKey;
  readonly expiration: Utime;
}

/** `RotatingSecrets`: by secret id, oldest first. */
export interface RotatingSecrets {
  readonly secrets: ReadonlyMap<bigint, ExpiringKey>;
  /** The highest id given out so far. */
  readonly maxId: bigint;
}

/** How many a monitor keeps. */
export const rotatingSecretCount = 3;
const entryBytesMin = 8 + 1 + 12 + 8;

export function encodeRotatingSecrets(encoder: Encoder, value: RotatingSecrets): void {
  encoder.u8(1);
  encoder.map(
    value.secrets,
    (id) => encoder.u64(id),
    ({ key, expiration }) => {
      encoder.u8(1);
      encodeCryptoKey(encoder, key);
      encodeUtime(encoder, expiration);
    },
  );
  encoder.u64(value.maxId);
}

export function decodeRotatingSecrets(decoder: Decoder): RotatingSecrets {
  structVersion(decoder);
  const secrets = decoder.map(
    'secrets',
    entryBytesMin,
    () => decoder.u64('id'),
    () => {
      structVersion(decoder);
      return { key: decodeCryptoKey(decoder, 'key'), expiration: decodeUtime(decoder, 'expiration') };
    },
  );
  return { secrets, maxId: decoder.u64('maxId') };
}

/** The secret in use: the last but one, so that daemons know the last before it is used. */
export function currentSecret(value: RotatingSecrets): { id: bigint; secret: ExpiringKey } | undefined {
  const entries = [...value.secrets].sort(([a], [b]) => (a < b ? -1 : 1));
  const current = entries.at(-2) ?? entries.at(-1);
  return current && { id: current[0], secret: current[1] };
}

export const noRotatingSecrets: RotatingSecrets = { secrets: new Map(), maxId: 0n };

/**
 * The secrets as they must be at `now` (ms): whenever the one in use runs out the next takes its place, and
 * another next is made that runs out a lifetime after the last. The same object when nothing is due.
 */
export function rotatedSecrets(
  rotating: RotatingSecrets,
  now: number,
  ttlMs: number,
  type: KeyType,
): RotatingSecrets {
  let rotated = rotating;
  while (mustRotate(rotated, now)) rotated = rotateOnce(rotated, now, ttlMs, type);
  return rotated;
}

function mustRotate(rotating: RotatingSecrets, now: number): boolean {
  if (rotating.secrets.size < rotatingSecretCount) return true;
  return utimeToMs(currentSecret(rotating)!.secret.expiration) <= now;
}

function rotateOnce(
  { secrets, maxId }: RotatingSecrets,
  now: number,
  ttlMs: number,
  type: KeyType,
): RotatingSecrets {
  const last = secrets.get(maxId);
  const begins = last === undefined ? now : Math.max(now + ttlMs, utimeToMs(last.expiration));
  const added: ExpiringKey = {
    key: CryptoKey.generate(type, utimeFromMs(now)),
    expiration: utimeFromMs(begins + ttlMs),
  };
  const all = [...secrets, [maxId + 1n, added] as const];
  return { secrets: new Map(all.slice(-rotatingSecretCount)), maxId: maxId + 1n };
}
