/** What a monitor says when it does not do what a command asks. */
import { getSystemErrorName } from 'node:util';
import { ErrorCode, MsgrError } from '../../errors.ts';

/** A command was answered with an errno. `code` is ERR_MSGR_MON_COMMAND. */
export class MonCommandError extends MsgrError {
  /** Linux's error number, positive: 22 for EINVAL. */
  declare readonly errno: number;
  /** `EINVAL`; `Unknown system error -9999` for a number without a name. */
  readonly errnoName: string;
  /** The monitor's words. */
  readonly status: string;
  /** Some commands answer with an errno and output. */
  readonly output: Buffer;

  /** `result` as it travels: negative. */
  constructor(prefix: string, result: number, status: string, output: Buffer) {
    const errnoName = getSystemErrorName(result);
    const message = `'${prefix}': ${errnoName}${status === '' ? '' : `: ${status}`}`;
    super(ErrorCode.MonCommand, message, { errno: -result });
    this.name = 'MonCommandError';
    this.errnoName = errnoName;
    this.status = status;
    this.output = output;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return MsgrError[Symbol.hasInstance](value) && (value as MsgrError).code === ErrorCode.MonCommand;
  }
}
