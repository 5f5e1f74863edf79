/** msgr2 itself as a link: messengers with default options, lossless sessions with acks. */
import { Buffer } from 'node:buffer';
import { authSharedKey } from '../../auth/shared-key.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import { untilOpen } from '../until-open.ts';
import type { LinkEnds, LinkHandler } from './link.ts';

/**
 * How the receiving side takes its messages: at once and free to keep the payload (`default`), at once and
 * promising to keep nothing (`borrowing`), or through the DispatchQueue (`queued`).
 */
export type DispatcherKind = 'default' | 'borrowing' | 'queued';

/** How frames are protected: by CRCs, or sealed with AES-128-GCM. */
export type ModeKind = 'crc' | 'secure';

export interface Msgr2EndsOptions {
  readonly transport: 'async' | 'simple';
  readonly dispatcher: DispatcherKind;
  readonly mode: ModeKind;
  /** Beyond the defaults. */
  readonly options?: Partial<Options>;
}

/** Of no worth: both ends of a bench are this machine's, and what they say is known. */
const benchKey = Buffer.alloc(32, 'msgr2 bench');

export function makeEnds(options: Msgr2EndsOptions): LinkEnds<Connection> {
  return new Msgr2Ends(options);
}

class Msgr2Ends implements LinkEnds<Connection> {
  readonly #options: Msgr2EndsOptions;
  #messenger: Messenger | undefined;

  constructor(options: Msgr2EndsOptions) {
    this.#options = options;
  }

  async listen(handler: LinkHandler<Connection>): Promise<string> {
    const messenger = this.#create('osd.0', handler);
    const addrs = await messenger.bind('v2:127.0.0.1:0');
    messenger.start();
    return String(addrs);
  }

  async connect(address: string, handler: LinkHandler<Connection>): Promise<Connection> {
    const messenger = this.#create('client.1', handler);
    messenger.start();
    const connection = messenger.getConnection(address);
    await untilOpen(connection, address);
    return connection;
  }

  send(connection: Connection, type: number, payload: Uint8Array): boolean {
    return connection.send(new Message({ type, data: payload }));
  }

  onDrain(connection: Connection, listener: () => void): void {
    connection.on('drain', listener);
  }

  async close(): Promise<void> {
    await this.#messenger?.shutdown();
  }

  #create(name: string, handler: LinkHandler<Connection>): Messenger {
    const { transport, dispatcher, mode, options } = this.#options;
    const messenger = Messenger.create({
      name,
      transport,
      ...(options === undefined ? {} : { options }),
      ...(mode === 'crc' ? {} : { auth: authSharedKey({ name, key: benchKey, modes: [mode] }) }),
    });
    messenger.addDispatcherTail(makeDispatcher(dispatcher, handler));
    this.#messenger = messenger;
    return messenger;
  }
}

function makeDispatcher(kind: DispatcherKind, handler: LinkHandler<Connection>): Dispatcher {
  if (kind === 'queued') {
    return {
      dispatch(message: ReceivedMessage) {
        handler(message.type, message.data, message.connection);
        return true;
      },
    };
  }
  return {
    borrowsPayload: kind === 'borrowing',
    canFastDispatch: () => true,
    fastDispatch(message: ReceivedMessage) {
      handler(message.type, message.data, message.connection);
    },
  };
}
