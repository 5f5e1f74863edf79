/**
 * Which of the configured options hold for whom, as Ceph's ConfigMap has it: more special sections win over
 * less special ones (`global`, then a type, then one entity), and within one a mask over none.
 */
import { type EntityAuthName, entityTypeName } from '../../../wire/entity-name.ts';

/** One line of `config dump`. */
export interface ConfigEntry {
  /** As in the store: `osd/host:a/osd_memory_target`. */
  readonly key: string;
  /** `global`, `osd`, `osd.3`, `client.rgw.a`. */
  readonly section: string;
  /** `host:a`, `class:ssd`, several with `/` between them; empty for everyone. */
  readonly mask: string;
  readonly option: string;
  readonly value: string;
}

/** Whom options are for. */
export interface ConfigTarget {
  readonly entity: EntityAuthName;
  /** Its place in CRUSH by type: `host` → `a`. */
  readonly location?: ReadonlyMap<string, string>;
  readonly deviceClass?: string;
}

export function configKey(section: string, mask: string, option: string): string {
  return [section, ...(mask === '' ? [] : [mask]), option].join('/');
}

/** `client.rgw.a/host:b/rgw_frontends`: section before the first slash, option after the last. */
export function parseConfigKey(key: string, value: string): ConfigEntry {
  const parts = key.split('/');
  const option = parts.pop() ?? '';
  const section = parts.length === 0 ? 'global' : parts.shift()!;
  return { key, section, mask: parts.join('/'), option, value };
}

/** The entry that holds for each option. */
export function configFor(entries: Iterable<ConfigEntry>, target: ConfigTarget): Map<string, ConfigEntry> {
  const ranked = [...entries]
    .filter((entry) => sectionRank(entry, target) >= 0 && maskMatches(entry, target))
    .sort(
      (one, other) =>
        sectionRank(one, target) - sectionRank(other, target) ||
        maskRank(one, target) - maskRank(other, target),
    );
  return new Map(ranked.map((entry) => [entry.option, entry]));
}

/** Where the section stands for this entity; -1 when it is not its own. `client.rgw` holds for `client.rgw.a` too. */
function sectionRank({ section }: ConfigEntry, { entity }: ConfigTarget): number {
  if (section === 'global') return 0;
  const type = entityTypeName(entity.type);
  if (section === type) return 1;
  const name = String(entity);
  return name === section || name.startsWith(`${section}.`) ? 1 + section.split('.').length : -1;
}

function masks({ mask }: ConfigEntry): string[][] {
  return mask === '' ? [] : mask.split('/').map((part) => part.split(':'));
}

function maskMatches(entry: ConfigEntry, { deviceClass, location }: ConfigTarget): boolean {
  return masks(entry).every(([type, value]) =>
    type === 'class' ? deviceClass === value : location?.get(type ?? '') === value,
  );
}

/** A place nearer to the entity is more special; a device class is more special than none. */
function maskRank(entry: ConfigEntry, { location }: ConfigTarget): number {
  const order = [...(location?.keys() ?? [])];
  return masks(entry).reduce((rank, [type]) => {
    if (type === 'class') return rank + 0.5;
    // Locations are listed from the root down.
    return rank + 1 + order.indexOf(type ?? '');
  }, 0);
}
