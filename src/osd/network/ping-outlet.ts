/**
 * The way out for the pings or answers of a messenger. Most leave one by one, each by itself: the message of the
 * one before is then used again instead of memory that nobody has touched lately.
 */
import type { Connection } from '../../messenger/connection.ts';
import type { Message } from '../../messenger/message.ts';
import type { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import { pingMessage } from './ping-codec.ts';

export class PingOutlet {
  #last: Message | undefined;
  /** Over which `#last` was sent: lent until nothing waits there. */
  #lentTo: Connection | undefined;

  send(connection: Connection, ping: MOSDPing): void {
    const isFree = this.#lentTo?.queuedBytes === 0;
    const message = pingMessage(ping, isFree ? this.#last : undefined);
    this.#last = message;
    this.#lentTo = connection;
    connection.send(message);
  }
}
