/**
 * What an entity may do with the monitor: the `mon` capability of its key, as Ceph's MonCap reads it.
 *
 * A capability is a list of grants. What they allow adds up; one that is bound to a network counts only for
 * clients from there. Nothing is allowed that no grant names.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { EntityAuthName } from '../../../wire/entity-name.ts';
import { parseMonCaps } from './caps-grammar.ts';
import { isInNetwork } from './network.ts';
import { Permission } from './permission.ts';
import { profileGrants } from './profiles.ts';

export { Permission };

export type PermissionText = 'r' | 'w' | 'x' | 'rw' | 'rx' | 'wx' | 'rwx';

export interface ArgumentConstraint {
  readonly kind: 'equal' | 'prefix' | 'regex';
  readonly value: string;
}

/** One of: permissions on everything, on one service, one command, or a profile that stands for others. */
export interface Grant {
  readonly service?: string;
  readonly profile?: string;
  readonly command?: string;
  readonly commandArgs?: ReadonlyMap<string, ArgumentConstraint>;
  /** {@link Permission} bits. */
  readonly allow: number;
  /** `10.0.0.0/8`; one that is no network allows nothing. */
  readonly network?: string;
}

/** Who asks; a session is one. */
export interface CapsHolder {
  readonly entity: EntityAuthName;
  /** Its socket's other end, which a grant's network is compared with. */
  readonly connection: { readonly remoteHost?: string | undefined };
}

/** A command that is to be run, for grants that name commands. */
export interface CommandForCaps {
  readonly prefix: string;
  readonly args: ReadonlyMap<string, string>;
}

const noArgs: ReadonlyMap<string, string> = new Map();

export class MonCaps {
  /** `allow *`: monitors themselves, and everyone where there is no authentication. */
  static readonly all = new MonCaps('allow *', [{ allow: Permission.any }]);
  static readonly none = new MonCaps('', []);

  readonly text: string;
  readonly #grants: readonly Grant[];

  private constructor(text: string, grants: readonly Grant[]) {
    this.text = text;
    this.#grants = grants;
  }

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT, in Ceph's words, with the rest that is not understood. */
  static parse(text: string): MonCaps {
    const parsed = parseMonCaps(text);
    if (parsed.grants !== undefined) return new MonCaps(text, parsed.grants);
    const where = parsed.rest === '' ? 'stopped at end' : `stopped at '${parsed.rest}'`;
    throw new MsgrError(ErrorCode.InvalidArgument, `mon capability parse failed, ${where} of '${text}'`);
  }

  /** As {@link parse}; what cannot be read allows nothing, as in Ceph. */
  static parseOrNone(text: string): MonCaps {
    try {
      return MonCaps.parse(text);
    } catch (error) {
      if (error instanceof MsgrError) return MonCaps.none;
      throw error;
    }
  }

  /** `allow *` is among the grants, for whatever network. */
  get isAllowAll(): boolean {
    return this.#grants.some(isAllowAll);
  }

  /** May `who` do this with `service`? `session.caps.allows(session, 'osd', 'x')`. */
  allows(who: CapsHolder, service: string, permissions: PermissionText, command?: CommandForCaps): boolean {
    const wanted = permissionBits(permissions);
    let allowed = 0;
    for (const grant of this.#grants) {
      if (grant.network !== undefined && !isFrom(grant.network, who)) continue;
      if (isAllowAll(grant)) return true;
      allowed |= allowedBy(grant, who.entity, service, command);
      if ((allowed & wanted) === wanted) return true;
    }
    return false;
  }

  toString(): string {
    return this.text;
  }
}

export function permissionBits(text: string): number {
  return (
    (text.includes('r') ? Permission.r : 0) |
    (text.includes('w') ? Permission.w : 0) |
    (text.includes('x') ? Permission.x : 0)
  );
}

function isAllowAll({ allow, command, profile, service }: Grant): boolean {
  return allow === Permission.any && (service ?? profile ?? command) === undefined;
}

/** What the peer says of its addresses proves nothing; without a socket nothing is allowed. */
function isFrom(network: string, { connection: { remoteHost } }: CapsHolder): boolean {
  return remoteHost !== undefined && isInNetwork(remoteHost, network);
}

function allowedBy(grant: Grant, entity: EntityAuthName, service: string, command?: CommandForCaps): number {
  if (grant.profile !== undefined) {
    return profileGrants(grant.profile, entity).reduce(
      (bits, inner) => bits | allowedBy(inner, entity, service, command),
      0,
    );
  }
  if (grant.service !== undefined) return grant.service === service ? grant.allow : 0;
  if (grant.command !== undefined) return commandMatches(grant, command) ? Permission.all : 0;
  // Stored secrets (of disks, of dashboards) are not covered by permissions on everything: only `allow *` is.
  return service === 'config-key' ? 0 : grant.allow;
}

/** A constrained argument must have been given. */
function commandMatches(grant: Grant, command: CommandForCaps | undefined): boolean {
  if (command === undefined || command.prefix !== grant.command) return false;
  const args = command.args ?? noArgs;
  return [...(grant.commandArgs ?? [])].every(([name, constraint]) => {
    const given = args.get(name);
    return given !== undefined && meets(constraint, given);
  });
}

function meets({ kind, value }: ArgumentConstraint, given: string): boolean {
  switch (kind) {
    case 'equal':
      return given === value;
    case 'prefix':
      return given.startsWith(value);
    case 'regex':
      return matchesWhole(value, given);
  }
}

/** Patterns come from whoever may write caps, an administrator; one that does not compile matches nothing. */
function matchesWhole(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}
