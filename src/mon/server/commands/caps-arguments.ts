/** The arguments of a command as capabilities see them: texts by name, `caps` as one entry for each service. */
import type { JsonCommand } from './arguments.ts';

export function argumentsForCaps(command: JsonCommand): Map<string, string> {
  const args = new Map<string, string>();
  for (const [name, value] of Object.entries(command)) {
    if (name === 'prefix') continue;
    if (name === 'caps') {
      for (const [service, caps] of capsPairs(value)) args.set(`caps_${service}`, caps);
    } else args.set(name, Array.isArray(value) ? value.map(String).join(' ') : String(value));
  }
  return args;
}

/** `["mon", "allow r", "osd", "allow rw"]`; one without its value is nothing that a grant could match. */
function capsPairs(value: unknown): [string, string][] {
  const parts = Array.isArray(value) ? value.map(String) : [];
  return parts.flatMap((part, index): [string, string][] => {
    const caps = parts[index + 1];
    return index % 2 === 0 && caps !== undefined ? [[part, caps]] : [];
  });
}
