/**
 * The address of this host from which the monitors are reached, by the routing table: what an OSD binds
 * when the configuration names neither an address nor a network. (ceph-osd binds all addresses then and
 * learns from the monitor which one was seen.)
 */
import { createSocket } from 'node:dgram';
import type { EntityAddr } from '../../wire/entity-addr.ts';

/** Nothing is sent: connecting a datagram socket only looks up the route. */
export async function routedAddress(target: EntityAddr): Promise<string> {
  const socket = createSocket(target.host.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(target.port, target.host, resolve);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
