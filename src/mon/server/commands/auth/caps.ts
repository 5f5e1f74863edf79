/** Capabilities as commands give them: services and texts in turn, checked before they are kept. */
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import { MonCaps } from '../../caps/mon-caps.ts';

/** @throws MsgrError in Ceph's words */
export function parseCaps(words: readonly string[]): Map<string, string> {
  if (words.length % 2 !== 0) throw invalid('bad capabilities request; odd number of arguments');
  const caps = new Map<string, string>();
  for (let index = 0; index < words.length; index += 2) {
    const [service, text] = [words[index]!, words[index + 1]!];
    checkCaps(service, text);
    caps.set(service, text);
  }
  return new Map([...caps].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @throws MsgrError */
export function checkCaps(service: string, text: string): void {
  if (service === 'mon') {
    MonCaps.parse(text);
  } else if (daemonServices.has(service)) {
    // Only the daemons read the rest of these; what begins as no grant would be refused by all of them.
    const wrong = text.split(/[,;]/).find((grant) => !/^\s*(allow|profile|deny)([\s=]|$)/.test(grant));
    if (wrong !== undefined) {
      throw invalid(`${service} capability parse failed, stopped at '${wrong.trimStart()}' of '${text}'`);
    }
  } else {
    throw invalid(`unknown cap type '${service}'`);
  }
}

const daemonServices: ReadonlySet<string> = new Set(['osd', 'mgr', 'mds']);

export function isSameCaps(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([service, caps]) => other.get(service) === caps);
}

/** The service whose capability is another one, if any is. */
export function differingCap(
  held: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): string | undefined {
  for (const [service, caps] of wanted) if (held.get(service) !== caps) return service;
  for (const service of held.keys()) if (!wanted.has(service)) return service;
  return undefined;
}

function invalid(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}
