/**
 * Where the monitor's messages go. A session is made for each connection; each message is admitted by what
 * its type needs, and handed to its service. What may not be is dropped silently, as Ceph does, except for
 * commands, which are refused.
 */
import { AuthMethod } from '../../auth/auth.ts';
import { Errno } from '../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import { Message, Priority, type ReceivedMessage } from '../../messenger/message.ts';
import { cephMessages } from '../../wire/messages/ceph-messages.ts';
import { MAuth } from '../../wire/messages/m-auth.ts';
import { MAuthReply } from '../../wire/messages/m-auth-reply.ts';
import { MCommand } from '../../wire/messages/m-command.ts';
import { MGetPoolStats } from '../../wire/messages/m-get-pool-stats.ts';
import { MGetPoolStatsReply } from '../../wire/messages/m-get-pool-stats-reply.ts';
import { MLog } from '../../wire/messages/m-log.ts';
import { MLogAck } from '../../wire/messages/m-log-ack.ts';
import { MMonCommand } from '../../wire/messages/m-mon-command.ts';
import { MMonGetMap } from '../../wire/messages/m-mon-get-map.ts';
import { MMonGetOSDMap } from '../../wire/messages/m-mon-get-osd-map.ts';
import { MMonGetVersion } from '../../wire/messages/m-mon-get-version.ts';
import { MMonGetVersionReply } from '../../wire/messages/m-mon-get-version-reply.ts';
import { MMonSubscribe } from '../../wire/messages/m-mon-subscribe.ts';
import { MMonSubscribeAck } from '../../wire/messages/m-mon-subscribe-ack.ts';
import { MPing } from '../../wire/messages/m-ping.ts';
import { MPoolOp } from '../../wire/messages/m-pool-op.ts';
import { MPoolOpReply } from '../../wire/messages/m-pool-op-reply.ts';
import { MStatfs } from '../../wire/messages/m-statfs.ts';
import { MStatfsReply } from '../../wire/messages/m-statfs-reply.ts';
import { MessageRegistry, type MessageType } from '../../wire/messages/registry.ts';
import type { CommandServer } from './command-server.ts';
import type { MonitorState } from './monitor-state.ts';
import type { OsdMapSender } from './osd-map-sender.ts';
import { monMapMessage } from './publishers.ts';
import type { MonOp } from './session.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface MonDispatcherInit {
  readonly monitor: MonitorState;
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions;
  readonly osdMapSender: OsdMapSender;
  /** Whether the session may send this type at all. */
  readonly admits: (session: Session, type: number) => boolean;
  readonly commands: CommandServer;
  /** The store could not be read. */
  readonly onStoreFailure: (error: MsgrError) => void;
}

/** Types of the messages that the OSD monitor takes. */
const osdMessages = new MessageRegistry(cephMessages);

type Handler = (op: MonOp<never> & { readonly session: Session }) => void;

/** MON_STATEFUL_SUB: the peer's subscriptions last as long as its session, and need no acknowledgement. */
const featureStatefulSubscriptions = 1n << 57n;

export class MonDispatcher implements Dispatcher {
  readonly #init: MonDispatcherInit;
  readonly #handlers = new Map<number, { readonly type: MessageType<never>; readonly handle: Handler }>();

