/**
 * The monitor's own options: what it was started with, and below that what the configuration database has for
 * it (`ceph config set mon mon_osd_down_out_interval 60`). As in Ceph a ceph.conf wins over the database.
 *
 * Only what the rules and services read counts: how it is reached and how it authenticates is not changed by
 * those who are let in.
 */
import { optionNamed, parseOption } from '../../config/option-text.ts';
import { MsgrError } from '../../errors.ts';
import { type Options, resolveOptions } from '../../options.ts';
import { EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import type { ConfigService } from './config/config-service.ts';

const changeable = /^(?:mon|osd|paxos)_/;

export function ownOptions(name: string, given: Partial<Options>, config: ConfigService): Options {
  const entity = new EntityAuthName(EntityType.Mon, name);
  const fromDatabase: Record<string, unknown> = {};
  for (const [key, value] of config.configFor({ entity })) {
    const option = optionNamed(key);
    if (option === undefined || !changeable.test(option)) continue;
    try {
      fromDatabase[option] = parseOption(option, value);
    } catch (error) {
      // `config set` refuses such a value; one that is there all the same is as if it were not.
      if (!(error instanceof MsgrError)) throw error;
    }
  }
  return resolveOptions({ ...(fromDatabase as Partial<Options>), ...given });
}
