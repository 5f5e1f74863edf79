/**
 * The configuration of one entity, as Ceph puts it together: options given by hand win over the entity's
 * own section of the file (`[osd.3]`), that over its type's (`[osd]`), that over `[global]`, and that over
 * the defaults. Options that this project does not know can be read as text.
 */
import { homedir, hostname } from 'node:os';
import { inspect } from 'node:util';
import { ErrorCode, MsgrError } from '../errors.ts';
import { type OptionName, type Options, optionTable } from '../options.ts';
import { type EntityAuthName, entityTypeName } from '../wire/entity-name.ts';
import { ConfFile, clusterOf, findConf } from './conf-file.ts';
import { normalizeKey } from './conf-grammar.ts';
import { expandMetavariables } from './metavariables.ts';
import { optionNamed, parseOption } from './option-text.ts';

export interface CephConfigInit {
  /** Whose configuration it is: `client.admin`. */
  readonly name: EntityAuthName;
  /** `ceph` unless said otherwise; it stands for `$cluster`. */
  readonly cluster?: string;
  readonly file?: ConfFile;
  /** Options given by hand, by name; case, spaces and underscores as in a file. */
  readonly given?: Readonly<Record<string, string>>;
  readonly environment?: NodeJS.ProcessEnv;
}

export interface CephConfigLoad {
  readonly name: EntityAuthName;
  /** Absent: the name of the file that `conf` leads to, or `ceph`. */
  readonly cluster?: string | undefined;
  /** `-c`: the file to read, in place of those that are looked for. */
  readonly conf?: string | undefined;
  readonly given?: Readonly<Record<string, string>>;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Defaults of options whose value is only text, as far as values refer to them. */
const textDefaults: Readonly<Record<string, string>> = {
  run_dir: '/var/run/ceph',
  admin_socket: '$run_dir/$cluster-$name.asok',
  mon_data: '/var/lib/ceph/mon/$cluster-$id',
  mds_data: '/var/lib/ceph/mds/$cluster-$id',
  osd_data: '/var/lib/ceph/osd/$cluster-$id',
};

const keyringDefault =
  '/etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin';

/** By the entity's type, where it is another. */
const keyringDefaults: Readonly<Record<string, string>> = {
  osd: '$osd_data/keyring',
  mds: '$mds_data/keyring',
};

/** Immutable. */
export class CephConfig {
  readonly name: EntityAuthName;
  readonly cluster: string;
  readonly file: ConfFile;
  /** Paths that were tried before `file` was found, or in vain. */
  readonly searched: readonly string[];
  readonly #given: ReadonlyMap<string, string>;
  readonly #environment: NodeJS.ProcessEnv;
  #typed: { options: Partial<Options>; warnings: string[] } | undefined;

  constructor(init: CephConfigInit, searched: readonly string[] = []) {
    this.name = init.name;
    this.cluster = init.cluster ?? 'ceph';
    this.file = init.file ?? ConfFile.none;
    this.searched = searched;
    this.#environment = init.environment ?? process.env;
    this.#given = new Map(Object.entries(init.given ?? {}).map(([key, value]) => [normalizeKey(key), value]));
  }

  /**
   * Finds and reads the file: `conf`, else $CEPH_CONF, else /etc/ceph, ~/.ceph and the current folder. That
   * none of the latter is there is no error; `file.path` is empty then.
   *
   * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when `conf` cannot be opened, ERR_MSGR_MALFORMED with file
   *   and line for a file that is no ceph.conf.
   */
  static load({ conf, cluster, environment, ...init }: CephConfigLoad): CephConfig {
    const rest = environment === undefined ? init : { ...init, environment };
    const { file, tried } = findConf({ conf, cluster: cluster ?? 'ceph', ...rest });
    const named = cluster ?? (conf === undefined || conf === '' ? 'ceph' : clusterOf(file.path));
    return new CephConfig({ ...rest, cluster: named, file }, tried);
  }

  /** Without values: one of them may be a key. */
  [inspect.custom](): string {
    return `CephConfig of ${this.name} in ${this.cluster}, ${inspect(this.file)}`;
  }

  /** The sections that count for this entity, the strongest first. */
  get sections(): readonly string[] {
    return [String(this.name), entityTypeName(this.name.type), 'global'];
  }

