/**
 * Which types of keys are taken. aes is known to be weak (CVE-2025-30156: whoever holds one key can alter
 * tickets); it is taken, with one warning per thread, until `auth_allowed_ciphers` leaves it out.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import type { CryptoKey } from './crypto-key.ts';
import { KeyType, keyTypeName, keyTypeOf } from './key-type.ts';

/** The code of the warning that `process.emitWarning` gives. */
export const aesWarningCode = 'MSGR2_CEPHX_AES';

let hasWarned = false;

export class CipherPolicy {
  readonly #allowed: ReadonlySet<number>;

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when the option names a type that is not known. */
  constructor(options: Pick<Options, 'auth_allowed_ciphers'>) {
    const names = options.auth_allowed_ciphers.split(/[\s,;]+/).filter((name) => name !== '');
    const types = names.map((name) => {
      const type = keyTypeOf(name);
      if (type === undefined || type === KeyType.None) {
        throw new MsgrError(
          ErrorCode.InvalidArgument,
          `option auth_allowed_ciphers takes a list of aes, aes256k, not ${JSON.stringify(name)}`,
        );
      }
      return type;
    });
    this.#allowed = new Set(types);
  }

  allows(type: number): boolean {
    return this.#allowed.has(type);
  }

  /**
   * `what` says whose key it is: `the key of client.admin`.
   * @throws MsgrError ERR_MSGR_AUTH when keys of its type are not taken.
   */
  require(key: CryptoKey, what: string): void {
    if (!this.allows(key.type)) {
      throw new MsgrError(
        ErrorCode.Auth,
        `${what} is of type ${keyTypeName(key.type)}, which option auth_allowed_ciphers does not name`,
      );
    }
    if (key.type === KeyType.Aes && !hasWarned) {
      hasWarned = true;
      process.emitWarning(
        `${what} is of type aes, whose tickets can be forged by any client of the cluster (CVE-2025-30156); ` +
          'change to keys of type aes256k (Ceph 19.2.6, 20.2.4 and later), then set auth_allowed_ciphers = aes256k',
        { type: 'SecurityWarning', code: aesWarningCode },
      );
    }
  }
}
