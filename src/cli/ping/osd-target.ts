/** Where the heartbeat servers of an OSD are, and as whom they can be pinged, by the cluster's OSDMap. */
import { isUp, type OSDMap, osdExists } from '../../maps/osdmap.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { CliError } from '../cli-error.ts';

export type HeartbeatNetwork = 'front' | 'back';

export interface OsdTarget {
  readonly network: HeartbeatNetwork;
  readonly addr: EntityAddr;
}

const osdsNamedMax = 20;

/** `3` for `osd.3`; undefined for anything else. */
export function parseOsdName(text: string): number | undefined {
  const match = /^osd\.(\d{1,9})$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** @throws CliError when the OSD is not in the map, is down, or tells no address on a network. */
export function heartbeatTargets(
  map: OSDMap,
  osd: number,
  networks: readonly HeartbeatNetwork[],
): OsdTarget[] {
  if (!osdExists(map, osd)) {
    const osds = existing(map);
    const more = osds.length > osdsNamedMax ? ', …' : '';
    const known = osds.length === 0 ? 'none at all' : `${osds.slice(0, osdsNamedMax).join(', ')}${more}`;
    throw new CliError(
      `there is no osd.${osd} in the cluster's osdmap (epoch ${map.epoch}), which has ${known}`,
    );
  }
  if (!isUp(map, osd)) throw new CliError(`osd.${osd} is down in the cluster's osdmap (epoch ${map.epoch})`);
  return networks.map((network) => {
    const addr = addrsOf(map, osd, network)?.v2();
    if (addr !== undefined) return { network, addr };
    throw new CliError(`osd.${osd} has no v2 address for heartbeats on the ${network} network`);
  });
}

/** The OSD to ping as when none is named: the first other one that is up, else the pinged one itself. */
export function pingAs(map: OSDMap, pinged: number | undefined): number | undefined {
  const up = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => isUp(map, osd));
  return up.find((osd) => osd !== pinged) ?? up[0];
}

function existing(map: OSDMap): string[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd)
    .filter((osd) => osdExists(map, osd))
    .map((osd) => `osd.${osd}`);
}

function addrsOf(map: OSDMap, osd: number, network: HeartbeatNetwork): EntityAddrVec | undefined {
  return network === 'front' ? map.hbFrontAddrs[osd] : map.hbBackAddrs[osd];
}
