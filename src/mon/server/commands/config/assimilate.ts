/** `config assimilate-conf`: what a ceph.conf sets moves to the monitor; what must stay in a file is given back. */
import { Errno } from '../../../../auth/errno.ts';
import { ConfFile } from '../../../../config/conf-file.ts';
import { MsgrError } from '../../../../errors.ts';
import { configKey } from '../../config/config-map.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, failed } from '../reply.ts';
import { checkedValue, optionName } from './config.ts';
import { parseWho } from './targets.ts';

export const assimilateCommands: readonly CommandDefinition[] = [
  {
    signature: 'config assimilate-conf',
    help: 'take over the options of a ceph.conf (-i FILE); gives back what cannot be',
    module: 'config',
    permissions: 'rw',
    async run({ input, monitor }) {
      if (input.length === 0) return failed(Errno.EINVAL, 'no conf file was given');
      const { sections } = ConfFile.parse(input, 'the conf file');
      const kept: string[] = [];
      const taken: [key: string, value: string][] = [];
      for (const [section, entries] of [...sections].sort(byName)) {
        const lines: string[] = [];
        for (const [key, { value }] of [...entries].sort(byName)) {
          const name = optionName(key);
          const change = changeFor(monitor, section, name, value);
          if (change === undefined) lines.push(`\t${name} = ${value}`);
          else taken.push(change);
        }
        if (lines.length > 0) kept.push(`\n[${section}]\n${lines.join('\n')}\n`);
      }
      await monitor.config.setAll(taken);
      return answer(kept.join(''));
    },
  },
];

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** Nothing when the monitor cannot keep it, or has another value already. */
function changeFor(
  monitor: MonitorState,
  section: string,
  name: string,
  text: string,
): [string, string] | undefined {
  try {
    const who = parseWho(section);
    const value = checkedValue(name, text);
    const key = configKey(who.section, who.mask, name);
    const before = monitor.config.entry(key);
    return before === undefined || before.value === value ? [key, value] : undefined;
  } catch (error) {
    if (error instanceof MsgrError) return undefined;
    throw error;
  }
}
