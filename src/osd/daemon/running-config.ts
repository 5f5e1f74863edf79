/**
 * The options of a running OSD: ceph.conf and the command line as they were read, what the monitors'
 * database says, and what an operator set by hand since. As in Ceph the monitors' word is the weakest and
 * the operator's the strongest:
 *
 *      default < mon < file and command line < override
 */
import type { CephConfig } from '../../config/ceph-config.ts';
import { optionNamed, parseOption } from '../../config/option-text.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { type OptionName, type Options, optionTable, resolveOptions } from '../../options.ts';
import type { ConfigDifference, ConfigSource, OsdDaemonConfig } from './status.ts';

/** Options that are only text to this code, and are shown. */
const textOptions = [
  'admin_socket',
  'cluster_addr',
  'cluster_network',
  'fsid',
  'host',
  'keyring',
  'log_file',
  'mon_host',
  'osd_data',
  'public_addr',
  'public_network',
  'run_dir',
] as const;

/** Parts that read these while they run; all others are read once. */
const liveOptions =
  /^(osd_heartbeat_|osd_debug_drop_ping|debug_|mon_warn_|mon_osd_|osd_mon_|osd_beacon_|osd_map_|osd_max_markdown|osd_fast_|osd_op_thread)/;

export class RunningConfig implements OsdDaemonConfig {
  readonly #config: CephConfig;
  readonly #onChange: (options: Options) => void;
  #fromMonitors: ReadonlyMap<string, string> = new Map();
  readonly #overrides = new Map<OptionName, string>();
  #options: Options;

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for an option of the command line that cannot be used. */
  constructor(config: CephConfig, onChange: (options: Options) => void = () => {}) {
    this.#config = config;
    this.#onChange = onChange;
    this.#options = resolveOptions(config.options);
  }

  /** Typed, of this moment. */
  get options(): Options {
    return this.#options;
  }

  show(): ReadonlyMap<string, string> {
    const names = [...Object.keys(optionTable), ...textOptions].sort();
    return new Map(names.map((name) => [name, this.get(name) ?? '']));
  }

  get(name: string): string | undefined {
    const known = optionNamed(name);
    if (known !== undefined) return String(this.#options[known]);
    const text = textOptions.find((each) => each === name);
    return text === undefined ? undefined : (this.#config.get(text) ?? '');
  }

  set(name: string, value: string): { readonly name: OptionName; readonly needsRestart: boolean } {
    const known = optionNamed(name);
    if (known === undefined) {
      const reason = textOptions.some((each) => each === name)
        ? `option ${name} is read only when the OSD starts`
        : `no option is named ${name}`;
      throw new MsgrError(ErrorCode.InvalidArgument, reason);
    }
    const before = this.#overrides.get(known);
    this.#overrides.set(known, value);
    try {
      this.#resolve(true);
    } catch (error) {
      if (before === undefined) this.#overrides.delete(known);
      else this.#overrides.set(known, before);
      throw error;
    }
    return { name: known, needsRestart: !liveOptions.test(known) };
  }

  diff(): ReadonlyMap<OptionName, ConfigDifference> {
    const differences = new Map<OptionName, ConfigDifference>();
    for (const name of Object.keys(optionTable) as OptionName[]) {
      const source = this.#sourceOf(name);
      if (source === 'default') continue;
      const value = String(this.#options[name]);
      differences.set(name, { default: String(optionTable[name].default), value, source });
    }
    return differences;
  }

  /** What the monitors' database sets for this OSD; replaces what it set before. */
  setFromMonitors(config: ReadonlyMap<string, string>): void {
    this.#fromMonitors = config;
    this.#resolve(false);
  }

  #sourceOf(name: OptionName): ConfigSource {
    if (this.#overrides.has(name)) return 'override';
    if (this.#config.whereSet(name) !== undefined) return 'file';
    return this.#fromMonitors.has(name) ? 'mon' : 'default';
  }

  /** An option that the monitors set to something unusable is left at its default, as in Ceph. */
  #resolve(isStrict: boolean): void {
    const typed: Record<string, unknown> = {};
    for (const [rawName, text] of this.#fromMonitors) {
      const name = optionNamed(rawName);
      if (name === undefined) continue;
      try {
        typed[name] = parseOption(name, text);
      } catch (error) {
        if (!(error instanceof MsgrError)) throw error;
      }
    }
    Object.assign(typed, this.#config.options);
    for (const [name, text] of this.#overrides) typed[name] = parseOption(name, text);
    const options = resolveOptions(typed as Partial<Options>);
    if (
      !isStrict &&
      Object.entries(options).every(([name, value]) => this.#options[name as OptionName] === value)
    )
      return;
    this.#options = options;
    this.#onChange(options);
  }
}
