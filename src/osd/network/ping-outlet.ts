/**
 * The way out for the pings or answers of a messenger: the message of the one before is used again where it can
 * be, instead of memory that nobody has touched lately.
 */
import { lendBytesMin } from '../../limits.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Message } from '../../messenger/message.ts';
import type { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { pingMessage } from './ping-codec.ts';

export class PingOutlet {
  #last: Message | undefined;
  #lastFsid: Uuid | undefined;
  /** Over which `#last` was sent. */
  #sentOver: Connection | undefined;

  /** What `Connection.send` says. */
  send(connection: Connection, ping: MOSDPing): boolean {
    const message = pingMessage(ping, this.#isFree() ? this.#last : undefined, this.#lastFsid);
    this.#last = message;
    this.#lastFsid = ping.fsid;
    this.#sentOver = connection;
    return connection.send(message);
  }

  #isFree(): boolean {
    const last = this.#last;
    return last !== undefined && last.byteLength < lendBytesMin && this.#sentOver!.unframedCount === 0;
  }
}
