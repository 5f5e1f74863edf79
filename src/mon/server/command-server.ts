/**
 * Commands as they arrive: to the cluster (MMonCommand), to this monitor (MCommand, `ceph tell`), and pings.
 * Each is answered once, whatever is in it; an error of our own costs that command and is told in the log.
 */
import { Errno } from '../../auth/errno.ts';
import { Message, Priority } from '../../messenger/message.ts';
import type { MCommand } from '../../wire/messages/m-command.ts';
import { MCommandReply } from '../../wire/messages/m-command-reply.ts';
import type { MMonCommand } from '../../wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../wire/messages/m-mon-command-ack.ts';
import { MPing } from '../../wire/messages/m-ping.ts';
import type { MessageType } from '../../wire/messages/registry.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { allCommands } from './commands/all-commands.ts';
import type { CommandReply } from './commands/command.ts';
import { CommandRegistry, type CommandRequest } from './commands/registry.ts';
import { failed } from './commands/reply.ts';
import { pongText, tellCommands } from './commands/tell.ts';
import type { MonitorState } from './monitor-state.ts';
import type { MonOp } from './session.ts';

export class CommandServer {
  readonly #monitor: MonitorState;
  readonly #commands = new CommandRegistry(allCommands);
  readonly #tells = new CommandRegistry(tellCommands);

  constructor(monitor: MonitorState) {
    this.#monitor = monitor;
  }

  async run(op: MonOp<MMonCommand>): Promise<void> {
    const { command, fsid } = op.body;
    const isOurs = fsid.equals(this.#monitor.fsid);
    const reply = isOurs ? await this.#run(this.#commands, op) : failed(Errno.EPERM, 'wrong fsid');
    const { result, message: status = '' } = reply;
    op.reply(high(MMonCommandAck, { result, status, command, output: outputOf(reply) }));
  }

  async tell(op: MonOp<MCommand>): Promise<void> {
    const isOurs = op.body.fsid.equals(this.#monitor.fsid);
    const reply = isOurs ? await this.#run(this.#tells, op) : failed(Errno.EACCES, 'wrong fsid');
    const { result, message: status = '' } = reply;
    op.reply(high(MCommandReply, { result, status, output: outputOf(reply) }));
  }

  ping(op: MonOp<MPing>): void {
    op.reply(high(MPing, { text: pongText(this.#monitor) }));
  }

  async #run(
    registry: CommandRegistry,
    { body, session }: MonOp<Omit<CommandRequest, 'session'> & { readonly fsid: Uuid }>,
  ): Promise<CommandReply> {
    try {
      const { command, input } = body;
      return await registry.run({ command, input, session }, this.#monitor);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#monitor.log.error(`a command of ${session.entity} failed in the monitor: ${text}`);
      return failed(Errno.EIO, `the monitor failed: ${text}`);
    }
  }
}

function outputOf({ data = '' }: CommandReply): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data;
}

/** Monitors send above the others' default. */
function high<Body>(type: MessageType<Body>, body: Body): Message {
  return Message.of(type, body, { priority: Priority.High });
}
