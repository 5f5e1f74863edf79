/** Commands to the monitors: what the `ceph` tool sends, and what comes back. */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { lendBytesMin } from '../../limits.ts';
import { Message } from '../../messenger/message.ts';
import type { RequestOptions } from '../../messenger/requests.ts';
import { MMonCommand } from '../../wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../wire/messages/m-mon-command-ack.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { MonCommandError } from './command-error.ts';
import type { MonRequestInit } from './requests.ts';

/**
 * A command as Ceph's tools make it of the command line: its words are `prefix`, its arguments have the
 * names that `ceph --help` shows. `{ prefix: 'osd pool create', pool: 'data', pg_num: 8 }`.
 */
export interface MonCommand {
  readonly prefix: string;
  /** Form of the output: `json`, `json-pretty`, `plain`. */
  readonly format?: string;
  readonly [argument: string]: unknown;
}

export interface MonCommandOptions extends RequestOptions {
  /**
   * Ends the wait with ERR_MSGR_TIMEOUT; the command may have been carried out all the same. By default
   * `rados_mon_op_timeout`, which is never.
   */
  readonly timeoutMs?: number;
  /** What `ceph -i FILE` sends along. */
  readonly input?: Uint8Array;
  /** The monitor that is to answer itself, by name (`mon.a` or `a`) or rank, as `ceph tell mon.a`. */
  readonly target?: string | number;
}

export interface MonCommandResult {
  /** 0, or what little above it a command answers; less is a {@link MonCommandError}. */
  readonly code: number;
  /** For people. */
  readonly status: string;
  /** For programs, in the form that was asked for. */
  readonly output: Buffer;
}

/** What both kinds of reply hold. */
export interface CommandAnswer {
  readonly result: number;
  readonly status: string;
  readonly output: Uint8Array;
}

/** @throws MonCommandError */
export function readCommandAnswer(
  prefix: string,
  { output, result, status }: CommandAnswer,
): MonCommandResult {
  const view = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  // A few bytes must not hold the receive slab that they came in.
  const own = view.byteLength < lendBytesMin ? Buffer.from(view) : view;
  if (result < 0) throw new MonCommandError(prefix, result, status, own);
  return { code: result, status, output: own };
}

/** A whole number too that a command takes as `float`: monitors refuse `1` where they want `1.0`. */
export class MonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    return Number.isInteger(this.value) ? this.value.toFixed(1) : String(this.value);
  }
}

/** The one string that travels; one that is given travels as it is. @throws MsgrError ERR_MSGR_INVALID_ARGUMENT */
export function commandText(command: MonCommand | string): string {
  if (typeof command === 'string') return command;
  if (typeof command.prefix !== 'string' || command.prefix === '') {
    throw new MsgrError(ErrorCode.InvalidArgument, "a mon command needs a prefix, such as 'osd tree'");
  }
  try {
    const parts = Object.entries(command)
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          `${JSON.stringify(name)}:${value instanceof MonFloat ? value : JSON.stringify(value)}`,
      );
    return `{${parts.join(',')}}`;
  } catch (cause) {
    const reason = `mon command '${command.prefix}': an argument cannot be written as JSON`;
    throw new MsgrError(ErrorCode.InvalidArgument, reason, { cause });
  }
}

/** What messages call a command. @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when a text has no prefix. */
export function commandPrefix(command: MonCommand | string): string {
  if (typeof command !== 'string') return command.prefix;
  try {
    const { prefix } = (JSON.parse(command) ?? {}) as Partial<MonCommand>;
    if (typeof prefix === 'string' && prefix !== '') return prefix;
  } catch (cause) {
    throw new MsgrError(ErrorCode.InvalidArgument, `a mon command is JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  throw new MsgrError(ErrorCode.InvalidArgument, "a mon command needs a prefix, such as 'osd tree'");
}

/** As a question to whatever monitor the session is with. */
export function commandRequest(
  prefix: string,
  text: string,
  input: Uint8Array,
  fsid: () => Uuid,
): MonRequestInit<CommandAnswer> & { read: (answer: CommandAnswer) => MonCommandResult } {
  return {
    what: `mon command '${prefix}'`,
    bytes: text.length + input.byteLength,
    replyType: MMonCommandAck.type,
    message: (tid) => Message.of(MMonCommand, { fsid: fsid(), command: [text], input }, { tid }),
    read: (answer) => readCommandAnswer(prefix, answer),
  };
}