  /** An option's text, metavariables undone; undefined when it is not set and has no default. */
  get(option: string): string | undefined {
    const key = normalizeKey(option);
    const text = this.#textOf(key);
    return text === undefined ? undefined : this.#expand(text, [key]);
  }

  /** Where an option was set, for messages: `/etc/ceph/ceph.conf:12`; undefined for a default. */
  whereSet(option: string): string | undefined {
    const key = normalizeKey(option);
    if (this.#given.has(key)) return `option ${key}`;
    const found = this.file.find(this.sections, key);
    return found === undefined ? undefined : `${this.file.path}:${found.line}`;
  }

  /** The options that are set and known, typed. What cannot be used is left out and told in `warnings`. */
  get options(): Partial<Options> {
    return this.#typedOptions().options;
  }

  /** One line for each known option whose value is refused, as Ceph refuses it: the default holds. */
  get warnings(): readonly string[] {
    return this.#typedOptions().warnings;
  }

  /** The files that may hold this entity's key, in the order in which they are tried. */
  get keyringPaths(): readonly string[] {
    return (this.get('keyring') ?? '').split(/[;,=\s]+/).filter((path) => path !== '');
  }

  /**
   * The monitors, as `mon host` is written: from that option, or from the `mon addr` of `[mon.x]` sections.
   * Undefined when there is neither.
   */
  get monHost(): string | undefined {
    const set = this.get('mon_host');
    if (set !== undefined && set !== '') return set;
    const addrs: string[] = [];
    for (const section of this.file.sections.keys()) {
      const addr = /^mon\../.test(section) ? this.file.find([section], 'mon_addr') : undefined;
      if (addr !== undefined) addrs.push(addr.value);
    }
    return addrs.length === 0 ? undefined : addrs.join(',');
  }

  #typedOptions(): { options: Partial<Options>; warnings: string[] } {
    if (this.#typed !== undefined) return this.#typed;
    const options: Record<string, unknown> = {};
    const warnings: string[] = [];
    for (const option of Object.keys(optionTable) as OptionName[]) {
      const where = this.whereSet(option);
      if (where === undefined) continue;
      try {
        options[option] = parseOption(option, this.get(option)!);
      } catch (error) {
        if (!(error instanceof MsgrError)) throw error;
        // What was typed by hand is refused when it is typed wrong; a file may be written for other programs.
        if (this.#given.has(option)) throw error;
        warnings.push(`${where}: ${error.message}`);
      }
    }
    this.#typed = { options: options as Partial<Options>, warnings };
    return this.#typed;
  }

  /** As it stands there, or as it is by default. */
  #textOf(key: string): string | undefined {
    return this.#given.get(key) ?? this.file.find(this.sections, key)?.value ?? this.#defaultOf(key);
  }

  #defaultOf(key: string): string | undefined {
    if (key === 'keyring') return keyringDefaults[entityTypeName(this.name.type)] ?? keyringDefault;
    const known = optionNamed(key);
    return known === undefined ? textDefaults[key] : String(optionTable[known].default);
  }

  /** A name that leads back to itself stays as it is. */
  #expand(text: string, within: readonly string[]): string {
    return expandMetavariables(text, (name) => {
      const own = this.#ownVariable(name);
      if (own !== undefined) return own;
      if (within.includes(name)) return undefined;
      const value = this.#textOf(name);
      return value === undefined ? undefined : this.#expand(value, [...within, name]);
    });
  }

  #ownVariable(name: string): string | undefined {
    switch (name) {
      case 'cluster':
        return this.cluster;
      case 'type':
        return entityTypeName(this.name.type);
      case 'name':
        return String(this.name);
      case 'id':
      case 'num':
        return this.name.id;
      case 'host':
        return this.#textOf('host') || hostname().replace(/\..*$/, '');
      case 'pid':
        return String(process.pid);
      // Ceph tells the contexts of one process apart by it; here there is one.
      case 'cctid':
        return '1';
      case 'home':
        return this.#environment.HOME ?? homedir();
      default:
        return undefined;
    }
  }
}

/** What `given` takes, from `name=value`. */
export function parseGiven(text: string): [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals <= 0) {
    throw new MsgrError(ErrorCode.InvalidArgument, `${JSON.stringify(text)} is not NAME=VALUE`);
  }
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}
