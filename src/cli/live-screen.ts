/**
 * Some lines at the bottom of a terminal that are written over and over; what must stay is printed above
 * them. On anything but a terminal `update` writes nothing.
 */
import type { TextStream } from './live-line.ts';

const upAndErase = (lines: number): string => `\u001b[${lines}A\r\u001b[0J`;

export class LiveScreen {
  readonly #stream: TextStream;
  #shown: readonly string[] = [];

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  get isLive(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Lines must not be wider than the terminal: one that wraps could not be written over. */
  update(lines: readonly string[]): void {
    if (!this.isLive) return;
    this.#write([], lines);
  }

  /** Prints lines that stay. */
  print(...lines: readonly string[]): void {
    this.#write(lines, this.#shown);
  }

  /** What is shown stays as it is. */
  keep(): void {
    this.#shown = [];
  }

  #write(above: readonly string[], lines: readonly string[]): void {
    const back = this.#shown.length > 0 ? upAndErase(this.#shown.length) : '';
    this.#stream.write(back + [...above, ...lines].map((line) => `${line}\n`).join(''));
    this.#shown = lines;
  }
}
