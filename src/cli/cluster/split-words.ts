import { CliError } from '../cli-error.ts';

/**
 * The words of a command given as one text, as a shell would see them: apart by blanks, quotes and
 * backslashes keep what they hold together. JSON stays one word.
 *
 * @throws CliError when a quote is not closed.
 */
export function splitWords(text: string): string[] {
  if (/^\s*\{/.test(text)) return [text];
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === '\\' && quote === '"' && /["\\]/.test(text[index + 1] ?? ''))
        word += text[++index]!;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\' && index + 1 < text.length) {
      word = `${word ?? ''}${text[++index]}`;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${character}`;
  }
  if (quote !== undefined)
    throw new CliError(`the ${quote} in ${JSON.stringify(text)} is not closed`, { exitCode: 22 });
  if (word !== undefined) words.push(word);
  return words;
}
