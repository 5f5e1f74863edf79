/**
 * Times on the wire: `utime_t`, a wall clock of two u32, and `signedspan`, a length of monotonic time of
 * two i32. Both are kept as they travel, in seconds and nanoseconds, so that nothing is lost between
 * reading and writing: a PING's stamp is the key its reply is found by.
 */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

const nanosecondsPerSecond = 1_000_000_000n;

/** Wall-clock time since 1970; `sec` and `nsec` are u32. Ends in 2106. */
export interface Utime {
  readonly sec: number;
  readonly nsec: number;
}

/** A length of time; both parts are i32 and carry the same sign, as C++ division leaves them. */
export interface Signedspan {
  readonly sec: number;
  readonly nsec: number;
}

export const utimeBytes = 8;
export const signedspanBytes = 8;

export const utimeZero: Utime = Object.freeze({ sec: 0, nsec: 0 });
export const signedspanZero: Signedspan = Object.freeze({ sec: 0, nsec: 0 });

/** The wall clock now. Node gives it in milliseconds with a fraction of microseconds. */
export function utimeNow(): Utime {
  return utimeFromMs(performance.timeOrigin + performance.now());
}

export function utimeFromMs(ms: number): Utime {
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.floor((ms - sec * 1000) * 1e6) };
}

export function utimeToMs(time: Utime): number {
  return time.sec * 1000 + time.nsec / 1e6;
}

export function utimeToNs(time: Utime): bigint {
  return BigInt(time.sec) * nanosecondsPerSecond + BigInt(time.nsec);
}

export function utimeEquals(left: Utime, right: Utime): boolean {
  return left.sec === right.sec && left.nsec === right.nsec;
}

/** Negative, zero or positive, earlier first. */
export function utimeCompare(left: Utime, right: Utime): number {
  return left.sec - right.sec || left.nsec - right.nsec;
}

/** `2026-11-22T02:53:50.335634+0000`, as Ceph prints it in UTC; `0.000000` for zero seconds. */
export function utimeToString(time: Utime): string {
  const microseconds = String(Math.floor(time.nsec / 1000)).padStart(6, '0');
  // Ceph prints what is shorter than ten years as a plain number of seconds.
  if (time.sec < 60 * 60 * 24 * 365 * 10) return `${time.sec}.${microseconds}`;
  return `${new Date(time.sec * 1000).toISOString().slice(0, 19)}.${microseconds}+0000`;
}

export function encodeUtime(encoder: Encoder, time: Utime): void {
  encoder.u32(time.sec).u32(time.nsec);
}

export function decodeUtime(decoder: Decoder, field: string): Utime {
  return { sec: decoder.u32(`${field}.sec`), nsec: decoder.u32(`${field}.nsec`) };
}

/** Spans beyond 68 years do not fit; they are wrapped, as Ceph's narrowing does. */
export function signedspanFromNs(ns: bigint): Signedspan {
  return {
    sec: Number(BigInt.asIntN(32, ns / nanosecondsPerSecond)),
    nsec: Number(ns % nanosecondsPerSecond),
  };
}

export function signedspanToNs(span: Signedspan): bigint {
  return BigInt(span.sec) * nanosecondsPerSecond + BigInt(span.nsec);
}

export function signedspanToMs(span: Signedspan): number {
  return span.sec * 1000 + span.nsec / 1e6;
}

export function encodeSignedspan(encoder: Encoder, span: Signedspan): void {
  encoder.i32(span.sec).i32(span.nsec);
}

export function decodeSignedspan(decoder: Decoder, field: string): Signedspan {
  return { sec: decoder.i32(`${field}.sec`), nsec: decoder.i32(`${field}.nsec`) };
}
