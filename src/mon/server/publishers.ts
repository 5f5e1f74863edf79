/** What each kind of subscription sends. */
import type { MonMap } from '../../maps/mon-map.ts';
import { encodeMonMap } from '../../maps/mon-map.ts';
import { Message, Priority } from '../../messenger/message.ts';
import { LogPriority } from '../../wire/log-entry.ts';
import { MConfig } from '../../wire/messages/m-config.ts';
import { MLog } from '../../wire/messages/m-log.ts';
import { MMgrMap } from '../../wire/messages/m-mgr-map.ts';
import { MMonMap } from '../../wire/messages/m-mon-map.ts';
import type { ConfigService } from './config/config-service.ts';
import type { LogService } from './log/log-service.ts';
import { emptyMgrMap, emptyMgrMapEpoch } from './mgr-map.ts';
import type { OsdMapSender } from './osd-map-sender.ts';
import type { OsdMonitor } from './osdmap/osd-monitor.ts';
import type { Session } from './sessions.ts';
import type { Publisher, Subscription } from './subscriptions.ts';

export function monMapMessage(monMap: MonMap): Message {
  return Message.of(MMonMap, { monmap: encodeMonMap(monMap) }, { priority: Priority.High });
}

export function monMapPublisher(monMap: () => MonMap): Publisher {
  return {
    needs: { service: 'mon', permissions: 'r' },
    handles: (what) => what === 'monmap',
    publish(session, subscription) {
      const map = monMap();
      if (subscription.next > map.epoch) return false;
      session.connection.send(monMapMessage(map));
      subscription.next = map.epoch + 1;
      return true;
    },
  };
}

export function osdMapPublisher(osd: OsdMonitor, sender: OsdMapSender): Publisher {
  return {
    needs: { service: 'osd', permissions: 'r' },
    handles: (what) => what === 'osdmap',
    publish(session, subscription) {
      const latest = osd.lastCommitted;
      if (subscription.next > latest) return false;
      sender.send(session, subscription.next, subscription.isOneTime);
      subscription.next = latest + 1;
      return true;
    },
  };
}

/** To OSDs: placement groups that they shall create as their primaries. */
export function pgCreatesPublisher(osd: OsdMonitor): Publisher {
  return {
    needs: { service: 'osd', permissions: 'w' },
    handles: (what) => what === 'osd_pg_creates',
    publish(session, subscription) {
      const id = Number(session.connection.peerName.num);
      const { message, next } = osd.pgCreates(id, subscription.next);
      subscription.next = next;
      if (message === undefined) return false;
      session.connection.send(message);
      return true;
    },
  };
}

/** There is no manager, and everyone may know it. */
export function mgrMapPublisher(): Publisher {
  return {
    needs: { service: 'mon', permissions: 'r' },
    handles: (what) => what === 'mgrmap',
    publish(session, subscription) {
      if (subscription.next > emptyMgrMapEpoch) return false;
      session.connection.send(Message.of(MMgrMap, { mgrMap: emptyMgrMap }, { priority: Priority.High }));
      subscription.next = emptyMgrMapEpoch + 1;
      return true;
    },
  };
}

/** Options of the subscriber, all of them each time one of them has changed. */
export function configPublisher(config: ConfigService): Publisher {
  return {
    needs: { service: 'mon', permissions: 'r' },
    handles: (what) => what === 'config',
    publish(session, subscription) {
      if (subscription.next > config.version && session.config !== undefined) return false;
      const options = config.configFor({
        entity: session.entity,
        ...(session.hostname === '' ? {} : { location: new Map([['host', session.hostname]]) }),
      });
      subscription.next = config.version + 1;
      if (session.config !== undefined && isSame(session.config, options)) return false;
      session.config = options;
      session.connection.send(Message.of(MConfig, { config: options }, { priority: Priority.High }));
      return true;
    },
  };
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}

const logLevels: Readonly<Record<string, number>> = {
  'log-debug': LogPriority.Debug,
  'log-info': LogPriority.Info,
  'log-sec': LogPriority.Security,
  'log-warn': LogPriority.Warning,
  'log-error': LogPriority.Error,
};

/** `ceph -w`: entries of a level and above, from now on. */
export function logPublisher(log: LogService, fsid: MLog['fsid']): Publisher {
  return {
    needs: { service: 'log', permissions: 'r' },
    handles: (what) => Object.hasOwn(logLevels, what),
    begin(_session: Session, subscription: Subscription) {
      if (subscription.next === 0) subscription.next = log.version + 1;
    },
    publish(session, subscription) {
      if (subscription.next > log.version) return false;
      const level = logLevels[subscription.what]!;
      const entries = log.since(subscription.next).filter(({ priority }) => priority >= level);
      subscription.next = log.version + 1;
      if (entries.length === 0) return false;
      // Clients pass over what does not have a higher version than what they saw last.
      const body = { paxosVersion: BigInt(log.version), fsid, entries };
      session.connection.send(Message.of(MLog, body, { priority: Priority.High }));
      return true;
    },
  };
}
