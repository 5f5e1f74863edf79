/** Whom an option is set for: `global`, `osd`, `osd.3`, `osd/host:a`, `class:ssd`. */
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import { EntityAuthName, EntityType } from '../../../../wire/entity-name.ts';
import type { ConfigTarget } from '../../config/config-map.ts';
import { hostName } from '../../mon-metadata.ts';
import type { MonitorState } from '../../monitor-state.ts';
import { crushLocation } from '../../osdmap/crush-location.ts';

export interface SectionAndMask {
  readonly section: string;
  readonly mask: string;
}

/** @throws MsgrError in Ceph's words */
export function parseWho(who: string): SectionAndMask {
  let section = 'global';
  const masks: string[] = [];
  for (const part of who.split('/')) {
    if (/^[^:]+:[^:]+$/.test(part)) masks.push(part);
    else if (part === 'global' || /^(mon|mgr|osd|mds|client)(\..+)?$/.test(part)) section = part;
    else throw new MsgrError(ErrorCode.InvalidArgument, `unrecognized config target '${who}'`);
  }
  return { section, mask: masks.join('/') };
}

/** An entity, and where an OSD is to be found. @throws MsgrError in Ceph's words */
export function parseEntity(monitor: MonitorState, who: string): ConfigTarget {
  let entity: EntityAuthName;
  try {
    entity = EntityAuthName.parse(who.includes('.') ? who : `${who}.`);
  } catch {
    throw new MsgrError(ErrorCode.InvalidArgument, `unrecognized entity '${who}'`);
  }
  if (entity.type !== EntityType.Osd || !/^\d{1,9}$/.test(entity.id)) {
    return entity.type === EntityType.Mon
      ? { entity, location: new Map([['host', hostName()]]) }
      : { entity };
  }
  const osd = Number(entity.id);
  const { crush } = monitor.osdMap;
  const deviceClass = crush.classNames.get(crush.classes.get(osd) ?? -1);
  return {
    entity,
    location: new Map([...crushLocation(crush, osd)].reverse()),
    ...(deviceClass !== undefined && { deviceClass }),
  };
}
