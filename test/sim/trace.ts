/**
 * What happened in a run, as a hash: two runs of one seed have the same, or the simulation depends on
 * something besides its seed. With a `print` function every event is also told in words.
 */
/** What an event is, in the hash. */
export const Code = {
  action: 1,
  send: 2,
  dispatch: 3,
  connect: 4,
  accept: 5,
  reset: 6,
  remoteReset: 7,
  refused: 8,
  end: 9,
} as const;

export class Trace {
  readonly #print: ((line: string) => void) | undefined;
  readonly #nowMs: () => number;
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  #count = 0;

  constructor(nowMs: () => number, print?: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#print = print;
  }

  /** Whether `say` prints, for callers who would build a text for it. */
  get isVerbose(): boolean {
    return this.#print !== undefined;
  }

  /** An event by its code and up to four numbers. `tell` makes the words, when somebody reads them. */
  note(code: number, a: number, b: number, c: number, d: number, tell: () => string): void {
    this.#count++;
    const nowMs = this.#nowMs();
    this.#mix(code);
    this.#mix(Math.floor(nowMs * 1000));
    this.#mix(a);
    this.#mix(b);
    this.#mix(c);
    this.#mix(d);
    this.#print?.(`${nowMs.toFixed(3).padStart(12)}  ${tell()}`);
  }

  /** Words only; no part of the hash. */
  say(line: string): void {
    this.#print?.(`${this.#nowMs().toFixed(3).padStart(12)}  ${line}`);
  }

  get eventCount(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #mix(value: number): void {
    const word = value | 0;
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high + word + (this.#low << 1), 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
  }
}
