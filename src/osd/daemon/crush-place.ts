/**
 * An OSD's place in the CRUSH map, taken when it starts: its device class, and where it stands with which
 * weight. As ceph-osd does it, by commands to the monitor; an OSD that has a place already is moved when its
 * host changed, and keeps its weight.
 *
 * ceph-osd's weight is its size in TiB. This OSD holds no objects, so its size is 0: at weight 0 CRUSH gives
 * it no placement group. `osd_crush_initial_weight` says otherwise, for whoever knows why.
 */
import type { MonClient } from '../../mon/client/mon-client.ts';
import type { Options } from '../../options.ts';
import { shortHostName } from './host-facts.ts';

/** @throws MsgrError ERR_MSGR_MON_COMMAND as the monitor refuses it, and what `MonClient.command` rejects with. */
export async function takeCrushPlace(
  client: MonClient,
  { deviceClass, options, whoami }: { deviceClass: string; options: Options; whoami: number },
): Promise<void> {
  if (options.osd_class_update_on_start) {
    const prefix = 'osd crush set-device-class';
    try {
      await client.command({ prefix, class: deviceClass, ids: [String(whoami)] });
    } catch (error) {
      // An operator gave it another class, and it is not for the OSD to take that away.
      if ((error as { errno?: number }).errno !== ebusy) throw error;
    }
  }
  if (!options.osd_crush_update_on_start) return;
  // As text, because monitors take a weight only with its point: 0 is an integer to them.
  const weight = Math.max(0, options.osd_crush_initial_weight).toFixed(4);
  const place = {
    prefix: 'osd crush create-or-move',
    id: whoami,
    args: crushLocation(options.crush_location),
  };
  await client.command(JSON.stringify(place).replace(/}$/, `,"weight":${weight}}`));
}

const ebusy = 16;

/** `host=node1 root=default`, sorted by type as Ceph sends it. */
export function crushLocation(given: string): string[] {
  const pairs = given.split(/[\s,;]+/).filter((pair) => pair.includes('='));
  return pairs.length > 0 ? pairs.sort() : [`host=${shortHostName()}`, 'root=default'];
}
