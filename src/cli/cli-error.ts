/** A failure that is told in one line: the user's, or the world's. Everything else is a bug and keeps its stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1, or 2 when the command line itself is wrong; what `ceph` would exit with where it has a number of its own. */
  readonly exitCode: number;

  constructor(message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}
