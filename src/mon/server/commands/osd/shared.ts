/** What commands on OSDs have in common: which OSDs are meant, which epoch, and how a change is answered. */
import { Errno } from '../../../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import type { OSDMap } from '../../../../maps/osdmap.ts';
import { decodeOsdMap } from '../../../../maps/osdmap-codec.ts';
import { osdIds } from '../../../../maps/osdmap-json.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandReply } from '../command.ts';
import { done } from '../reply.ts';

/** Numbers that commands on OSDs answer with, beside those of authentication. */
export const OsdErrno = { ...Errno, EEXIST: 17, ERANGE: 34, ENOTDIR: 20, EOVERFLOW: 75 } as const;

/** Ends a command with an error number and a line for the operator. */
export function refusal(errno: number, message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message, { errno });
}

/** Waits until what is pending is committed, and answers. */
export async function committed(monitor: MonitorState, message: string): Promise<CommandReply> {
  monitor.pendingOsdMap.touch();
  await monitor.propose();
  return done(message);
}

/** A command that finds nothing left to do still answers only once what made it so is durable. */
export async function settled(monitor: MonitorState, message: string): Promise<CommandReply> {
  if (monitor.pendingOsdMap.isTouched) await monitor.propose();
  return done(message);
}

/** The map of the argument `epoch`; the present one when it is absent. @throws MsgrError ENOENT */
export function mapOfEpoch({ args, monitor }: CommandContext): OSDMap {
  const bytes = mapBytesOfEpoch({ args, monitor });
  return bytes === undefined ? monitor.osdMap : decodeOsdMap(bytes);
}

/** Undefined for the present one. */
function mapBytesOfEpoch({ args, monitor }: Pick<CommandContext, 'args' | 'monitor'>) {
  const epoch = args.number('epoch') ?? 0;
  if (epoch === 0 || epoch === monitor.osdMap.epoch) return undefined;
  const bytes = monitor.osd.fullMap(epoch);
  if (bytes === undefined) throw refusal(Errno.ENOENT, `there is no map for epoch ${epoch}`);
  return bytes;
}

const integer = /^\s*[+-]?\d+$/;
const osdIdMax = 0xffff;

/** `3` or `osd.3`; what is wrong with it otherwise, in Ceph's words. */
export function parseOsdId(text: string): number | { readonly error: string } {
  const digits = text.startsWith('osd.') ? text.slice(4) : text;
  if (!integer.test(digits)) return { error: `Expected option value to be integer, got '${digits}'` };
  const id = Number(digits);
  return id < 0 || id > osdIdMax ? { error: `osd id ${id} is out of range` } : id;
}

const everything = new Set(['any', 'all', '*']);

export interface NamedOsds {
  readonly ids: readonly number[];
  /** They were not named one by one; commands say less then. */
  readonly areAll: boolean;
}

/** `all` in the place of numbers. */
export function isEverything(words: readonly string[]): boolean {
  return everything.has(words[0] ?? '');
}

/** OSDs of a list: numbers, or all that exist. `wrong` makes the refusal of a word that is neither. */
export function namedOsds(
  map: OSDMap,
  words: readonly string[],
  wrong = (error: string, _word: string): MsgrError => refusal(OsdErrno.EINVAL, error),
): NamedOsds {
  if (isEverything(words)) return { ids: osdIds(map), areAll: true };
  const ids = words.map((word) => {
    const id = parseOsdId(word);
    if (typeof id === 'object') throw wrong(id.error, word);
    return id;
  });
  return { ids, areAll: false };
}
