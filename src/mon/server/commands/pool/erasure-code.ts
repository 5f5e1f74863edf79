/**
 * Erasure code profiles, as the monitor reads them: which plugin cuts objects into how many chunks. Ceph loads
 * the plugin itself to find out; here its defaults and limits are known for those whose arithmetic OSDs
 * of this project's clusters use, and other plugins are refused by name.
 */
import type { MonitorState } from '../../monitor-state.ts';
import { OsdErrno, refusal } from '../osd/shared.ts';

export type Profile = ReadonlyMap<string, string>;

export interface ErasureCode {
  readonly profile: Profile;
  readonly dataChunks: number;
  /** Data and coding chunks. */
  readonly chunks: number;
  /** Bytes of a chunk of an object with this many bytes. */
  chunkBytes(objectBytes: number): number;
}

const defaultDataChunks = 7;
const defaultCodingChunks = 3;
const defaultWordBits = 8;

interface Plugin {
  /** Technique when the profile has none. */
  readonly technique: string;
  readonly techniques: readonly string[];
  /** Properties that the plugin adds, beside k, m and the technique. */
  readonly extra: Profile;
  /** Chunks of an object together are a multiple of this. */
  alignment(dataChunks: number, wordBits: number): number;
}

const wordBytes = 4;
const vectorBytes = 16;
const isaChunkBytes = 32;

const plugins: ReadonlyMap<string, Plugin> = new Map([
  [
    'jerasure',
    {
      technique: 'reed_sol_van',
      techniques: ['reed_sol_van'],
      extra: new Map([
        ['jerasure-per-chunk-alignment', 'false'],
        ['w', String(defaultWordBits)],
      ]),
      alignment: (dataChunks: number, wordBits: number) =>
        (wordBits * wordBytes) % vectorBytes === 0
          ? dataChunks * wordBits * wordBytes
          : dataChunks * wordBits * vectorBytes,
    },
  ],
  [
    'isa',
    {
      technique: 'reed_sol_van',
      techniques: ['reed_sol_van', 'cauchy'],
      extra: new Map(),
      alignment: (dataChunks: number) => dataChunks * isaChunkBytes,
    },
  ],
]);

/** Where the chunks go, unless the profile says. */
const placementDefaults: Profile = new Map([
  ['crush-device-class', ''],
  ['crush-failure-domain', 'host'],
  ['crush-root', 'default'],
]);

export function profileOf({ pendingOsdMap }: MonitorState, name: string): Profile | undefined {
  if (pendingOsdMap.change.oldErasureCodeProfiles.includes(name)) return undefined;
  const { base, change } = pendingOsdMap;
  return change.newErasureCodeProfiles.get(name) ?? base.erasureCodeProfiles.get(name);
}

/** @throws MsgrError EINVAL when there is none, or its numbers make no code */
export function erasureCodeOf(monitor: MonitorState, name: string): ErasureCode {
  const profile = profileOf(monitor, name);
  if (profile === undefined)
    throw refusal(
      OsdErrno.EINVAL,
      "cannot determine the erasure code plugin because there is no 'plugin' entry in the erasure_code_profile {}",
    );
  return readProfile(profile);
}

/** The profile with all that its plugin adds. @throws MsgrError in Ceph's words where it has some */
export function completeProfile(profile: Profile): Profile {
  const { plugin } = readProfile(profile);
  const complete = new Map([...placementDefaults, ...plugin.extra, ['technique', plugin.technique] as const]);
  complete.set('k', String(defaultDataChunks)).set('m', String(defaultCodingChunks));
  for (const [name, value] of profile) complete.set(name, value);
  return sortedProfile(complete);
}

export function sortedProfile(profile: Profile): Map<string, string> {
  return new Map([...profile].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function readProfile(profile: Profile): ErasureCode & { readonly plugin: Plugin } {
  const name = profile.get('plugin') ?? 'jerasure';
  const plugin = plugins.get(name);
  if (plugin === undefined) {
    throw refusal(
      OsdErrno.EIO,
      `erasure code plugin ${name} is not known here; ${[...plugins.keys()].join(', ')} are`,
    );
  }
  const technique = profile.get('technique') ?? plugin.technique;
  if (!plugin.techniques.includes(technique)) {
    throw refusal(
      OsdErrno.ENOENT,
      `technique=${technique} is not a valid coding technique. Choose one of the following: ${plugin.techniques.join(', ')}`,
    );
  }
  const dataChunks = wholeNumber(profile, 'k', defaultDataChunks);
  const codingChunks = wholeNumber(profile, 'm', defaultCodingChunks);
  const wordBits = wholeNumber(profile, 'w', defaultWordBits);
  if (dataChunks < 2) throw refusal(OsdErrno.EINVAL, `k=${dataChunks} must be >= 2`);
  if (codingChunks < 1) throw refusal(OsdErrno.EINVAL, `m=${codingChunks} must be >= 1`);
  if (![8, 16, 32].includes(wordBits)) {
    throw refusal(OsdErrno.EINVAL, `ReedSolomonVandermonde: w=${wordBits} must be one of {8, 16, 32}`);
  }
  const alignment = plugin.alignment(dataChunks, wordBits);
  return {
    plugin,
    profile,
    dataChunks,
    chunks: dataChunks + codingChunks,
    chunkBytes: (objectBytes) => (Math.ceil(objectBytes / alignment) * alignment) / dataChunks,
  };
}

function wholeNumber(profile: Profile, name: string, fallback: number): number {
  const text = profile.get(name);
  if (text === undefined || text === '') return fallback;
  if (/^[+-]?\d{1,9}$/.test(text)) return Number(text);
  throw refusal(
    OsdErrno.EINVAL,
    `could not convert ${name}=${text} to int because Expected option value to be integer, got '${text}', ` +
      `set to default ${fallback}`,
  );
}
