/** One network's half on virtual time, with links that only record what is sent. */

import { OsdState } from '../../../src/maps/states.ts';
import { type Options, resolveOptions } from '../../../src/options.ts';
import { HeartbeatNetwork } from '../../../src/osd/heartbeat/heartbeat-network.ts';
import { heartbeatOptionsOf } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import type { MainWatch } from '../../../src/osd/heartbeat/main-watch.ts';
import type { MapView } from '../../../src/osd/heartbeat/map-view.ts';
import type { HeartbeatLinkEvents } from '../../../src/osd/heartbeat/network-peer.ts';
import {
  type NetworkBatch,
  type NetworkEvent,
  PeerField,
} from '../../../src/osd/heartbeat/network-protocol.ts';
import { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import { type MOSDPing, OSDPingOp } from '../../../src/wire/messages/m-osd-ping.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

export const fsid = 'c38a29e7-3311-4fa3-9d39-eca1f40257d3';

export interface RecordedLink {
  readonly osd: number;
  readonly addrs: string;
  readonly sent: MOSDPing[];
  readonly events: HeartbeatLinkEvents;
  isClosed: boolean;
}

export class LoneNetwork {
  readonly clock = new VirtualClock();
  readonly host = new MemoryHost(this.clock);
  readonly batches: NetworkBatch[] = [];
  readonly links: RecordedLink[] = [];
  readonly network: HeartbeatNetwork;

  constructor(options: Partial<Options> = {}, random: () => number = () => 0.5, main?: MainWatch) {
    this.network = new HeartbeatNetwork({
      network: 'back',
      clock: this.host,
      startMs: -1000,
      startWallMs: 1_700_000_000_000,
      random,
      options: heartbeatOptionsOf(resolveOptions(options)),
      connect: (osd, addrs, events) => {
        const link: RecordedLink = { osd, addrs: String(addrs), sent: [], events, isClosed: false };
        this.links.push(link);
        return {
          send: (ping) => link.sent.push(ping),
          close: () => {
            link.isClosed = true;
          },
        };
      },
      deliver: (batch) => this.batches.push(batch),
      ...(main && { main }),
    });
    this.network.start();
  }

  map(change: Partial<MapView> = {}): void {
    const osdState = new Uint32Array(10).fill(OsdState.exists | OsdState.up);
    const downAt = new Uint32Array(10);
    const map = { fsid, epoch: 20, osdState, downAt, isActive: true, upFrom: 7, ...change };
    this.network.command({ kind: 'map', map });
  }

  add(osd: number, upFrom = 5): RecordedLink {
    this.network.command({ kind: 'addPeers', peers: [{ osd, addrs: `v2:10.0.0.${osd}:6800/1`, upFrom }] });
    return this.links.at(-1)!;
  }

  /** Runs for so long. */
  run(ms: number): void {
    this.clock.run(this.clock.nowMs() + ms);
  }

  /** The answer to a ping that was sent. */
  answer(link: RecordedLink, ping: MOSDPing = link.sent.at(-1)!, change: Partial<MOSDPing> = {}): void {
    this.host.run(() => link.events.onReply({ ...ping, op: OSDPingOp.PingReply, ...change }));
  }

  /** A PING that arrives, and what is answered. */
  ping(from: number, change: Partial<MOSDPing> = {}, isProven = true): MOSDPing[] {
    const answers: MOSDPing[] = [];
    this.network.handlePing(from, { ...anyPing, ...change }, (answer) => answers.push(answer), isProven);
    return answers;
  }

  get events(): NetworkEvent[] {
    return this.batches.flatMap(({ events }) => events);
  }

  /** A column of the last row that was told of a peer. */
  told(osd: number, field: keyof typeof PeerField): number | undefined {
    for (const { peers } of [...this.batches].reverse()) {
      for (let base = 0; base < peers.length; base += PeerField.count) {
        if (peers[base + PeerField.osd] === osd) return peers[base + PeerField[field]];
      }
    }
    return undefined;
  }
}

export const anyPing: MOSDPing = {
  fsid: Uuid.parse(fsid),
  mapEpoch: 20,
  op: OSDPingOp.Ping,
  pingStamp: { sec: 5, nsec: 6 },
  paddingBytes: 0,
  upFrom: 5,
  monoPingStamp: { sec: 7, nsec: 8 },
  monoSendStamp: { sec: 7, nsec: 8 },
};
