/** The maps that a real monitor sent, out of recorded streams. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OSDMapIncremental } from '../../../src/maps/incremental.ts';
import { emptyOsdMap, type OSDMap } from '../../../src/maps/osdmap.ts';
import { decodeOsdMap } from '../../../src/maps/osdmap-codec.ts';
import { Decoder } from '../../../src/wire/decoder.ts';
import { messageHeaderFromBytes } from '../../../src/wire/message-header.ts';
import { MMonMap } from '../../../src/wire/messages/m-mon-map.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { type CaptureFrame, captureFrames, captureStreams, fixtureCaptures } from '../../support/captures.ts';
import { secureFrames } from './secure-captures.ts';

export interface RecordedMaps {
  readonly monMaps: Uint8Array[];
  /** By epoch; every copy that was sent. */
  readonly full: [epoch: number, bytes: Uint8Array][];
  readonly incremental: [epoch: number, bytes: Uint8Array][];
}

const mapFixtures = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/maps');
/** Tag of a MESSAGE frame. */
const messageTag = 17;

/** All maps in the streams of one folder; those of an encrypted one need its keyring. */
export function recordedMaps(folder: string, root: string = fixtureCaptures): RecordedMaps {
  if (folder === 'cephx-secure') return mapsIn(secureFrames(root, folder));
  return mapsIn(captureStreams(root, folder).flatMap((stream) => [...captureFrames(stream)]));
}

function mapsIn(frames: readonly Pick<CaptureFrame, 'tag' | 'segments'>[]): RecordedMaps {
  const maps: RecordedMaps = { monMaps: [], full: [], incremental: [] };
  for (const { tag, segments } of frames) {
    if (tag !== messageTag) continue;
    const { type, version, compatVersion } = messageHeaderFromBytes(segments[0]!);
    const message = { version, compatVersion, front: segments[1]! };
    if (type === MMonMap.type) {
      maps.monMaps.push(MMonMap.decode(message).monmap);
    } else if (type === MOSDMap.type) {
      const osdMap = MOSDMap.decode(message);
      maps.full.push(...osdMap.maps);
      maps.incremental.push(...osdMap.incrementalMaps);
    }
  }
  return maps;
}

/** The distinct maps of each kind, in the order they were sent. */
export function distinct(maps: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Map(maps.map((bytes) => [Buffer.from(bytes).toString('base64'), bytes]));
  return [...seen.values()];
}

/** A full map and the changes after it. */
export interface RecordedHistory {
  readonly full: Uint8Array;
  readonly incrementals: readonly Uint8Array[];
}

/** The histories in test/fixtures/maps. */
export function recordedHistories(): RecordedHistory[] {
  return readdirSync(mapFixtures)
    .filter((name) => name.endsWith('.bin'))
    .map((name) => {
      const decoder = new Decoder(readFileSync(join(mapFixtures, name)), name);
      const full = decoder.buffer('full');
      const incrementals: Uint8Array[] = [];
      while (decoder.remaining > 0) incrementals.push(decoder.buffer('incremental'));
      return { full, incrementals };
    });
}

/** The map before the first: nothing, of the cluster whose first change is given. */
export function emptyEpoch(change: OSDMapIncremental): OSDMap {
  const full = decodeOsdMap(change.fullMap);
  return { ...emptyOsdMap(full.crush, full.crushBytes), epoch: change.epoch - 1 };
}
