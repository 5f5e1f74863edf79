/** Commands to monitors by name or rank that are under way; each is a `Tell`. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection } from '../../messenger/connection.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { RequestOptions } from '../../messenger/requests.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { MCommand } from '../../wire/messages/m-command.ts';
import { MCommandReply } from '../../wire/messages/m-command-reply.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { CommandAnswer } from './commands.ts';
import type { Monitor, Monitors } from './monitors.ts';
import type { MonRequestInit, MonRequests } from './requests.ts';
import { Tell } from './tell.ts';

export interface TellsInit {
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly options: Options;
  readonly monitors: Monitors;
  readonly requests: MonRequests;
}

export interface TellBody {
  readonly command: readonly string[];
  readonly input: Uint8Array;
  readonly fsid: () => Uuid;
}

interface Entry {
  readonly body: TellBody;
  readonly target: string | number;
  /** Undefined while the monitors are not known. */
  tell: Tell | undefined;
}

export class Tells {
  readonly #init: TellsInit;
  readonly #entries = new Map<bigint, Entry>();

  constructor(init: TellsInit) {
    this.#init = init;
  }

  /** As `MonRequests.start`; begins when there is a monitor map. */
  start<Result>(
    request: MonRequestInit<CommandAnswer> & { read: (answer: CommandAnswer) => Result },
    body: TellBody,
    target: string | number,
    options: RequestOptions,
  ): Promise<Result> {
    let tid = 0n;
    const { bytes, read, what } = request;
    const onEnd = (): void => this.#end(tid);
    const directed = {
      what: `${what} to ${textOf(target)}`,
      bytes,
      read,
      replyType: MCommandReply.type,
      onEnd,
    };
    return this.#init.requests.start(directed, options, (given) => {
      tid = given;
      this.#entries.set(tid, { body, target, tell: undefined });
      if (this.#init.monitors.map !== undefined) this.#begin(tid);
    });
  }

  /** There is a session, so there is a monitor map. */
  mapIsKnown(): void {
    for (const [tid, { tell }] of [...this.#entries]) if (tell === undefined) this.#begin(tid);
  }

  /** True when the message came over a connection that a command was sent on. */
  dispatch(message: ReceivedMessage): boolean {
    const found = this.#find(message.connection);
    if (found === undefined) return false;
    if (message.type === MCommandReply.type && message.tid === found) {
      this.#init.requests.settle(found, MCommandReply.type, message.as(MCommandReply));
    }
    return true;
  }

  #begin(tid: bigint): void {
    const { clock, messenger, monitors, options, requests } = this.#init;
    const entry = this.#entries.get(tid)!;
    const monitor = monitorFor(entry.target, monitors);
    if (monitor === undefined) {
      const names = monitors.ofMap.map(({ name }) => `mon.${name}`).join(', ');
      const reason = `${textOf(entry.target)} is not in monmap ${monitors.map!.epoch}, which has ${names}`;
      requests.reject(tid, new MsgrError(ErrorCode.InvalidArgument, reason));
      return;
    }
    const { command, fsid, input } = entry.body;
    entry.tell = new Tell({
      messenger,
      clock,
      options,
      monitor,
      message: () => Message.of(MCommand, { fsid: fsid(), command, input }, { tid }),
      onFailed: (error) => requests.reject(tid, error),
    });
    entry.tell.start();
  }

  #find(connection: Connection): bigint | undefined {
    for (const [tid, { tell }] of this.#entries) if (tell?.connection === connection) return tid;
    return undefined;
  }

  #end(tid: bigint): void {
    this.#entries.get(tid)?.tell?.stop();
    this.#entries.delete(tid);
  }
}

function textOf(target: string | number): string {
  if (typeof target === 'number') return `the monitor of rank ${target}`;
  return target.startsWith('mon.') ? target : `mon.${target}`;
}

function monitorFor(target: string | number, { ofMap }: Monitors): Monitor | undefined {
  if (typeof target === 'number') return ofMap.find(({ rank }) => rank === target);
  return ofMap.find(({ name }) => name === target || `mon.${name}` === target);
}
