/** Types of cephx keys: `CEPH_CRYPTO_*` of ceph_fs.h, under the names that Ceph's commands use. */
export const KeyType = {
  None: 0,
  /** AES-128-CBC with a constant IV and no integrity: known to be weak (CVE-2025-30156). Ceph up to 19. */
  Aes: 1,
  /** AES256-CTS-HMAC-SHA384-192 of RFC 8009. Ceph from 19.2.6 and 20.2.4 on. */
  Aes256k: 2,
} as const;
export type KeyType = (typeof KeyType)[keyof typeof KeyType];

const names: ReadonlyMap<number, string> = new Map([
  [KeyType.None, 'none'],
  [KeyType.Aes, 'aes'],
  [KeyType.Aes256k, 'aes256k'],
]);

/** `aes256k` for 2; `type 9` for a number without a name. */
export function keyTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}

/** Undefined for a name that is none. */
export function keyTypeOf(name: string): KeyType | undefined {
  for (const [type, typeName] of names) if (typeName === name) return type as KeyType;
  return undefined;
}

/** Bytes of a secret: at least these, and as many are generated. */
export const secretBytesOf: Readonly<Record<KeyType, number>> = {
  [KeyType.None]: 0,
  [KeyType.Aes]: 16,
  [KeyType.Aes256k]: 32,
};
