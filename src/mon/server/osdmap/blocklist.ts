/** The blocklist: clients at these addresses are refused by every OSD, each until its time is over. */
import { utimeToMs } from '../../../wire/utime.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

/** On tick. */
export function expireBlocklist(pending: PendingOsdMap, wallMs: number): void {
  const { change, base } = pending;
  const listed = new Set(change.oldBlocklist.map((addr) => addr.key));
  for (const [key, { addr, until }] of base.blocklist) {
    if (utimeToMs(until) >= wallMs || listed.has(key)) continue;
    change.oldBlocklist.push(addr);
    pending.touch();
  }
}
