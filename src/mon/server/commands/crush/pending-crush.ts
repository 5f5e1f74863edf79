/** The CRUSH map that will be: commands edit what is pending, so that two of one batch see each other. */
import { encodeCrushMap } from '../../../../maps/crush/codec.ts';
import { CrushDraft } from '../../../../maps/crush/edit.ts';
import type { CrushMap } from '../../../../maps/crush/map.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandReply } from '../command.ts';
import { committed } from '../osd/shared.ts';

export function draftOf({ pendingOsdMap }: MonitorState): CrushDraft {
  return new CrushDraft(pendingOsdMap.crush);
}

export function setPendingCrush({ pendingOsdMap }: MonitorState, crush: CrushMap): void {
  pendingOsdMap.change.crush = crush;
  pendingOsdMap.change.crushBytes = encodeCrushMap(crush);
  pendingOsdMap.touch();
}

export function commitCrush(
  monitor: MonitorState,
  draft: CrushDraft,
  message: string,
): Promise<CommandReply> {
  setPendingCrush(monitor, draft.finish());
  return committed(monitor, message);
}
