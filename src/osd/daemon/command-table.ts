/**
 * Commands that a daemon carries out, whether `ceph tell` sends them or the admin socket does. Each says of
 * itself what `ceph` must know to check a command line (`get_command_descriptions`).
 */
import { Errno } from '../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';

/** A command as it came: `prefix` and its parameters by name. */
export type CommandArguments = Readonly<Record<string, unknown>>;

export interface DaemonCommand {
  /** Ceph's notation: the words of the prefix, then parameters as `name=var,type=CephString,req=false`. */
  readonly signature: string;
  readonly help: string;
  /** Answers what is shown as JSON, or text as it is. @throws MsgrError whose errno becomes the result. */
  run(parameters: CommandArguments): unknown | Promise<unknown>;
}

export interface CommandAnswer {
  /** 0, or a negative errno. */
  readonly result: number;
  readonly status: string;
  readonly output: Buffer;
}

/** Of one message or one line on the socket. */
const commandBytesMax = 1 << 16;

export class CommandTable {
  readonly #commands = new Map<string, DaemonCommand>();

  constructor() {
    this.add({ signature: 'help', help: 'list available commands', run: () => this.help() });
  }

  /** @throws TypeError when the prefix is taken. */
  add(command: DaemonCommand): void {
    const prefix = prefixOf(command);
    if (this.#commands.has(prefix)) throw new TypeError(`command ${JSON.stringify(prefix)} is there already`);
    this.#commands.set(prefix, command);
  }

  /** Prefixes and their help, in alphabetical order. */
  help(): Record<string, string> {
    const sorted = [...this.#commands].sort(([left], [right]) => (left < right ? -1 : 1));
    return Object.fromEntries(sorted.map(([prefix, { help }]) => [prefix, help]));
  }

  /** What `ceph` asks for before it sends a command. */
  descriptions(): Record<string, unknown> {
    const entries = [...this.#commands.values()].map((command, index) => [
      `cmd${String(index).padStart(3, '0')}`,
      { sig: signatureOf(command), help: command.help, module: 'osd', perm: 'rw', flags: 0 },
    ]);
    return Object.fromEntries(entries);
  }

  /** Carries out one command, given as JSON. Never rejects: what goes wrong is the answer. */
  async run(text: string): Promise<CommandAnswer> {
    try {
      const parameters = parseCommand(text);
      const prefix = String(parameters.prefix);
      if (prefix === 'get_command_descriptions') return answer(this.descriptions(), 'json');
      const command = this.#commands.get(prefix);
      if (command === undefined) {
        throw new MsgrError(ErrorCode.InvalidArgument, `unknown command '${prefix}'; try 'help'`, {
          errno: Errno.EINVAL,
        });
      }
      const output = await command.run(parameters);
      return answer(output, String(parameters.format ?? 'json-pretty'));
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      return { result: -(error.errno ?? Errno.EINVAL), status: error.message, output: Buffer.alloc(0) };
    }
  }
}

function parseCommand(text: string): CommandArguments {
  const refuse = (reason: string): MsgrError =>
    new MsgrError(ErrorCode.InvalidArgument, reason, { errno: Errno.EINVAL });
  if (text.length > commandBytesMax) throw refuse(`a command of ${text.length} bytes is too long`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse('the command is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || !('prefix' in parsed)) {
    throw refuse('the command has no prefix');
  }
  return parsed as CommandArguments;
}

/** As Ceph's formatters do it: `json-pretty` has four spaces, and text stays text. */
function answer(output: unknown, format: string): CommandAnswer {
  const text =
    output === undefined
      ? ''
      : typeof output === 'string'
        ? output
        : `${JSON.stringify(output, undefined, format === 'json' ? undefined : 4)}\n`;
  return { result: 0, status: '', output: Buffer.from(text) };
}

function prefixOf({ signature }: DaemonCommand): string {
  return signature
    .split(' ')
    .filter((word) => !word.includes('='))
    .join(' ');
}

/** Words as they are, parameters as objects: `{name, type, req, n}`. */
function signatureOf({ signature }: DaemonCommand): unknown[] {
  return signature.split(' ').map((word) => {
    if (!word.includes('=')) return word;
    const fields = word.split(',').map((pair) => pair.split('=', 2) as [string, string]);
    return Object.fromEntries(fields.map(([key, value]) => [key, key === 'req' ? value === 'true' : value]));
  });
}
