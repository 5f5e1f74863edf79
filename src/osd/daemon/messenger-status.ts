/** The seven messengers as they are shown. */
import { ConnectionMode } from '../../auth/auth.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { NetworkHost } from '../heartbeat/network-host.ts';
import type { NetworkName } from '../heartbeat/network-protocol.ts';
import type { OsdMessengers } from './osd-messengers.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { ConnectionStatus, MessengerStatus, OsdMessengerName } from './status.ts';

export async function messengerStatuses(
  messengers: OsdMessengers,
  networks: Readonly<Record<NetworkName, NetworkHost>>,
  { hbBack, hbFront }: Pick<OwnAddresses, 'hbBack' | 'hbFront'>,
): Promise<readonly MessengerStatus[]> {
  const [front, back] = await Promise.all([networks.front.counters(), networks.back.counters()]);
  return [
    statusOf('ms_public', messengers.public),
    statusOf('ms_cluster', messengers.cluster),
    { name: 'ms_hb_front_client', addrs: '', counters: front.client, connections: [] },
    { name: 'ms_hb_back_client', addrs: '', counters: back.client, connections: [] },
    { name: 'ms_hb_front_server', addrs: String(hbFront), counters: front.server, connections: [] },
    { name: 'ms_hb_back_server', addrs: String(hbBack), counters: back.server, connections: [] },
    statusOf('ms_objecter', messengers.objecter),
  ];
}

function statusOf(name: OsdMessengerName, messenger: Messenger): MessengerStatus {
  return {
    name,
    addrs: String(messenger.myAddrs),
    counters: messenger.counters(),
    connections: messenger.connections().map(connectionStatus),
  };
}

function connectionStatus(connection: Connection): ConnectionStatus {
  const { messagesReceived, messagesSent } = connection.counters();
  return {
    peer: String(connection.peerName),
    addrs: String(connection.peerAddrs),
    state: connection.state,
    isSecure: connection.auth?.connectionMode === ConnectionMode.Secure,
    messagesSent,
    messagesReceived,
    queuedBytes: connection.queuedBytes,
  };
}
