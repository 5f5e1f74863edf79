/**
 * Where messages of monitors go. What comes from a monitor that is not (or no longer) ours is dropped, what
 * does not decode ends the session.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import type { ReceivedMessage } from '../../messenger/message.ts';
import { MAuthReply } from '../../wire/messages/m-auth-reply.ts';
import { MConfig } from '../../wire/messages/m-config.ts';
import { MLogAck } from '../../wire/messages/m-log-ack.ts';
import { decodeMgrMapHead, type MgrMapHead, MMgrMap } from '../../wire/messages/m-mgr-map.ts';
import { MMonCommandAck } from '../../wire/messages/m-mon-command-ack.ts';
import { MMonGetVersionReply } from '../../wire/messages/m-mon-get-version-reply.ts';
import { MMonMap } from '../../wire/messages/m-mon-map.ts';
import { MMonSubscribeAck } from '../../wire/messages/m-mon-subscribe-ack.ts';
import { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { MonLink } from './link.ts';
import type { Tells } from './tells.ts';

export interface RouterEvents {
  onConfig(config: ReadonlyMap<string, string>): void;
  onMgrMap(head: MgrMapHead): void;
}

export class MessageRouter implements Dispatcher {
  /** Maps go to later dispatchers too. */
  passesMapsOn = false;
  readonly #link: MonLink;
  readonly #tells: Tells;
  readonly #events: RouterEvents;

  constructor(link: MonLink, tells: Tells, events: RouterEvents) {
    this.#link = link;
    this.#tells = tells;
    this.#events = events;
  }

  dispatch(message: ReceivedMessage): boolean {
    if (this.#link.dispatchToHunt(message)) return true;
    try {
      if (message.connection === this.#link.session?.connection) return this.#handle(message);
      return this.#tells.dispatch(message);
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      if (message.connection === this.#link.session?.connection) this.#link.lose(error);
      else message.connection.markDown();
      return true;
    }
  }

  #handle(message: ReceivedMessage): boolean {
    const link = this.#link;
    switch (message.type) {
      case MMonMap.type:
        link.handleMonMap(message.as(MMonMap)!.monmap);
        return !this.passesMapsOn;
      case MOSDMap.type:
        this.#handleOsdMap(message.as(MOSDMap)!);
        return !this.passesMapsOn;
      case MMgrMap.type: {
        const head = decodeMgrMapHead(message.as(MMgrMap)!.mgrMap);
        link.subscriptions.got('mgrmap', BigInt(head.epoch));
        this.#events.onMgrMap(head);
        return !this.passesMapsOn;
      }
      case MConfig.type:
        this.#events.onConfig(message.as(MConfig)!.config);
        return true;
      case MAuthReply.type:
        link.renewal.handleReply(message.as(MAuthReply)!);
        return true;
      case MMonCommandAck.type:
        link.requests.settle(message.tid, message.type, message.as(MMonCommandAck)!);
        return true;
      case MMonGetVersionReply.type: {
        const reply = message.as(MMonGetVersionReply)!;
        link.requests.settle(reply.handle, message.type, reply);
        return true;
      }
      case MLogAck.type:
        link.log.acknowledged(message.as(MLogAck)!.last);
        return true;
      // Monitors since Jewel keep a subscription until the session ends, and do not send it.
      case MMonSubscribeAck.type:
        return true;
      default:
        return false;
    }
  }

  #handleOsdMap(maps: MOSDMap): void {
    const { fsid, maps: readers, subscriptions } = this.#link;
    if (fsid !== undefined && !maps.fsid.equals(fsid)) {
      const reason = `the monitor sent osdmaps of cluster ${maps.fsid}, not of ${fsid}`;
      throw new MsgrError(ErrorCode.PeerMismatch, reason, { field: 'osd_map.fsid' });
    }
    if (readers.hasFollowers) readers.handle(maps);
    else {
      const newest = Math.max(0, ...maps.maps.keys(), ...maps.incrementalMaps.keys());
      subscriptions.got('osdmap', BigInt(newest));
    }
  }
}
