/**
 * The signature of a command, in the text in which Ceph describes it.
 *
 *      osd pool create name=pool,type=CephPoolname name=pg_num,type=CephInt,range=0,req=false
 *
 * Words come first; then arguments, each a list of `key=value`.
 */

export const argumentTypes = [
  'CephInt',
  'CephFloat',
  'CephBool',
  'CephString',
  'CephChoices',
  'CephPoolname',
  'CephObjectname',
  'CephOsdName',
  'CephName',
  'CephPgid',
  'CephUUID',
  'CephIPAddr',
  'CephEntityAddr',
  'CephFilepath',
  'CephFragment',
  'CephPrefix',
  'CephSocketpath',
] as const;
export type ArgumentType = (typeof argumentTypes)[number];

export interface ArgumentSignature {
  readonly name: string;
  readonly type: ArgumentType;
  readonly isRequired: boolean;
  /** `n=N`: one value or several. */
  readonly isList: boolean;
  /** Of CephChoices. */
  readonly choices: readonly string[];
  /** Of CephInt and CephFloat: the least, and the greatest when there is one. */
  readonly range: readonly number[];
  /** Of CephString: the characters that may be in it, as a class. */
  readonly goodCharacters: RegExp | undefined;
  /** As it was written, for descriptions. */
  readonly attributes: ReadonlyMap<string, string>;
}

export interface CommandSignature {
  readonly words: readonly string[];
  /** The words joined: what a JSON command has as its `prefix`. */
  readonly prefix: string;
  readonly arguments: readonly ArgumentSignature[];
}

/** A mistake in a signature is one of ours. @throws TypeError */
export function parseSignature(text: string): CommandSignature {
  const words: string[] = [];
  const args: ArgumentSignature[] = [];
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    if (part.includes('=')) args.push(parseArgument(part));
    else if (args.length > 0) throw new TypeError(`${text}: ${part} comes after an argument`);
    else words.push(part);
  }
  if (words.length === 0) throw new TypeError(`${JSON.stringify(text)}: a command has words`);
  return { words, prefix: words.join(' '), arguments: args };
}

function parseArgument(text: string): ArgumentSignature {
  const attributes = new Map<string, string>();
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    attributes.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const type = attributes.get('type') as ArgumentType;
  const name = attributes.get('name');
  if (name === undefined || !argumentTypes.includes(type)) throw new TypeError(`${text} is no argument`);
  const characters = attributes.get('goodchars');
  return {
    name,
    type,
    isRequired: attributes.get('req')?.toLowerCase() !== 'false',
    isList: attributes.get('n') === 'N',
    choices: attributes.get('strings')?.split('|') ?? [],
    range: attributes.get('range')?.split('|').map(Number) ?? [],
    goodCharacters: characters === undefined ? undefined : new RegExp(`^${characters}*$`),
    attributes,
  };
}
