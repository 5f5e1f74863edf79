/**
 * The messenger's dispatchers in order, and what a message or an event meets there. What a dispatcher
 * throws never stops the chain or the batch: it is thrown again from an empty stack, where
 * `uncaughtException` sees it as it would from any callback. For messages the caller does that, for many of them
 * together: V8 makes views of payloads 9 ns slower where a handler's code is compiled into a `try` (it leaves
 * a derived class's `super()` there as it is).
 */
import type { Connection } from './connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ReceivedMessage } from './message.ts';

/** What became of a message that was offered for fast dispatch. */
export type FastDispatchResult = 'notTaken' | 'taken' | 'takenAndReleased';

export class DispatcherChain {
  #dispatchers: Dispatcher[] = [];
  #hasPreprocess = false;
  /** What the message from the queue is offered to, and the one of them that has it now. */
  #offered: readonly Dispatcher[] = [];
  #offeredTo = 0;

  addHead(dispatcher: Dispatcher): void {
    this.#set([dispatcher, ...this.#dispatchers]);
  }

  addTail(dispatcher: Dispatcher): void {
    this.#set([...this.#dispatchers, dispatcher]);
  }

  remove(dispatcher: Dispatcher): void {
    this.#set(this.#dispatchers.filter((other) => other !== dispatcher));
  }

  preprocess(message: ReceivedMessage): void {
    if (!this.#hasPreprocess) return;
    for (const dispatcher of this.#dispatchers) {
      guard(() => dispatcher.fastPreprocess?.(message));
    }
  }

  /**
   * The first dispatcher that can takes the message at once.
   * @throws whatever that dispatcher throws; it has the message then.
   */
  fastDispatch(message: ReceivedMessage): FastDispatchResult {
    const dispatchers = this.#dispatchers;
    for (let index = 0; index < dispatchers.length; index++) {
      const dispatcher = dispatchers[index]!;
      if (dispatcher.canFastDispatch === undefined || !dispatcher.canFastDispatch(message)) continue;
      dispatcher.fastDispatch!(message);
      return dispatcher.borrowsPayload === true ? 'takenAndReleased' : 'taken';
    }
    return 'notTaken';
  }

  /**
   * From the queue; answers whether someone took it.
   * @throws whatever a dispatcher throws: then the message is to be dispatched once more, and `goesOn` behind it.
   */
  dispatch(message: ReceivedMessage, goesOn: boolean): boolean {
    const dispatchers = goesOn ? this.#offered : this.#dispatchers;
    this.#offered = dispatchers;
    for (let index = goesOn ? this.#offeredTo + 1 : 0; index < dispatchers.length; index++) {
      this.#offeredTo = index;
      if (dispatchers[index]!.dispatch?.(message) === true) return true;
    }
    return false;
  }

  connect(connection: Connection): void {
    for (const dispatcher of this.#dispatchers) guard(() => dispatcher.handleConnect?.(connection));
  }

  accept(connection: Connection): void {
    for (const dispatcher of this.#dispatchers) guard(() => dispatcher.handleAccept?.(connection));
  }

  reset(connection: Connection): void {
    for (const dispatcher of this.#dispatchers) {
      if (guard(() => dispatcher.handleReset?.(connection)) === true) return;
    }
  }

  remoteReset(connection: Connection): void {
    for (const dispatcher of this.#dispatchers) guard(() => dispatcher.handleRemoteReset?.(connection));
  }

  refused(connection: Connection): void {
    for (const dispatcher of this.#dispatchers) {
      if (guard(() => dispatcher.handleRefused?.(connection)) === true) return;
    }
  }

  #set(dispatchers: Dispatcher[]): void {
    for (const dispatcher of dispatchers) {
      if (dispatcher.canFastDispatch !== undefined && dispatcher.fastDispatch === undefined) {
        throw new TypeError('a dispatcher with canFastDispatch needs fastDispatch');
      }
    }
    this.#dispatchers = dispatchers;
    this.#hasPreprocess = dispatchers.some((dispatcher) => dispatcher.fastPreprocess !== undefined);
  }
}

function guard<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    throwLater(error);
    return undefined;
  }
}

/** From an empty stack. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
