/** msgr2 itself as a link: messengers with default options, lossless sessions with acks. */
import { Buffer } from 'node:buffer';
import type { authSharedKey } from '../../auth/shared-key.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import type { Message, ReceivedMessage } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import { moduleBeside } from '../../module-beside.ts';
import type { Options } from '../../options.ts';
import { untilOpen } from '../until-open.ts';
import { BenchType, type LinkEnds, type LinkHandler } from './link.ts';

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
  /** Pings are `connection.request()`, answered by `message.reply()`: a promise each. */
  readonly requests?: boolean;
}

/** What the ends are made of: this revision's exports, or another one's (bench/against-ends.ts). */
export interface Msgr2Api {
  readonly Messenger: typeof Messenger;
  readonly Message: typeof Message;
  readonly authSharedKey: typeof authSharedKey;
}

/** Of no worth: both ends of a bench are this machine's, and what they say is known. */
const benchKey = Buffer.alloc(32, 'msgr2 bench');

/** Loaded here, as a process that measures another revision should not have this one in its heap as well. */
export async function makeEnds(options: Msgr2EndsOptions): Promise<LinkEnds<Connection>> {
  const api = (await import(moduleBeside('../../index', import.meta.url).href)) as Msgr2Api;
  return endsOf(api, options);
}

export function endsOf(api: Msgr2Api, options: Msgr2EndsOptions): LinkEnds<Connection> {
  return options.requests === true ? new RequestEnds(api, options) : new Msgr2Ends(api, options);
}

class Msgr2Ends implements LinkEnds<Connection> {
  readonly #api: Msgr2Api;
  readonly #options: Msgr2EndsOptions;
  readonly #messengers: Messenger[] = [];
  #listener: Messenger | undefined;

  constructor(api: Msgr2Api, options: Msgr2EndsOptions) {
    this.#api = api;
    this.#options = options;
  }

  async listen(handler: LinkHandler<Connection>): Promise<string> {
    const messenger = this.#create('osd.0', handler);
    const addrs = await messenger.bind('v2:127.0.0.1:0');
    messenger.start();
    this.#listener = messenger;
    return String(addrs);
  }

  /** The process that listens reaches itself; every other connection is that of a peer of its own. */
  async connect(address: string, handler: LinkHandler<Connection>): Promise<Connection> {
    const own = this.#listener;
    if (own !== undefined) {
      own.addDispatcherHead(makeDispatcher(this.#options.dispatcher, handler, fromServer));
      return own.getConnection(address);
    }
    const messenger = this.#create(`client.${this.#messengers.length + 1}`, handler);
    messenger.start();
    const connection = messenger.getConnection(address);
    await untilOpen(connection, address);
    return connection;
  }

  send(connection: Connection, type: number, payload: Uint8Array): boolean {
    return connection.send(this.message(type, payload));
  }

  onDrain(connection: Connection, listener: () => void): void {
    connection.on('drain', listener);
  }

  async close(): Promise<void> {
    await Promise.all(this.#messengers.map((messenger) => messenger.shutdown()));
  }

  protected message(type: number, data: Uint8Array): Message {
    return new this.#api.Message({ type, data });
  }

  protected dispatcher(handler: LinkHandler<Connection>): Dispatcher {
    return makeDispatcher(this.#options.dispatcher, handler);
  }

  #create(name: string, handler: LinkHandler<Connection>): Messenger {
    const { transport, mode, options } = this.#options;
    const messenger = this.#api.Messenger.create({
      name,
      transport,
      ...(options === undefined ? {} : { options }),
      ...(mode === 'crc' ? {} : { auth: this.#api.authSharedKey({ name, key: benchKey, modes: [mode] }) }),
    });
    messenger.addDispatcherTail(this.dispatcher(handler));
    this.#messengers.push(messenger);
    return messenger;
  }
}

/** Pings and their answers by `request` and `reply`. */
class RequestEnds extends Msgr2Ends {
  #pinged: ReceivedMessage | undefined;
  #handler: LinkHandler<Connection> = () => {};

  override connect(address: string, handler: LinkHandler<Connection>): Promise<Connection> {
    this.#handler = handler;
    return super.connect(address, handler);
  }

  override send(connection: Connection, type: number, payload: Uint8Array): boolean {
    if (type === BenchType.Ping) {
      connection.request(this.message(type, payload)).then((reply) => {
        this.#handler(reply.type, reply.data, connection);
      });
      return true;
    }
    if (type !== BenchType.Pong) return super.send(connection, type, payload);
    return this.#pinged!.reply(this.message(type, payload));
  }

  protected override dispatcher(handler: LinkHandler<Connection>): Dispatcher {
    return {
      canFastDispatch: () => true,
      fastDispatch: (message) => {
        this.#pinged = message;
        handler(message.type, message.data, message.connection);
      },
    };
  }
}

const always = (): boolean => true;
const fromServer = (type: number): boolean => type === BenchType.Pong || type === BenchType.Started;

function makeDispatcher(
  kind: DispatcherKind,
  handler: LinkHandler<Connection>,
  takes?: (type: number) => boolean,
): Dispatcher {
  if (kind === 'queued') {
    return {
      dispatch(message: ReceivedMessage) {
        if (takes !== undefined && !takes(message.type)) return false;
        handler(message.type, message.data, message.connection);
        return true;
      },
    };
  }
  return {
    borrowsPayload: kind === 'borrowing',
    canFastDispatch: takes === undefined ? always : (message) => takes(message.type),
    fastDispatch(message: ReceivedMessage) {
      handler(message.type, message.data, message.connection);
    },
  };
}
