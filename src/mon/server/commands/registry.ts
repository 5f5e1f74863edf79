/**
 * All commands of the monitor: finds the one that a JSON command means, checks who asks and with what, runs
 * it, and tells the audit log. Whatever is sent, the answer is one reply.
 */
import { Errno } from '../../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { MonitorState } from '../monitor-state.ts';
import type { MonSession } from '../session.ts';
import { checkArguments, type JsonCommand } from './arguments.ts';
import { auditLine } from './audit.ts';
import { argumentsForCaps } from './caps-arguments.ts';
import type { CommandDefinition, CommandFormat, CommandReply } from './command.ts';
import { describeCommands } from './descriptions.ts';
import { failed } from './reply.ts';
import { type CommandSignature, parseSignature } from './signature.ts';

/** A command as it arrived, in MMonCommand or MCommand. */
export interface CommandRequest {
  /** One string of JSON; several are joined, as Ceph does. */
  readonly command: readonly string[];
  readonly input: Uint8Array;
  readonly session: MonSession;
}

interface Entry {
  readonly definition: CommandDefinition;
  readonly signature: CommandSignature;
}

const formats: readonly string[] = ['plain', 'json', 'json-pretty'] satisfies readonly CommandFormat[];

export class CommandRegistry {
  readonly #entries: readonly Entry[];
  readonly #byPrefix = new Map<string, Entry[]>();
  #descriptions: string | undefined;

  constructor(definitions: Iterable<CommandDefinition>) {
    this.#entries = [...definitions].map((definition) => ({
      definition,
      signature: parseSignature(definition.signature),
    }));
    for (const entry of this.#entries) {
      const same = this.#byPrefix.get(entry.signature.prefix);
      if (same) same.push(entry);
      else this.#byPrefix.set(entry.signature.prefix, [entry]);
    }
  }

  get definitions(): readonly CommandDefinition[] {
    return this.#entries.map(({ definition }) => definition);
  }

  /** What `get_command_descriptions` answers. */
  get descriptions(): string {
    this.#descriptions ??= describeCommands(this.#entries);
    return this.#descriptions;
  }

  async run(request: CommandRequest, monitor: MonitorState): Promise<Required<CommandReply>> {
    return { message: '', data: '', ...(await this.#run(request, monitor)) };
  }

  async #run(request: CommandRequest, monitor: MonitorState): Promise<CommandReply> {
    let command: JsonCommand;
    try {
      command = parseCommand(request.command);
    } catch (error) {
      if (error instanceof MsgrError) return failed(Errno.EINVAL, error.message);
      throw error;
    }
    const prefix = String(command.prefix);
    // Every client asks for this before it can send anything else, whatever it may do.
    if (prefix === 'get_command_descriptions') return { result: 0, data: this.descriptions };
    const candidates = this.#byPrefix.get(prefix);
    if (candidates === undefined) return failed(Errno.EINVAL, 'command not known');
    return this.#runKnown(candidates, command, request, monitor);
  }

  async #runKnown(
    candidates: readonly Entry[],
    command: JsonCommand,
    { input, session }: CommandRequest,
    monitor: MonitorState,
  ): Promise<CommandReply> {
    const { module, permissions } = candidates[0]!.definition;
    const args = argumentsForCaps(command);
    const mayRun = session.caps.allows(session, module, permissions, {
      prefix: String(command.prefix),
      args,
    });
    const changes = permissions !== 'r';
    if (!mayRun) {
      monitor.log.audit(auditLine(session, command, 'access denied'));
      return failed(Errno.EACCES, 'access denied');
    }
    // Those that only read are not told of: each line would be a write to the disk.
    if (changes) monitor.log.audit(auditLine(session, command, 'dispatch'));
    try {
      const format = formatOf(command);
      const { definition, checked } = choose(candidates, command);
      const reply = await definition.run({ args: checked, format, input, session, monitor });
      if (changes && reply.result === 0) monitor.log.audit(auditLine(session, command, 'finished'));
      return reply;
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      if (error.errno !== undefined) return failed(error.errno, error.message);
      if (mistakesOfTheCaller.has(error.code)) return failed(Errno.EINVAL, error.message);
      throw error;
    }
  }
}

/** Arguments, and files that came with the command. */
const mistakesOfTheCaller: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.InvalidArgument,
  ErrorCode.Malformed,
  ErrorCode.Keyring,
]);

const commandBytesMax = 16 * 1024 * 1024;

/** @throws MsgrError */
function parseCommand(parts: readonly string[]): JsonCommand {
  const text = parts.join('');
  if (text === '') throw invalid('no command');
  if (text.length > commandBytesMax) throw invalid(`${text.length} characters are too many for a command`);
  let command: unknown;
  try {
    command = JSON.parse(text);
  } catch {
    throw invalid(`command is not JSON: ${text.slice(0, 200)}`);
  }
  if (typeof command !== 'object' || command === null || Array.isArray(command)) {
    throw invalid('command is not a JSON object');
  }
  const { prefix } = command as JsonCommand;
  if (prefix === undefined) throw invalid('command prefix not found');
  if (typeof prefix !== 'string') throw invalid("bad or missing field 'prefix'");
  for (const [name, value] of Object.entries(command)) {
    if (!isFlat(value)) throw invalid(`bad or missing field ${JSON.stringify(name)}`);
  }
  return command as JsonCommand;
}

/** Values are single ones or lists of them; what is deeper belongs to no command, and may be very deep. */
function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isSingle) : isSingle(value);
}

function isSingle(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function invalid(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}

/** What is not known counts as plain, as in Ceph. */
function formatOf({ format = 'plain' }: JsonCommand): CommandFormat {
  if (format === 'xml' || format === 'xml-pretty') throw invalid(`format ${format} is not offered; json is`);
  return formats.includes(String(format)) ? (format as CommandFormat) : 'plain';
}

/** The first definition that takes the arguments; when none does, what the first has against them. */
function choose(candidates: readonly Entry[], command: JsonCommand) {
  let refusal: unknown;
  for (const { definition, signature } of candidates) {
    try {
      return { definition, checked: checkArguments(signature, command) };
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}