  constructor(init: MonDispatcherInit) {
    this.#init = init;
    this.#on(MMonGetMap, ({ session }) => {
      session.connection.send(monMapMessage(init.monitor.monMap));
    });
    this.#on(MMonSubscribe, (op) => this.#subscribe(op));
    this.#on(MMonGetVersion, (op) => this.#getVersion(op));
    this.#on(MMonGetOSDMap, (op) => {
      const { fullFirst, fullLast, incrementalFirst, incrementalLast } = op.body;
      op.reply(init.osdMapSender.range(fullFirst, fullLast, incrementalFirst, incrementalLast));
    });
    this.#on(MMonCommand, (op) => void init.commands.run(op));
    this.#on(MCommand, (op) => void init.commands.tell(op));
    this.#on(MPing, (op) => init.commands.ping(op));
    this.#on(MAuth, (op) => this.#authenticate(op));
    this.#on(MLog, (op) => void this.#log(op));
    this.#on(MStatfs, (op) => this.#statfs(op));
    this.#on(MGetPoolStats, (op) => {
      const { fsid } = init.monitor;
      if (!op.body.fsid.equals(fsid)) return;
      op.reply(answer(MGetPoolStatsReply, { fsid, isPerPool: true }));
    });
    // Pools are made by commands; there are no snapshots. Without an answer a client would wait for ever.
    this.#on(MPoolOp, (op) => {
      const { fsid, osdMap } = init.monitor;
      if (!op.body.fsid.equals(fsid)) return;
      op.reply(
        answer(MPoolOpReply, { fsid, result: -Errno.EOPNOTSUPP, epoch: osdMap.epoch, data: undefined }),
      );
    });
  }

  /** Whether messages of this type are taken, from those who may send them. */
  handles(type: number): boolean {
    return this.#handlers.has(type) || this.#init.monitor.osd.handles(type);
  }

  /** Whatever a message does to a handler costs its sender the connection, and no one else. */
  dispatch(message: ReceivedMessage): boolean {
    try {
      return this.#dispatch(message);
    } catch (error) {
      this.#giveUp(message.connection, error);
      return true;
    }
  }

  #dispatch(message: ReceivedMessage): boolean {
    const { monitor, sessions, admits } = this.#init;
    const handler = this.#handlers.get(message.type);
    const isForOsdMonitor = handler === undefined && monitor.osd.handles(message.type);
    if (handler === undefined && !isForOsdMonitor) return false;
    // One that this side has ended gets no session again: no event would ever end that.
    if (message.connection.state === 'closed') return true;
    const session = sessions.of(message.connection, monitor.clock.nowMs());
    if (!admits(session, message.type)) return true;
    const type = handler?.type ?? osdMessages.get(message.type);
    if (type === undefined) return false;
    const body = message.as(type) as never;
    const op = {
      message,
      body,
      session,
      reply: (reply: Message) => void (session.isClosed || message.reply(reply)),
    };
    if (handler === undefined) monitor.osd.dispatch(op);
    else handler.handle(op);
    return true;
  }

  #giveUp(connection: Connection, error: unknown): void {
    const { monitor, onStoreFailure, sessions } = this.#init;
    if (error instanceof MsgrError && error.code === ErrorCode.Store) {
      onStoreFailure(error);
      return;
    }
    sessions.end(connection);
    connection.markDown();
    monitor.log.error(`${connection.peerName} ${connection.peerAddrs}: its session is ended: ${error}`);
  }

  handleAccept(connection: Connection): void {
    this.#init.sessions.of(connection, this.#init.monitor.clock.nowMs());
  }

  handleReset(connection: Connection): void {
    this.#init.sessions.end(connection);
  }

  #on<Body>(
    type: MessageType<Body>,
    handle: (op: MonOp<Body> & { readonly session: Session }) => void,
  ): void {
    this.#handlers.set(type.type, { type: type as MessageType<never>, handle: handle as Handler });
  }

  #subscribe({ body, session }: { readonly body: MMonSubscribe; readonly session: Session }): void {
    const { monitor, subscriptions } = this.#init;
    if (body.hostname !== '') session.hostname = body.hostname;
    for (const [what, item] of body.what) subscriptions.subscribe(session, what, item);
    if ((session.connection.features & featureStatefulSubscriptions) !== 0n) return;
    const intervalSeconds = monitor.options.mon_session_timeout;
    session.connection.send(answer(MMonSubscribeAck, { intervalSeconds, fsid: monitor.fsid }));
  }

  /** What Ceph does not know, it does not answer. */
  #getVersion(op: MonOp<MMonGetVersion>): void {
    const { monMap, osd } = this.#init.monitor;
    const versions: Readonly<Record<string, readonly [latest: number, oldest: number]>> = {
      osdmap: [osd.lastCommitted, osd.firstCommitted],
      monmap: [monMap.epoch, 1],
    };
    const found = versions[op.body.what];
    if (found === undefined) return;
    const [version, oldestVersion] = [BigInt(found[0]), BigInt(found[1])];
    op.reply(answer(MMonGetVersionReply, { handle: op.body.handle, version, oldestVersion }));
  }

  /** Tickets and rotating keys; on msgr2 the handshake has authenticated already. */
  #authenticate(op: MonOp<MAuth>): void {
    const { auth } = op.session.connection;
    const { result, payload } = auth?.requests?.handleRequest(op.body.payload) ?? {
      result: -Errno.EOPNOTSUPP,
      payload: new Uint8Array(0),
    };
    op.reply(
      answer(MAuthReply, {
        protocol: auth?.requests === undefined ? AuthMethod.None : AuthMethod.Cephx,
        result,
        globalId: op.session.globalId,
        payload,
        resultMessage: '',
      }),
    );
  }

  async #log(op: MonOp<MLog>): Promise<void> {
    const { entries, fsid } = op.body;
    const { monitor } = this.#init;
    const last = entries.at(-1);
    if (last === undefined || !fsid.equals(monitor.fsid)) return;
    await monitor.log.append(entries);
    op.reply(answer(MLogAck, { fsid: monitor.fsid, last: last.seq, channel: '' }));
  }

  /** Without a manager nobody counts: zeros, as ceph-mon answers then. */
  #statfs(op: MonOp<MStatfs>): void {
    const { fsid } = this.#init.monitor;
    if (!op.body.fsid.equals(fsid)) return;
    const nothing = { totalKib: 0n, usedKib: 0n, availableKib: 0n, objectCount: 0n };
    op.reply(answer(MStatfsReply, { fsid, version: 0n, ...nothing }));
  }
}

/** Monitors send above the others' default. */
export function answer<Body>(type: MessageType<Body>, body: Body): Message {
  return Message.of(type, body, { priority: Priority.High });
}
