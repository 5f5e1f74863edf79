/** Every command, in the order in which they are described. */
import type { CommandDefinition } from './command.ts';

export const allCommands: readonly CommandDefinition[] = [];
