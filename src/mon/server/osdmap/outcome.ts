/**
 * What a rule makes of a message. Rules decide and change what is pending; sending, waiting and answering is
 * `OsdMonitor`'s.
 */
import type { EntityAddrVec } from '../../../wire/entity-addrvec.ts';

/** An OSD that speaks: its id is authenticated, its addresses say which of its lives it is. */
export interface OsdSender {
  readonly osd: number;
  readonly addrs: EntityAddrVec;
}

export type Outcome =
  /** Not to be heeded, or known already. Whoever seems to be behind gets maps from an epoch on (0: the latest in full). */
  | { readonly kind: 'done'; readonly why: string; readonly mapsFrom?: number }
  /** The change is pending. Once it is committed the message is tried again, or maps are sent, or neither. */
  | { readonly kind: 'pending'; readonly retry?: boolean; readonly mapsFrom?: number };

export const done = (why: string, mapsFrom?: number): Outcome =>
  mapsFrom === undefined ? { kind: 'done', why } : { kind: 'done', why, mapsFrom };

export const pendingMaps = (mapsFrom?: number): Outcome =>
  mapsFrom === undefined ? { kind: 'pending' } : { kind: 'pending', mapsFrom };

/** Vectors are equal, or one is a single legacy address which the other has too: how peers of old see it. */
export function sameIncarnation(left: EntityAddrVec, right: EntityAddrVec): boolean {
  if (left.equals(right)) return true;
  const [leftLegacy, rightLegacy] = [left.v1(), right.v1()];
  if (leftLegacy === undefined || rightLegacy === undefined) return false;
  return (left.length === 1 || right.length === 1) && leftLegacy.equals(rightLegacy);
}
