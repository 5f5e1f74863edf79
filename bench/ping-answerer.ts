/**
 * The smallest OSD there is: answers MOSDPing PING with PING_REPLY, by the means of the daemon's heartbeat
 * servers (src/osd/network), and knows nothing else. It stands beside the daemon where pings are measured, with a
 * messenger's default options, and in its place where they are tested.
 *
 * As a program (`node --import tsx bench/ping-answerer.ts JSON`, started with an IPC channel) it binds,
 * tells its parent the address, and answers until the channel closes.
 */
import { fileURLToPath } from 'node:url';
import {
  type Connection,
  Message,
  Messenger,
  type MessengerInit,
  MOSDPing,
  OSDPingOp,
  osdPingPadding,
  Policy,
  type ReceivedMessage,
  Uuid,
} from '../src/index.ts';
import { tryReadPing } from '../src/osd/network/ping-codec.ts';
import { PingOutlet } from '../src/osd/network/ping-outlet.ts';

export interface PingAnswererOptions {
  /** Pings of another cluster get no answer. */
  readonly fsid: string;
  readonly osd?: number;
  readonly host?: string;
  readonly transport?: MessengerInit['transport'];
  /** As osd_heartbeat_min_size of the answering OSD, which pads its replies; 2000 by default, as there. */
  readonly minMessageSize?: number;
  readonly mapEpoch?: number;
  /** OSDs that are told YOU_DIED besides their reply. */
  readonly dead?: readonly number[];
  /** Takes the place of the answer; for tests of lost, doubled and late replies. */
  readonly intercept?: (reply: Message, connection: Connection) => void;
}

export interface PingAnswerer extends AsyncDisposable {
  /** With the nonce: what `msgr2 ping` wants. */
  readonly address: string;
  readonly messenger: Messenger;
}

export async function startPingAnswerer(options: PingAnswererOptions): Promise<PingAnswerer> {
  const { osd = 0, host = '127.0.0.1', transport = 'auto', mapEpoch = 1, dead = [] } = options;
  const fsid = Uuid.parse(options.fsid);
  const paddingBytes = osdPingPadding(options.minMessageSize ?? 2000);
  const messenger = Messenger.create({ name: `osd.${osd}`, transport });
  messenger.setDefaultPolicy(Policy.statelessServer());
  const outlet = new PingOutlet();
  // Made once: a closure for each ping, which tsx gives its name anew each time, is a fifth of what a ping costs.
  const answer = (connection: Connection, ping: MOSDPing, op: number): void => {
    const nowMs = performance.now();
    const sec = Math.floor(nowMs / 1000);
    const reply: MOSDPing = {
      fsid,
      mapEpoch,
      op,
      pingStamp: ping.pingStamp,
      paddingBytes,
      upFrom: mapEpoch,
      monoPingStamp: ping.monoPingStamp,
      monoSendStamp: { sec, nsec: Math.floor((nowMs - sec * 1000) * 1e6) },
    };
    if (options.intercept === undefined) outlet.send(connection, reply);
    else options.intercept(Message.of(MOSDPing, reply), connection);
  };
  messenger.addDispatcherTail({
    borrowsPayload: true,
    canFastDispatch: (message) => message.type === MOSDPing.type,
    fastDispatch(message: ReceivedMessage) {
      const { connection } = message;
      const ping = tryReadPing(message);
      if (ping === undefined) return connection.markDown();
      if (ping.op !== OSDPingOp.Ping || !ping.fsid.equals(fsid)) return;
      answer(connection, ping, OSDPingOp.PingReply);
      if (dead.includes(Number(connection.peerName.num))) answer(connection, ping, OSDPingOp.YouDied);
    },
  });
  const addrs = await messenger.bind(`v2:${host}:0`);
  messenger.start();
  return { address: String(addrs), messenger, [Symbol.asyncDispose]: () => messenger.shutdown() };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  const answerer = await startPingAnswerer(JSON.parse(process.argv[2]!));
  process.once('disconnect', () => process.exit(0));
  process.send(answerer.address);
}
