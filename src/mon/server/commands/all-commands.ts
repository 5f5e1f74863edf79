/** Every command, in the order in which they are described. */
import { authChangeCommands } from './auth/change.ts';
import { authShowCommands } from './auth/show.ts';
import type { CommandDefinition } from './command.ts';
import { assimilateCommands } from './config/assimilate.ts';
import { configCommands } from './config/config.ts';
import { configKeyCommands } from './config/config-key.ts';
import { configHistoryCommands } from './config/history.ts';
import { logCommands } from './log/log.ts';
import { fsCommands } from './mgr/fs.ts';
import { mgrCommands } from './mgr/mgr.ts';
import { withoutManagerCommands } from './mgr/without-manager.ts';
import { daemonCommands } from './mon/daemons.ts';
import { monMapCommands } from './mon/mon-map.ts';
import { osdCommands } from './osd-commands.ts';
import { parseSignature } from './signature.ts';
import { healthCommands } from './status/health.ts';
import { simpleCommands } from './status/simple.ts';
import { statusCommands } from './status/status.ts';

const ownCommands: readonly CommandDefinition[] = [
  ...statusCommands,
  ...healthCommands,
  ...simpleCommands,
  ...monMapCommands,
  ...daemonCommands,
  ...authShowCommands,
  ...authChangeCommands,
  ...configCommands,
  ...assimilateCommands,
  ...configHistoryCommands,
  ...configKeyCommands,
  ...logCommands,
  ...mgrCommands,
  ...fsCommands,
  ...osdCommands,
];

function prefixOf({ signature }: CommandDefinition): string {
  return parseSignature(signature).prefix;
}

const ownPrefixes = new Set(ownCommands.map(prefixOf));

/** What the monitor can tell by itself it does not leave to a manager. */
export const allCommands: readonly CommandDefinition[] = [
  ...ownCommands,
  ...withoutManagerCommands.filter((command) => !ownPrefixes.has(prefixOf(command))),
];
