/**
 * The text of a `mon` capability.
 *
 *      caps    := grant (("," | ";") grant)*
 *      grant   := "allow" bits [network]                       allow rw
 *               | ["allow"] "profile" name [network]           profile osd
 *               | "allow" "service" name bits [network]        allow service osd r
 *               | "allow" "command" name ["with" args] [network]
 *      args    := key "=" value | key "prefix" value | key "regex" value, several
 *      bits    := "*" | "all" | [r][w][x], at least one
 *      network := "network" address "/" bits
 *
 * Names are words of `a-zA-Z0-9_./-` or quoted. As in Ceph the first form that fits is taken, and what is
 * left over makes the whole text invalid.
 */
import type { ArgumentConstraint, Grant } from './mon-caps.ts';
import { Permission } from './permission.ts';

/** Grants, or what could not be read. */
export type ParsedMonCaps =
  | { readonly grants: readonly Grant[]; readonly rest?: undefined }
  | { readonly grants?: undefined; readonly rest: string };

export function parseMonCaps(text: string): ParsedMonCaps {
  const scanner = new Scanner(text);
  const grants: Grant[] = [];
  let end = 0;
  do {
    const grant = parseGrant(scanner);
    if (grant === undefined) break;
    grants.push(grant);
    end = scanner.position;
  } while (scanner.take(/ *[;,] */y) !== undefined);
  return end === text.length && grants.length > 0 ? { grants } : { rest: text.slice(end) };
}

/** Takes what a pattern (sticky) matches, or nothing; a caller that gives up goes back to where it began. */
class Scanner {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.position = pattern.lastIndex;
    return match[0];
  }

  /** A name or value, without its quotes. */
  word(): string | undefined {
    const quoted = this.take(/"[^"]+"|'[^']+'/y);
    return quoted?.slice(1, -1) ?? this.take(/[a-zA-Z0-9_./-]+/y);
  }

  /** What `parse` reads; nothing is taken when it answers undefined. */
  attempt<T>(parse: () => T | undefined): T | undefined {
    const start = this.position;
    const result = parse();
    if (result === undefined) this.position = start;
    return result;
  }
}

function parseGrant(scanner: Scanner): Grant | undefined {
  return scanner.attempt(() => {
    scanner.take(/[ \n\t]*/y);
    const forms = [parseBitsGrant, parseProfileGrant, parseServiceGrant, parseCommandGrant];
    for (const form of forms) {
      const grant = scanner.attempt(() => form(scanner));
      if (grant === undefined) continue;
      const network = parseNetwork(scanner);
      scanner.take(/[ \n\t]*/y);
      return network === undefined ? grant : { ...grant, network };
    }
    return undefined;
  });
}

function parseBitsGrant(scanner: Scanner): Grant | undefined {
  if (scanner.take(/allow[ \n\t]+/y) === undefined) return undefined;
  const allow = parseBits(scanner);
  return allow === undefined ? undefined : { allow };
}

function parseProfileGrant(scanner: Scanner): Grant | undefined {
  scanner.take(/allow[ \n\t]+/y);
  if (scanner.take(/profile(=|[ \n\t]+)/y) === undefined) return undefined;
  const profile = scanner.word();
  return profile === undefined ? undefined : { profile, allow: 0 };
}

function parseServiceGrant(scanner: Scanner): Grant | undefined {
  if (scanner.take(/allow[ \n\t]+service(=|[ \n\t]+)/y) === undefined) return undefined;
  const service = scanner.word();
  if (service === undefined || scanner.take(/[ \n\t]+/y) === undefined) return undefined;
  const allow = parseBits(scanner);
  return allow === undefined ? undefined : { service, allow };
}

function parseCommandGrant(scanner: Scanner): Grant | undefined {
  if (scanner.take(/allow[ \n\t]+command(=|[ \n\t]+)/y) === undefined) return undefined;
  const command = scanner.word();
  if (command === undefined) return undefined;
  const commandArgs = scanner.attempt(() => parseArguments(scanner));
  return { command, allow: 0, ...(commandArgs && { commandArgs }) };
}

function parseArguments(scanner: Scanner): Map<string, ArgumentConstraint> | undefined {
  if (scanner.take(/[ \n\t]+with[ \n\t]+/y) === undefined) return undefined;
  const constraints = new Map<string, ArgumentConstraint>();
  let pair = parsePair(scanner);
  if (pair === undefined) return undefined;
  do {
    constraints.set(...pair);
    pair = scanner.attempt(() => (scanner.take(/[ \n\t]+/y) === undefined ? undefined : parsePair(scanner)));
  } while (pair !== undefined);
  return constraints;
}

function parsePair(scanner: Scanner): [string, ArgumentConstraint] | undefined {
  const key = scanner.word();
  if (key === undefined) return undefined;
  const operator = scanner.take(/=|[ \n\t]+(prefix|regex)[ \n\t]+/y)?.trim();
  const value = operator === undefined ? undefined : scanner.word();
  if (value === undefined) return undefined;
  return [key, { kind: operator === '=' ? 'equal' : (operator as 'prefix' | 'regex'), value }];
}

function parseBits(scanner: Scanner): number | undefined {
  const text = scanner.take(/\*|all|r?w?x?/y);
  if (text === undefined || text === '') return undefined;
  if (text === '*' || text === 'all') return Permission.any;
  return [...text].reduce((bits, letter) => bits | Permission[letter as 'r' | 'w' | 'x'], 0);
}

function parseNetwork(scanner: Scanner): string | undefined {
  return scanner.attempt(() =>
    scanner.take(/[ \n\t]+network[ \n\t]+/y) === undefined ? undefined : scanner.take(/[/.:a-fA-F0-9[\]]+/y),
  );
}
