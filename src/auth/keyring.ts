/**
 * Ceph's keyring files: for each entity its key and what it may do.
 *
 *      [client.admin]
 *              key = AQ…==
 *              caps mon = "allow *"
 *
 * Errors name file and line, and never what a key line holds.
 */
import { readFileSync } from 'node:fs';
import { ErrorCode, MsgrError } from '../errors.ts';
import { EntityAuthName, EntityType } from '../wire/entity-name.ts';
import { CryptoKey } from './cephx/crypto-key.ts';

/** What a keyring, or a monitor, knows of one entity. */
export interface EntityAuth {
  readonly key: CryptoKey;
  /** By the service's type: `mon`, `osd`, `mgr`, `mds`. */
  readonly caps: ReadonlyMap<string, string>;
}

/** Bytes of a file that is read; thousands of entities fit. */
const fileBytesMax = 16 * 1024 * 1024;

export class Keyring {
  readonly #entities = new Map<string, EntityAuth>();
  /** The file it was read from, for messages. */
  readonly path: string;

  constructor(path = '') {
    this.path = path;
  }

  /**
   * Reads the first of the files that exists.
   * @throws MsgrError ERR_MSGR_KEYRING when none can be read, or one is no keyring.
   */
  static load(paths: readonly string[]): Keyring {
    const failures: string[] = [];
    for (const path of paths) {
      let text: Buffer;
      try {
        text = readFileSync(path);
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code !== 'ENOENT') {
          throw new MsgrError(ErrorCode.Keyring, `the keyring ${path} cannot be read: ${code}`, { cause });
        }
        failures.push(path);
        continue;
      }
      return Keyring.parse(text, path);
    }
    throw new MsgrError(ErrorCode.Keyring, `no keyring found; looked for ${failures.join(', ') || 'none'}`);
  }

  /** @throws MsgrError ERR_MSGR_KEYRING with file and line. */
  static parse(content: string | Uint8Array, path = 'keyring'): Keyring {
    const bytes = Buffer.from(content as Uint8Array);
    if (bytes.byteLength > fileBytesMax) {
      throw new MsgrError(ErrorCode.Keyring, `${path}: ${bytes.byteLength} bytes are too many for a keyring`);
    }
    const keyring = new Keyring(path);
    new KeyringParser(keyring, path).parse(bytes.toString('utf8'));
    return keyring;
  }

  get size(): number {
    return this.#entities.size;
  }

  /** Names in the order of the file. */
  names(): EntityAuthName[] {
    return [...this.#entities.keys()].map(parseAuthName);
  }

  get(name: EntityAuthName): EntityAuth | undefined {
    return this.#entities.get(String(name));
  }

  /** @throws MsgrError ERR_MSGR_KEYRING that says which entities there are. */
  require(name: EntityAuthName): EntityAuth {
    const found = this.get(name);
    if (found !== undefined) return found;
    const others = [...this.#entities.keys()].join(', ') || 'nobody';
    throw new MsgrError(
      ErrorCode.Keyring,
      `the keyring ${this.path} has no key for ${name}, but for ${others}`,
    );
  }

  set(name: EntityAuthName, auth: EntityAuth): void {
    this.#entities.set(String(name), auth);
  }

  /** The file's text, secrets included; write it with mode 0600. */
  format(): string {
    return [...this.#entities]
      .map(([name, { key, caps }]) => {
        const lines = [...caps].map(([service, cap]) => `\tcaps ${service} = "${escapeQuotes(cap)}"\n`);
        return `[${name}]\n\tkey = ${key.toBase64()}\n${lines.join('')}`;
      })
      .join('');
  }
}

function escapeQuotes(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&');
}

/** Names of keyrings: as elsewhere, and `mon.`, the monitors' common name, whose id is empty. */
export function parseAuthName(text: string): EntityAuthName {
  return text === 'mon.' ? new EntityAuthName(EntityType.Mon, '') : EntityAuthName.parse(text);
}

interface OpenSection {
  readonly name: EntityAuthName;
  readonly line: number;
  readonly caps: Map<string, string>;
  key: CryptoKey | undefined;
}

class KeyringParser {
  readonly #keyring: Keyring;
  readonly #path: string;
  #line = 0;
  #section: OpenSection | undefined;

  constructor(keyring: Keyring, path: string) {
    this.#keyring = keyring;
    this.#path = path;
  }

  parse(text: string): void {
    for (const raw of text.split(/\r?\n/)) {
      this.#line++;
      const line = raw.trim();
      if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
      const header = /^\[([^[\]]+)\]$/.exec(line);
      if (header) this.#begin(header[1]!.trim());
      else this.#assignment(line);
    }
    this.#end();
  }

  #begin(text: string): void {
    this.#end();
    let name: EntityAuthName;
    try {
      name = parseAuthName(text);
    } catch (cause) {
      if (!(cause instanceof MsgrError)) throw cause;
      return this.#fail(cause.message);
    }
    this.#section = { name, line: this.#line, caps: new Map(), key: undefined };
  }

  #assignment(line: string): void {
    const section = this.#section;
    if (section === undefined) return this.#fail('expected a section such as [client.admin] first');
    const equals = line.indexOf('=');
    if (equals < 0) return this.#fail('expected NAME = VALUE');
    const name = line
      .slice(0, equals)
      .trim()
      .replaceAll(/[\s_]+/g, ' ');
    const value = unquote(line.slice(equals + 1).trim());
    if (name === 'key') section.key = this.#parseKey(value);
    else if (name.startsWith('caps ')) section.caps.set(name.slice('caps '.length), value);
    // Ceph passes over what it does not know, and old files have an `auid`.
  }

  #parseKey(value: string): CryptoKey {
    try {
      return CryptoKey.parse(value);
    } catch (cause) {
      if (!(cause instanceof MsgrError)) throw cause;
      return this.#fail(`the value of key: ${cause.message}`);
    }
  }

  #end(): void {
    const section = this.#section;
    if (section === undefined) return;
    if (section.key === undefined) return this.#fail(`[${section.name}] has no key`, section.line);
    this.#keyring.set(section.name, { key: section.key, caps: section.caps });
  }

  #fail(reason: string, line = this.#line): never {
    throw new MsgrError(ErrorCode.Keyring, `${this.#path}:${line}: ${reason}`);
  }
}

function unquote(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
  return quoted ? quoted[1]!.replaceAll(/\\(.)/g, '$1') : value;
}
