/** The fuzzer of the map decoders: a seeded mutation, the decoders, and what must hold of the outcome. */
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { decodeCrushMap, encodeCrushMap } from '../../../src/maps/crush/codec.ts';
import { decodeIncremental, encodeIncremental } from '../../../src/maps/incremental-codec.ts';
import { decodeMonMap, encodeMonMap } from '../../../src/maps/mon-map.ts';
import { mapCrc } from '../../../src/maps/osd-fields.ts';
import type { OSDMap } from '../../../src/maps/osdmap.ts';
import { decodeOsdMap, encodeOsdMap } from '../../../src/maps/osdmap-codec.ts';
import { Placement } from '../../../src/maps/placement.ts';
import { SeededRandom } from './random.ts';
import { distinct, recordedHistories, recordedMaps } from './recorded-maps.ts';

export type MapKind = 'osdmap' | 'incremental' | 'monmap' | 'crush';

export interface FuzzInput {
  readonly kind: MapKind;
  readonly bytes: Uint8Array;
}

export interface FuzzOptions {
  readonly executions: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzResult {
  accepted: number;
  refused: number;
  /** Different field names in refusals: how much of the decoders was reached. */
  fields: number;
  placed: number;
  endless: number;
}

const progressEvery = 500_000;
/** A placement of an accepted map costs at most some tenths of a second; more would be a bug. */
const pgsPerPool = 2;

/** What real monitors sent, and the richer maps of the fixtures. */
export function fuzzCorpus(): FuzzInput[] {
  const corpus: FuzzInput[] = [];
  for (const folder of ['none', 'cephx-crc']) {
    const { monMaps, full, incremental } = recordedMaps(folder);
    for (const bytes of distinct(monMaps)) corpus.push({ kind: 'monmap', bytes });
    for (const bytes of distinct(full.map(([, map]) => map))) {
      corpus.push({ kind: 'osdmap', bytes }, { kind: 'crush', bytes: decodeOsdMap(bytes).crushBytes });
    }
    for (const bytes of distinct(incremental.map(([, map]) => map)))
      corpus.push({ kind: 'incremental', bytes });
  }
  for (const { full, incrementals } of recordedHistories()) {
    corpus.push({ kind: 'osdmap', bytes: full }, { kind: 'crush', bytes: decodeOsdMap(full).crushBytes });
    for (const bytes of incrementals) corpus.push({ kind: 'incremental', bytes });
  }
  return corpus;
}

const codecs: Record<
  MapKind,
  { decode: (bytes: Uint8Array) => unknown; encode: (map: never) => Uint8Array }
> = {
  osdmap: { decode: (bytes) => decodeOsdMap(bytes), encode: encodeOsdMap },
  incremental: { decode: decodeIncremental, encode: encodeIncremental },
  monmap: { decode: decodeMonMap, encode: encodeMonMap },
  crush: { decode: (bytes) => decodeCrushMap(bytes), encode: encodeCrushMap },
};

/** @throws Error that names seed and execution when anything but what must hold happens. */
export function runFuzz(corpus: readonly FuzzInput[], options: FuzzOptions): FuzzResult {
  const result: FuzzResult = { accepted: 0, refused: 0, fields: 0, placed: 0, endless: 0 };
  const fields = new Set<string>();
  // Small maps are quick, and one change in a small map matters more.
  const small = corpus.filter(({ bytes }) => bytes.byteLength < 700);
  for (let execution = 0; execution < options.executions; execution++) {
    // Each execution has a seed of its own, so that one can be repeated without those before it.
    const random = new SeededRandom(options.seed * 0x9e3779b1 + execution);
    const { kind, bytes } = random.pick(random.chance(0.8) ? small : corpus);
    const mutated = mutate(random, bytes);
    if (random.chance(0.5)) repairCrc(kind, mutated);
    try {
      execute(kind, mutated, result, fields);
    } catch (cause) {
      throw new Error(`seed ${options.seed}, execution ${execution} (${kind}): ${cause}`, { cause });
    }
    if ((execution + 1) % progressEvery === 0) options.onProgress?.(execution + 1);
  }
  result.fields = fields.size;
  return result;
}

function execute(kind: MapKind, bytes: Uint8Array, result: FuzzResult, fields: Set<string>): void {
  const { decode, encode } = codecs[kind];
  let map: unknown;
  try {
    map = decode(bytes);
  } catch (error) {
    if (!(error instanceof MsgrError) || error.code !== ErrorCode.Malformed) throw error;
    const { field, offset } = error;
    if (field === undefined || offset === undefined || offset < 0 || offset > bytes.byteLength) {
      throw new Error(`refused without a place: ${error.message}`);
    }
    fields.add(field.replaceAll(/\.-?\d+/g, '.N'));
    result.refused++;
    return;
  }
  result.accepted++;
  // What was accepted may have been written in an odd way; what we write is read and written the same.
  const first = encode(map as never);
  const second = encode(decode(first) as never);
  if (Buffer.compare(first, second) !== 0) throw new Error('encodes to other bytes the second time');
  if (kind === 'osdmap') place(map as OSDMap, result);
}

function place(map: OSDMap, result: FuzzResult): void {
  const placement = new Placement(map);
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < Math.min(pgNum, pgsPerPool); seed++) {
      try {
        placement.pgToRaw({ pool, seed });
        placement.pgToUpActing({ pool, seed });
        result.placed++;
      } catch (error) {
        if (!(error instanceof MsgrError) || error.field !== 'crush.rules') throw error;
        result.endless++;
        return;
      }
    }
  }
}

const extremes = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** One to eight changes; the result is a copy of its own. */
function mutate(random: SeededRandom, original: Uint8Array): Uint8Array {
  let bytes = Buffer.from(original);
  const count = random.chance(0.5) ? 1 : random.between(2, 8);
  for (let change = 0; change < count && bytes.byteLength > 8; change++) {
    const at = random.between(0, bytes.byteLength - 1);
    switch (random.between(0, 6)) {
      case 0:
        bytes[at]! ^= 1 << random.between(0, 7);
        break;
      case 1:
        bytes[at] = random.between(0, 255);
        break;
      case 2:
      case 3:
        if (at + 4 <= bytes.byteLength) bytes.writeUInt32LE(random.pick(extremes), at);
        break;
      case 4: {
        const length = random.between(1, 16);
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      }
      case 5: {
        const from = random.between(0, bytes.byteLength - 1);
        const piece = bytes.subarray(from, from + random.between(1, 64));
        bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        break;
      }
      default:
        if (random.chance(0.2)) bytes = Buffer.from(bytes.subarray(0, at));
        else if (at + 1 < bytes.byteLength) bytes[at + 1] = bytes[at]!;
    }
  }
  return bytes;
}

/** Sets the wrapper's length and the CRC to what they must be. */
function repairCrc(kind: MapKind, bytes: Uint8Array): void {
  if (kind === 'crush' || kind === 'monmap' || bytes.byteLength < 32) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(2, bytes.byteLength - 6, true);
  const crcAt = bytes.byteLength - (kind === 'osdmap' ? 4 : 8);
  view.setUint32(crcAt, mapCrc(bytes, 0, crcAt, bytes.byteLength), true);
}
