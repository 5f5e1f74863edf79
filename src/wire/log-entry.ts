/** `LogEntry`: one line of the cluster log, struct_v 5 since Nautilus; 2 to 4 are read too. */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import { decodeEntityAddrVec, EntityAddrVec, encodeEntityAddrVec } from './entity-addrvec.ts';
import { decodeEntityInst } from './entity-inst.ts';
import {
  decodeEntityAuthName,
  decodeEntityName,
  EntityAuthName,
  type EntityName,
  EntityType,
  encodeEntityAuthName,
  encodeEntityName,
} from './entity-name.ts';
import { decodeUtime, encodeUtime, type Utime } from './utime.ts';

const version = 5;
const oldestRead = 2;

/** `clog_type`. */
export const LogPriority = { Debug: 0, Info: 1, Security: 2, Warning: 3, Error: 4 } as const;
export type LogPriority = (typeof LogPriority)[keyof typeof LogPriority];

export interface LogEntry {
  readonly name: EntityAuthName;
  readonly rank: EntityName;
  readonly addrs: EntityAddrVec;
  readonly stamp: Utime;
  /** Counts this sender's entries; MLogAck names the last one kept. */
  readonly seq: bigint;
  /** One of {@link LogPriority}. */
  readonly priority: number;
  readonly message: string;
  /** `cluster`, `audit`, `cephadm`. */
  readonly channel: string;
}

/** Struct header and empty fields of version 2, the smallest that is read. */
export const logEntryBytesMin = 6 + 9 + 19 + 8 + 8 + 2 + 4;

export function encodeLogEntry(encoder: Encoder, entry: LogEntry): void {
  encoder.versioned(version, version, () => {
    encodeEntityAuthName(encoder, entry.name);
    encodeEntityName(encoder, entry.rank);
    encodeEntityAddrVec(encoder, entry.addrs);
    encodeUtime(encoder, entry.stamp);
    encoder.u64(entry.seq).u16(entry.priority).string(entry.message).string(entry.channel);
  });
}

export function decodeLogEntry(decoder: Decoder, field: string): LogEntry {
  const at = decoder.position;
  return decoder.versioned(field, version, (written) => {
    if (written < oldestRead) decoder.fail('struct_v', `${written} is older than ${oldestRead}`, at);
    return written < version ? decodeBeforeNautilus(decoder, written) : decodeNautilus(decoder);
  });
}

function decodeNautilus(decoder: Decoder): LogEntry {
  return {
    name: decodeEntityAuthName(decoder, 'name'),
    rank: decodeEntityName(decoder, 'rank'),
    addrs: decodeEntityAddrVec(decoder, 'addrs'),
    stamp: decodeUtime(decoder, 'stamp'),
    seq: decoder.u64('seq'),
    priority: decoder.u16('priority'),
    message: decoder.string('message'),
    channel: decoder.string('channel'),
  };
}

function decodeBeforeNautilus(decoder: Decoder, written: number): LogEntry {
  const who = decodeEntityInst(decoder, 'who');
  const rest = {
    stamp: decodeUtime(decoder, 'stamp'),
    seq: decoder.u64('seq'),
    priority: decoder.u16('priority'),
    message: decoder.string('message'),
    // Before there were channels there was only the cluster's log.
    channel: written >= 3 ? decoder.string('channel') : 'cluster',
  };
  const name =
    written >= 4 ? decodeEntityAuthName(decoder, 'name') : new EntityAuthName(EntityType.Client, '');
  return { name, rank: who.name, addrs: EntityAddrVec.of(who.addr), ...rest };
}
