/**
 * The text of a ceph.conf, by the rules of Ceph 16 (checked against `ceph-conf`, test/config):
 *
 * ```
 *   file     (key = value, and nothing else)  |  line-end* section*
 *   section  '[' name ']' lines ( blanks key blanks '=' blanks value lines )*
 *   key      words apart by blanks; no '=' and no '['
 *   value    "…" or '…' on one line  |  the rest of the line
 *   lines    one or more line ends; blanks and comments before each
 * ```
 * A comment runs from '#' or ';' to the end of its line, wherever it begins. A backslash takes the next
 * character as it is (the way to write '#', ';' and quotes), at the end of a line it joins the next one,
 * except inside quotes. The last line needs its line end too. A '[' counts in the first column only.
 */
import { ErrorCode, MsgrError } from '../errors.ts';

export interface ConfEntry {
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Values by normalized key; of lines with the same key the last one counts. */
export type ConfSection = ReadonlyMap<string, ConfEntry>;

/** Blanks around a name go away, those within become one underscore. Case matters, and a dash is a dash. */
export function normalizeKey(key: string): string {
  return trimSpace(key).replaceAll(/[ \t\n\v\f\r]+/g, '_');
}

/**
 * Sections by name; parts of a section that appears twice are joined.
 *
 * @param path names the file in errors
 * @throws MsgrError ERR_MSGR_MALFORMED with file and line
 */
export function parseConf(text: string, path: string): Map<string, ConfSection> {
  return new Parser(text, path).file();
}

function trimSpace(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+/, '').replace(/[ \t\n\v\f\r]+$/, '');
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';
const isComment = (character: string | undefined): boolean => character === '#' || character === ';';

class Parser {
  readonly #text: string;
  readonly #path: string;
  #at = 0;
  #counted = { at: 0, line: 1 };

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  file(): Map<string, ConfSection> {
    const sections = new Map<string, Map<string, ConfEntry>>();
    const lone = this.#keyValue();
    if (lone !== undefined) {
      sections.set('global', new Map([lone]));
    } else {
      while (this.#lineEnd()) {}
      for (let name = this.#heading(); name !== undefined; name = this.#heading()) {
        const section = sections.get(name) ?? new Map<string, ConfEntry>();
        sections.set(name, section);
        this.#entriesInto(section);
      }
    }
    this.#skip();
    if (this.#at < this.#text.length) this.#failAtLine();
    return sections;
  }

  /** Up to the next heading, or to a line that is neither; the caller sees which. */
  #entriesInto(section: Map<string, ConfEntry>): void {
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] === '[') return;
      const entry = this.#keyValue();
      if (entry === undefined) return;
      section.set(...entry);
    }
  }

  /** Undefined, and nothing consumed, when the line does not begin with `[`. */
  #heading(): string | undefined {
    this.#skip();
    if (this.#text[this.#at] !== '[') return undefined;
    this.#at++;
    const name = this.#textUpTo(']');
    if (name === '') this.#fail('a section needs a name');
    if (this.#text[this.#at] !== ']') this.#fail("the section's ']' is missing on this line");
    this.#at++;
    this.#lineEnds();
    return name;
  }

  /** Undefined, and nothing consumed, when there is no `key =`. */
  #keyValue(): [string, ConfEntry] | undefined {
    const start = this.#at;
    this.#skip();
    this.#blanks();
    const key = this.#key();
    if (key !== undefined) {
      this.#skip();
      this.#blanks();
      this.#skip();
      if (this.#text[this.#at] === '=') {
        const line = this.#line();
        this.#at++;
        this.#skip();
        this.#blanks();
        const value = trimSpace(this.#value());
        this.#lineEnds();
        return [normalizeKey(key), { value, line }];
      }
    }
    this.#at = start;
    return undefined;
  }

  /** The text of the key as it stands in the file; undefined when there is none. */
  #key(): string | undefined {
    this.#skip();
    const start = this.#at;
    let end = start;
    for (;;) {
      const wordAt = this.#at;
      while (this.#isKeyCharacter()) {
        this.#character();
        end = this.#at;
      }
      if (this.#at === wordAt || end <= wordAt) break;
      const gapAt = this.#at;
      while (this.#blank()) {}
      if (this.#at === gapAt) break;
    }
    this.#at = end;
    return end > start ? this.#text.slice(start, end) : undefined;
  }

  #isKeyCharacter(): boolean {
    const start = this.#at;
    this.#skip();
    const character = this.#text[this.#at];
    const isOne =
      character !== undefined && !'=[ '.includes(character) && !isComment(character) && !this.#isLineEnd();
    if (!isOne) this.#at = start;
    return isOne;
  }

  #value(): string {
    this.#skip();
    const quote = this.#text[this.#at];
    return quote === '"' || quote === "'" ? this.#quoted(quote) : this.#textUpTo();
  }

  #quoted(quote: string): string {
    this.#at++;
    let value = '';
    while (this.#text[this.#at] !== quote) {
      if (this.#at >= this.#text.length || this.#isLineEnd() || isComment(this.#text[this.#at])) {
        this.#fail(
          `the ${quote} is not closed on its line (inside quotes write \\# for #, \\; for ; and \\${quote} for ${quote})`,
        );
      }
      value += this.#character();
    }
    this.#at++;
    return value;
  }

  /** Text with escapes undone and comments and joined lines left out, to the line's end or to `end`. */
  #textUpTo(end?: string): string {
    let text = '';
    for (;;) {
      this.#skip();
      const character = this.#text[this.#at];
      if (character === undefined || character === end || this.#isLineEnd()) return text;
      text += this.#character();
    }
  }

  /** One character, or an escaped one without its backslash. */
  #character(): string {
    if (this.#text[this.#at] === '\\' && this.#at + 1 < this.#text.length) {
      this.#at++;
      if (!this.#isLineEnd()) return this.#text[this.#at++]!;
      this.#at--;
    }
    return this.#text[this.#at++]!;
  }

  /** Comments, with the blanks before them, and line ends behind a backslash: allowed between any two parts. */
  #skip(): void {
    for (;;) {
      let next = this.#at;
      while (isBlank(this.#text[next])) next++;
      if (isComment(this.#text[next])) {
        while (next < this.#text.length && this.#lineEndLength(next) === 0) next++;
        this.#at = next;
        continue;
      }
      if (this.#text[this.#at] !== '\\') return;
      const joined = this.#lineEndLength(this.#at + 1);
      if (joined === 0) return;
      this.#at += 1 + joined;
    }
  }

  #blank(): boolean {
    this.#skip();
    if (!isBlank(this.#text[this.#at])) return false;
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (isBlank(this.#text[this.#at])) this.#at++;
  }

  /** One or more. */
  #lineEnds(): void {
    if (!this.#emptyLine()) {
      this.#skip();
      this.#blanks();
      if (this.#at >= this.#text.length) this.#fail('the last line must end with a line end');
      this.#fail(`${JSON.stringify(this.#restOfLine())} stands where the line should end`);
    }
    while (this.#emptyLine()) {}
  }

  #emptyLine(): boolean {
    const start = this.#at;
    this.#skip();
    this.#blanks();
    const length = this.#lineEndLength(this.#at);
    if (length > 0) this.#at += length;
    else this.#at = start;
    return length > 0;
  }

  #lineEnd(): boolean {
    this.#skip();
    const length = this.#lineEndLength(this.#at);
    this.#at += length;
    return length > 0;
  }

  #isLineEnd(): boolean {
    return this.#lineEndLength(this.#at) > 0;
  }

  #lineEndLength(at: number): number {
    if (this.#text[at] === '\n') return 1;
    if (this.#text[at] !== '\r') return 0;
    return this.#text[at + 1] === '\n' ? 2 : 1;
  }

  #restOfLine(): string {
    return /^[^\r\n]*/.exec(this.#text.slice(this.#at))![0];
  }

  /** Counts on from where it last was; the parser hardly ever goes back. */
  #line(): number {
    if (this.#counted.at > this.#at) this.#counted = { at: 0, line: 1 };
    let { at, line } = this.#counted;
    while (at < this.#at) {
      const length = this.#lineEndLength(at);
      if (length > 0) line++;
      at += Math.max(1, length);
    }
    this.#counted = { at, line };
    return line;
  }

  /** A line that is neither heading nor `key = value`: what is it most likely? */
  #failAtLine(): never {
    // A file may hold a key itself; a message may not.
    const rest = this.#restOfLine().replace(/(\bkey\b[ \t]*=?[ \t]*)\S.*/i, '$1…');
    if (/^[ \t]+\[/.test(rest)) this.#fail("a section's '[' must be the first character of its line");
    if (/^[ \t]*$/.test(rest))
      this.#fail('a line of blanks stands before the first section, or ends the file');
    if (rest.includes('='))
      this.#fail(`${JSON.stringify(rest)} belongs to no section: put [global] before it`);
    this.#fail(`${JSON.stringify(rest)} is neither '[section]' nor 'key = value'`);
  }

  #fail(reason: string): never {
    throw new MsgrError(ErrorCode.Malformed, `${this.#path}:${this.#line()}: ${reason}`);
  }
}
