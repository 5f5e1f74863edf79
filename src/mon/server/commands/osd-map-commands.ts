/** The commands that show and change the OSDMap: OSDs, CRUSH, pools and placement groups. */
import type { CommandDefinition } from './command.ts';
import { crushClassCommands } from './crush/classes.ts';
import { crushItemCommands } from './crush/items.ts';
import { crushRemoveCommands } from './crush/remove.ts';
import { crushRuleCommands } from './crush/rules.ts';
import { crushShowCommands } from './crush/show.ts';
import { blocklistCommands } from './osd/blocklist.ts';
import { osdDumpCommands } from './osd/osd-dump.ts';
import { osdFindCommands } from './osd/osd-find.ts';
import { osdFlagCommands } from './osd/osd-flags.ts';
import { osdNewCommands } from './osd/osd-new.ts';
import { osdRemoveCommands } from './osd/osd-remove.ts';
import { osdSettingsCommands } from './osd/osd-settings.ts';
import { osdStateCommands } from './osd/osd-state.ts';
import { osdTreeCommands } from './osd/osd-tree.ts';
import { pgMapCommands } from './pg/pg-map.ts';
import { pgMappingCommands } from './pg/pg-mappings.ts';
import { poolContentCommands } from './pool/content.ts';
import { poolCreateCommands } from './pool/create.ts';
import { profileCommands } from './pool/profile-commands.ts';
import { poolRemoveCommands } from './pool/remove.ts';
import { poolSetCommands } from './pool/set.ts';
import { poolShowCommands } from './pool/show.ts';

export const osdMapCommands: readonly CommandDefinition[] = [
  ...crushClassCommands,
  ...crushItemCommands,
  ...crushRemoveCommands,
  ...crushRuleCommands,
  ...crushShowCommands,
  ...blocklistCommands,
  ...osdDumpCommands,
  ...osdFindCommands,
  ...osdFlagCommands,
  ...osdNewCommands,
  ...osdRemoveCommands,
  ...osdSettingsCommands,
  ...osdStateCommands,
  ...osdTreeCommands,
  ...pgMapCommands,
  ...pgMappingCommands,
  ...poolContentCommands,
  ...poolCreateCommands,
  ...profileCommands,
  ...poolRemoveCommands,
  ...poolSetCommands,
  ...poolShowCommands,
];
