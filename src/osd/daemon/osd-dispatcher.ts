/**
 * The OSD's dispatcher, on ms_public behind the monitor client and on ms_cluster at the head. (The other
 * one, of the heartbeats, is on the four heartbeat messengers.)
 *
 * This OSD holds no placement group. What is about one is let go, as ceph-osd lets go what is not its own:
 * a client that came by an old map is sent the newer one, from which it learns where to go.
 */
import { Errno } from '../../auth/errno.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import { EntityType } from '../../wire/entity-name.ts';
import { MCommand } from '../../wire/messages/m-command.ts';
import { MCommandReply } from '../../wire/messages/m-command-reply.ts';
import { MMgrMap } from '../../wire/messages/m-mgr-map.ts';
import { MMonMap } from '../../wire/messages/m-mon-map.ts';
import { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import { MOSDMarkMeDown } from '../../wire/messages/m-osd-mark-me-down.ts';
import { MPing } from '../../wire/messages/m-ping.ts';
import { mayCommand } from './command-caps.ts';
import type { CommandTable } from './command-table.ts';
import { opMapEpoch, osdOpType } from './op-epoch.ts';
import type { OsdPerfCounters } from './perf-counters.ts';

export interface OsdDispatcherPorts {
  readonly commands: CommandTable;
  readonly perf: OsdPerfCounters;
  /** Peers prove what they may do. */
  readonly hasCaps: boolean;
  handleMap(map: MOSDMap, isFromMonitor: boolean): void;
  /** The monitor has taken note that this OSD goes. */
  stopAcknowledged(): void;
  /** `epoch`: the map that the peer has. */
  shareMap(connection: Connection, epoch: number): void;
  /** Nothing listens where an OSD should. */
  refused(connection: Connection): void;
  log(level: number, line: string): void;
}

/** Message types of the OSDs among themselves and of PG creation (facts 2.5). */
const pgTypesMin = 75;
const pgTypesMax = 159;

export class OsdDispatcher implements Dispatcher {
  readonly #ports: OsdDispatcherPorts;

  constructor(ports: OsdDispatcherPorts) {
    this.#ports = ports;
  }

  dispatch(message: ReceivedMessage): boolean {
    switch (message.type) {
      case MOSDMap.type:
        this.#handleMap(message);
        return true;
      case MOSDMarkMeDown.type:
        if (isMonitor(message.connection)) this.#ports.stopAcknowledged();
        return true;
      case MCommand.type:
        void this.#handleCommand(message);
        return true;
      case osdOpType:
        this.#handleOp(message);
        return true;
      // The monitor client has read them; a ping asks for nothing.
      case MMonMap.type:
      case MMgrMap.type:
      case MPing.type:
        return true;
      default:
        if (message.type < pgTypesMin || message.type > pgTypesMax) return false;
        this.#ports.perf.add('peering_dropped');
        this.#ports.log(10, `${message.connection.peerName} sent type ${message.type} for a pg not here`);
        return true;
    }
  }

  handleRefused(connection: Connection): boolean {
    if (connection.peerName.type !== EntityType.Osd) return false;
    this.#ports.refused(connection);
    return true;
  }

  /** Only monitors and OSDs have a say in what the map is. */
  #handleMap(message: ReceivedMessage): void {
    const { connection } = message;
    if (connection.peerName.type !== EntityType.Osd && !isMonitor(connection)) {
      this.#ports.log(0, `got osd map from ${connection.peerName}, which we can't take maps from`);
      return;
    }
    this.#ports.handleMap(message.as(MOSDMap)!, isMonitor(connection));
  }

  #handleOp(message: ReceivedMessage): void {
    this.#ports.perf.add('op_dropped');
    const epoch = opMapEpoch(message);
    if (epoch !== undefined) this.#ports.shareMap(message.connection, epoch);
  }

  async #handleCommand(message: ReceivedMessage): Promise<void> {
    const { command } = message.as(MCommand)!;
    this.#ports.perf.add('commands');
    const { output, result, status } = mayCommand(message.connection, this.#ports.hasCaps)
      ? await this.#ports.commands.run(command[0] ?? '')
      : { result: -Errno.EPERM, status: '', output: Buffer.alloc(0) };
    message.reply(Message.of(MCommandReply, { result, status, output }));
  }
}

function isMonitor(connection: Connection): boolean {
  return connection.peerName.type === EntityType.Mon;
}
