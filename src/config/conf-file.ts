/** A ceph.conf that was read, and where one is looked for. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { inspect } from 'node:util';
import { ErrorCode, MsgrError } from '../errors.ts';
import { type ConfEntry, type ConfSection, normalizeKey, parseConf } from './conf-grammar.ts';

/** A value with the place it was found at. */
export interface FoundEntry extends ConfEntry {
  readonly section: string;
}

/** Immutable. */
export class ConfFile {
  /** As it was given; empty for no file at all. */
  readonly path: string;
  readonly sections: ReadonlyMap<string, ConfSection>;

  private constructor(path: string, sections: ReadonlyMap<string, ConfSection>) {
    this.path = path;
    this.sections = sections;
  }

  /** What stands for a file where none was found. */
  static readonly none: ConfFile = new ConfFile('', new Map());

  /** @throws MsgrError ERR_MSGR_MALFORMED with file and line. */
  static parse(content: string | Uint8Array, path: string): ConfFile {
    return new ConfFile(
      path,
      parseConf(typeof content === 'string' ? content : decodeUtf8(content, path), path),
    );
  }

  /** Without values: one of them may be a key. */
  [inspect.custom](): string {
    return `ConfFile ${this.path || '(none)'} [${[...this.sections.keys()].join(', ')}]`;
  }

  /** The key's value in the first of the sections that has one. */
  find(sections: readonly string[], key: string): FoundEntry | undefined {
    const normalized = normalizeKey(key);
    for (const section of sections) {
      const entry = this.sections.get(section)?.get(normalized);
      if (entry !== undefined) return { ...entry, section };
    }
    return undefined;
  }
}

function decodeUtf8(content: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw new MsgrError(ErrorCode.Malformed, `${path}: not UTF-8`, { cause });
  }
}

/** Paths in the order they are tried; `$cluster` and `~` in them are undone. */
export interface ConfSearch {
  /** `-c`: one path or several with commas; nothing else is tried then. */
  readonly conf?: string | undefined;
  readonly cluster: string;
  /** CEPH_CONF stands in it, as `-c` in a weaker form. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface FoundConf {
  readonly file: ConfFile;
  /** What was tried, in order; the last one is the file when one was found. */
  readonly tried: readonly string[];
}

/**
 * The first file that can be opened. Without one, `ConfFile.none`: a cluster may be described by options
 * alone.
 *
 * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when `conf` names no file that can be opened, and
 *   ERR_MSGR_MALFORMED for a file that cannot be read as one.
 */
export function findConf({ conf, cluster, environment = process.env }: ConfSearch): FoundConf {
  const list = conf ?? environment.CEPH_CONF;
  const places = list === undefined || list === '' ? defaultPlaces(environment) : splitList(list);
  const tried: string[] = [];
  const reasons: string[] = [];
  for (const place of places) {
    const path = place.replaceAll('$cluster', cluster);
    tried.push(path);
    try {
      return { file: ConfFile.parse(readFileSync(path), path), tried };
    } catch (error) {
      if (error instanceof MsgrError) throw error;
      reasons.push(`${path} (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  if (conf !== undefined && conf !== '') {
    throw new MsgrError(ErrorCode.InvalidArgument, `no ceph.conf can be opened: ${reasons.join(', ')}`);
  }
  return { file: ConfFile.none, tried };
}

function defaultPlaces(environment: NodeJS.ProcessEnv): string[] {
  const home = environment.HOME ?? homedir();
  return ['/etc/ceph/$cluster.conf', join(home, '.ceph/$cluster.conf'), '$cluster.conf'];
}

function splitList(list: string): string[] {
  return list.split(/[;,]/).filter((part) => part !== '');
}

/** `foo` for `/x/foo.conf`: the cluster that a file named with `-c` speaks of; `ceph` for any other name. */
export function clusterOf(path: string): string {
  const match = /^(.+)\.conf$/.exec(basename(path));
  return match?.[1] ?? 'ceph';
}
