/** Whether an OSD that speaks is the one that the committed map has up: same id, same addresses. */
import { isUp, type OSDMap } from '../../../maps/osdmap.ts';
import { type OsdSender, sameIncarnation } from './outcome.ts';

export function isActive(map: OSDMap, { osd, addrs }: OsdSender): boolean {
  return isUp(map, osd) && sameIncarnation(map.clientAddrs[osd]!, addrs);
}
