/**
 * What an OSD says to its monitor. Nothing waits for a session: what is said without one would be old by the
 * time there is one, and everything that matters is said again when a session begins.
 */
import type { MsgrError } from '../../errors.ts';
import { Message } from '../../messenger/message.ts';
import type { MonClient } from '../../mon/client/mon-client.ts';
import { MMonGetOSDMap } from '../../wire/messages/m-mon-get-osd-map.ts';
import { MOSDFailure } from '../../wire/messages/m-osd-failure.ts';
import { MOSDMarkMeDead } from '../../wire/messages/m-osd-mark-me-dead.ts';
import type { OsdIdentity } from '../store/osd-data.ts';

export interface MonitorLineInit {
  readonly client: MonClient;
  readonly identity: OsdIdentity;
  log(level: number, line: string): void;
}

const logTags = { debug: 'DBG', warn: 'WRN', error: 'ERR' } as const;

export class MonitorLine {
  readonly #init: MonitorLineInit;

  constructor(init: MonitorLineInit) {
    this.#init = init;
  }

  /** Answers whether there was a session to send it on. */
  send(message: Message): boolean {
    const { client } = this.#init;
    if (client.currentMon === undefined) return false;
    client.send(message);
    return true;
  }

  sendFailure(failure: MOSDFailure): void {
    this.send(Message.of(MOSDFailure, failure));
  }

  sendMarkMeDead(epoch: number): void {
    const { clusterFsid: fsid, whoami } = this.#init.identity;
    this.send(Message.of(MOSDMarkMeDead, { paxosVersion: BigInt(epoch), fsid, targetOsd: whoami, epoch }));
  }

  askFullMap(epoch: number): void {
    const range = { fullFirst: epoch, fullLast: epoch, incrementalFirst: 0, incrementalLast: 0 };
    this.send(Message.of(MMonGetOSDMap, range));
  }

  /** What the monitor sent cannot be: the session with it ends, and another is searched for. */
  blame(error: MsgrError): void {
    const { client, log } = this.#init;
    log(-1, `the monitor's map is refused: ${error.message}`);
    if (client.currentMon !== undefined) client.messenger.markDown(client.currentMon.addrs);
  }

  /** In the cluster's log, which the monitors keep, and in the OSD's own. */
  clusterLog(level: keyof typeof logTags, line: string): void {
    this.#init.log(level === 'debug' ? 1 : 0, `log_channel(cluster) log [${logTags[level]}] : ${line}`);
    this.#init.client.log('cluster', level, line);
  }
}
