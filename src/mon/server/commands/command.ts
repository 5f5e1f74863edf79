/**
 * A command that operators type, in Ceph's own description: its words and arguments as one signature, what it
 * needs, and what it does. One file holds the commands of one subject; `registry.ts` finds, checks and runs them.
 */
import type { MonitorState } from '../monitor-state.ts';
import type { MonSession } from '../session.ts';

export type CommandFormat = 'plain' | 'json' | 'json-pretty' | 'xml' | 'xml-pretty';

/** The service of the capabilities that a command falls under. */
export type CommandModule =
  | 'mon'
  | 'osd'
  | 'auth'
  | 'mgr'
  | 'pg'
  | 'log'
  | 'config'
  | 'config-key'
  | 'mds'
  | 'fs';

/** What a description says beside the syntax (MonCommand.h). */
export const CommandFlag = { deprecated: 1 << 2, hidden: 1 << 5 } as const;

export interface CommandReply {
  /** 0, or a negative errno. */
  readonly result: number;
  /** `rs`: one line for the operator, on standard error. */
  readonly message?: string;
  /** The answer itself. */
  readonly data?: string | Uint8Array;
}

/** What a command came with, checked against its signature; `args` has no entry for what was not given. */
export interface CommandContext {
  readonly args: CommandArgs;
  readonly format: CommandFormat;
  /** `-i FILE`; empty when there is none. */
  readonly input: Uint8Array;
  readonly session: MonSession;
  readonly monitor: MonitorState;
}

/** Values by name: CephInt is a bigint-safe number, CephFloat a number, CephBool a boolean, the rest text; `n=N` a list. */
export interface CommandArgs {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  flag(name: string): boolean;
  list(name: string): readonly string[];
}

export interface CommandDefinition {
  /** Words, then arguments: `osd pool create name=pool,type=CephPoolname name=pg_num,type=CephInt,range=0,req=false`. */
  readonly signature: string;
  readonly help: string;
  /** Capability service and permissions: `osd` and `rw`. */
  readonly module: CommandModule;
  readonly permissions: 'r' | 'w' | 'rw' | 'rx' | 'rwx';
  /** {@link CommandFlag} bits. */
  readonly flags?: number;
  /**
   * At once, or after `await monitor.propose()` when the command changed something.
   * Throwing MsgrError ERR_MSGR_INVALID_ARGUMENT is the answer -EINVAL with its message.
   */
  run(context: CommandContext): CommandReply | Promise<CommandReply>;
}
