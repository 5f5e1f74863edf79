/** A seeded random generator (xoshiro128**): the same seed gives the same simulation, on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Any number; its low 32 bits count. */
  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring states: each word is a scrambled step of a counter.
    let counter = seed >>> 0;
    const word = (): number => {
      counter = (counter + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = word();
    this.#b = word();
    this.#c = word();
    this.#d = word() | 1;
  }

  /** A u32. */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** From 0 up to, but never, 1. */
  float(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number from `min` to `max`, both possible. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  /** True with this probability. A probability of 0 takes nothing from the generator. */
  chance(probability: number): boolean {
    return probability > 0 && this.float() < probability;
  }
}
