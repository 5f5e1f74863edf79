/**
 * What each message type needs. Whoever adds a type to the monitor adds its row: a
 * type without one is admitted from nobody, and a test compares the rows with what the monitor handles.
 * What a command needs stands in its definition, what a subscription needs in its publisher.
 *
 * Lesson of CVE-2018-10861, CVE-2020-10736 and CVE-2026-50152, where a handler had no check of its own.
 */
import { EntityType } from '../../../wire/entity-name.ts';
import { MAuth } from '../../../wire/messages/m-auth.ts';
import { MCommand } from '../../../wire/messages/m-command.ts';
import { MGetPoolStats } from '../../../wire/messages/m-get-pool-stats.ts';
import { MLog } from '../../../wire/messages/m-log.ts';
import { MMonCommand } from '../../../wire/messages/m-mon-command.ts';
import { MMonGetMap } from '../../../wire/messages/m-mon-get-map.ts';
import { MMonGetOSDMap } from '../../../wire/messages/m-mon-get-osd-map.ts';
import { MMonGetPurgedSnaps } from '../../../wire/messages/m-mon-get-purged-snaps.ts';
import { MMonGetVersion } from '../../../wire/messages/m-mon-get-version.ts';
import { MMonSubscribe } from '../../../wire/messages/m-mon-subscribe.ts';
import { MOSDAlive } from '../../../wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../wire/messages/m-osd-boot.ts';
import { MOSDFailure } from '../../../wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreated } from '../../../wire/messages/m-osd-pg-created.ts';
import { MOSDPGTemp } from '../../../wire/messages/m-osd-pg-temp.ts';
import { MPing } from '../../../wire/messages/m-ping.ts';
import { MPoolOp } from '../../../wire/messages/m-pool-op.ts';
import { MStatfs } from '../../../wire/messages/m-statfs.ts';
import type { CapsHolder, MonCaps, PermissionText } from './mon-caps.ts';

export interface Requirement {
  /** Checked by what the message asks for, item by item or command by command; the message itself needs nothing. */
  readonly isCheckedInside?: true;
  /** Everyone who was let in. */
  readonly isForAll?: true;
  readonly service?: string;
  readonly permissions?: PermissionText;
  /** Only from entities of this type: what an OSD says of itself nobody else may say. */
  readonly from?: number;
}

const forAll: Requirement = { isForAll: true };
const checkedInside: Requirement = { isCheckedInside: true };
const fromOsd: Requirement = { service: 'osd', permissions: 'x', from: EntityType.Osd };

export const messageRequirements: ReadonlyMap<number, Requirement> = new Map(
  (
    [
      // What a client needs before it can do anything: tickets, monmap, liveness.
      [MAuth, forAll],
      [MPing, forAll],
      [MMonGetMap, forAll],
      [MMonGetVersion, forAll],
      [MMonSubscribe, checkedInside],
      [MMonCommand, checkedInside],
      [MCommand, checkedInside],
      [MMonGetOSDMap, { service: 'osd', permissions: 'r' }],
      [MMonGetPurgedSnaps, { service: 'osd', permissions: 'r' }],
      [MLog, { service: 'log', permissions: 'w' }],
      [MPoolOp, { service: 'osd', permissions: 'w' }],
      [MStatfs, { service: 'pg', permissions: 'r' }],
      [MGetPoolStats, { service: 'pg', permissions: 'r' }],
      [MOSDBoot, fromOsd],
      [MOSDAlive, fromOsd],
      [MOSDBeacon, fromOsd],
      [MOSDFailure, fromOsd],
      [MOSDFull, fromOsd],
      [MOSDMarkMeDead, fromOsd],
      [MOSDMarkMeDown, fromOsd],
      [MOSDPGCreated, fromOsd],
      [MOSDPGTemp, fromOsd],
    ] as const
  ).map(([{ type }, requirement]) => [type, requirement]),
);

/** Who sends, with what it may do. */
export interface Requester extends CapsHolder {
  readonly caps: MonCaps;
}

export function admits(requester: Requester, type: number): boolean {
  const requirement = messageRequirements.get(type);
  if (requirement === undefined) return false;
  if (requirement.isForAll || requirement.isCheckedInside) return true;
  const { from, permissions, service } = requirement;
  if (from !== undefined && requester.entity.type !== from) return false;
  return requester.caps.allows(requester, service!, permissions!);
}
