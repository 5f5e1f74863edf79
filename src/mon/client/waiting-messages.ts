/** Messages that wait for a session with a monitor, in order and within bounds. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { monWaitingBytesMax, monWaitingMessagesMax } from '../../limits.ts';
import type { Message } from '../../messenger/message.ts';

export class WaitingMessages {
  #messages: Message[] = [];
  #bytes = 0;

  get length(): number {
    return this.#messages.length;
  }

  /** @throws MsgrError ERR_MSGR_OVERLOADED */
  push(message: Message): void {
    if (
      this.#messages.length >= monWaitingMessagesMax ||
      this.#bytes + message.byteLength > monWaitingBytesMax
    ) {
      const held = `${this.#messages.length} messages of ${this.#bytes} bytes`;
      throw new MsgrError(ErrorCode.Overloaded, `${held} wait for a session with a monitor already`);
    }
    this.#messages.push(message);
    this.#bytes += message.byteLength;
  }

  /** All of them, and none is left. */
  takeAll(): Message[] {
    const messages = this.#messages;
    this.clear();
    return messages;
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}
