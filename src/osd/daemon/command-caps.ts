/** Who may give commands: whoever the OSD's caps allow everything (`allow *`), as in Ceph. */
import type { Connection } from '../../messenger/connection.ts';

/** `hasCaps`: peers prove with cephx what they may do; else everybody may do everything. */
export function mayCommand(connection: Connection, hasCaps: boolean): boolean {
  if (!hasCaps) return true;
  return /(^|[,;])\s*allow\s+\*\s*($|[,;])/.test(connection.auth?.caps ?? '');
}
