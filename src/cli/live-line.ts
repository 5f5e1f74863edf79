/**
 * One line that is written over and over while something runs. On anything but a terminal it writes
 * nothing; what must stay is printed with `print`, which moves the live line out of the way.
 */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const widthDefault = 80;
const eraseLine = '\r\u001b[2K';

export class LiveLine {
  readonly #stream: TextStream;
  #isShown = false;

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  get isLive(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Cut to the width of the terminal: a line that wraps could not be written over. */
  update(text: string): void {
    if (!this.isLive) return;
    // A terminal that does not know its width says 0.
    this.#stream.write(eraseLine + text.slice(0, (this.#stream.columns || widthDefault) - 1));
    this.#isShown = true;
  }

  clear(): void {
    if (!this.#isShown) return;
    this.#stream.write(eraseLine);
    this.#isShown = false;
  }

  print(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }
}
