/** What changed in the configuration, version by version; enough to go back. */
import { ErrorCode, MsgrError } from '../../../errors.ts';

export interface ConfigChange {
  /** `osd/host:a/osd_memory_target` */
  readonly key: string;
  /** Undefined: it was not set, or is not set any more. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface ConfigVersion {
  readonly version: number;
  /** Wall clock in ms. */
  readonly stampMs: number;
  /** What made it, when it was no simple `config set`: `reset to 8`. */
  readonly name: string;
  /** By key. */
  readonly changes: readonly ConfigChange[];
}

export function encodeVersion(version: ConfigVersion): Uint8Array {
  return Buffer.from(JSON.stringify(version));
}

/** @throws MsgrError ERR_MSGR_MALFORMED */
export function decodeVersion(bytes: Uint8Array, key: string): ConfigVersion {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as ConfigVersion;
  } catch (cause) {
    throw new MsgrError(ErrorCode.Malformed, `config-history/${key} in the store is not JSON`, { cause });
  }
}

/** The changes that undo all versions after `version`, given newest first. */
export function undoing(history: readonly ConfigVersion[], version: number): Map<string, string | undefined> {
  const values = new Map<string, string | undefined>();
  for (const { changes, version: each } of history.toReversed()) {
    if (each <= version) break;
    for (const { before, key } of changes) values.set(key, before);
  }
  return values;
}
