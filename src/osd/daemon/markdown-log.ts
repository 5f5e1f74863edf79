/** When this OSD was wrongly marked down of late: too often, and it is better off than on. */
export class MarkdownLog {
  readonly #timesMs: number[] = [];

  /** Answers how many there were within the period, this one included. */
  add(nowMs: number, periodSeconds: number): number {
    this.#timesMs.push(nowMs);
    return this.count(nowMs, periodSeconds);
  }

  count(nowMs: number, periodSeconds: number): number {
    while (this.#timesMs.length > 0 && this.#timesMs[0]! + periodSeconds * 1000 < nowMs)
      this.#timesMs.shift();
    return this.#timesMs.length;
  }
}
