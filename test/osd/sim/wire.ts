/**
 * The simulated networks of an OSD cluster, at the seam of the heartbeat machine: messages between processes,
 * over connections that behave as TCP does. Loss is delay: a lost segment is sent again after 200 ms, 400 ms…
 * and holds up all that is behind it. A path that is cut holds up everything; when the way back is cut, one
 * message still arrives, because nothing more leaves until it is acknowledged.
 */
import type { HeartbeatLink, HeartbeatLinkEvents } from '../../../src/osd/heartbeat/network-peer.ts';
import { type NetworkName, networkNames } from '../../../src/osd/heartbeat/network-protocol.ts';
import type { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import type { Random } from '../../../src/transport/memory/random.ts';
import type { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import type { MOSDPing } from '../../../src/wire/messages/m-osd-ping.ts';

export interface WireFaults {
  /** Of one way, in ms; evenly between the two. */
  latencyMs: readonly [number, number];
  /** Of one segment. */
  loss: number;
}

/** What listens: the heartbeat server of one OSD on one network, in one of its lives. */
export interface WireServer {
  readonly osd: number;
  readonly host: MemoryHost;
  handlePing(from: number, ping: MOSDPing, reply: (answer: MOSDPing) => void): void;
}

const retransmitMs = 200;

/** One direction of one connection. */
interface Direction {
  /** Nothing overtakes: the next message arrives no earlier. */
  arrivesMs: number;
  /** Messages sent while acknowledgements could not come back. */
  unacknowledged: number;
}

export class Wire {
  readonly faults: WireFaults = { latencyMs: [0.1, 0.3], loss: 0 };
  readonly #clock: VirtualClock;
  readonly #random: Random;
  /** By OSD. */
  readonly #servers: Readonly<Record<NetworkName, (WireServer | undefined)[]>> = { back: [], front: [] };
  /** Killed: the kernel answers for it. Vanished: nobody does. */
  readonly #vanished = new Set<number>();
  readonly #cuts = new Set<string>();
  readonly #links = new Set<SimLink>();

  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  listen(network: NetworkName, server: WireServer): void {
    this.#servers[network][server.osd] = server;
  }

  serverOf(network: NetworkName, osd: number): WireServer | undefined {
    return this.#servers[network][osd];
  }

  /** The machine is gone: nothing is answered, not even by its kernel. */
  vanish(osd: number): void {
    this.#vanished.add(osd);
    this.#drop(osd);
  }

  /** The process is gone: its connections are reset, and new ones refused. */
  kill(osd: number): void {
    this.#drop(osd);
    for (const link of [...this.#links]) if (link.to === osd) link.breakOff();
  }

  #drop(osd: number): void {
    for (const network of networkNames) this.#servers[network][osd] = undefined;
    for (const link of [...this.#links]) if (link.from === osd) link.close();
  }

  /** What `from` sends over a network no longer reaches `to`; `*` is any OSD. */
  cut(network: NetworkName, from: number | '*', to: number | '*'): void {
    this.#cuts.add(`${network} ${from} ${to}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  isCut(network: NetworkName, from: number, to: number): boolean {
    if (this.#vanished.has(from) || this.#vanished.has(to)) return true;
    const cuts = this.#cuts;
    return (
      cuts.size > 0 &&
      (cuts.has(`${network} ${from} ${to}`) ||
        cuts.has(`${network} ${from} *`) ||
        cuts.has(`${network} * ${to}`))
    );
  }

  connect(
    network: NetworkName,
    from: number,
    to: number,
    host: MemoryHost,
    events: HeartbeatLinkEvents,
  ): HeartbeatLink {
    const link = new SimLink(this, network, from, to, host, events);
    this.#links.add(link);
    link.dial();
    return link;
  }

  forget(link: SimLink): void {
    this.#links.delete(link);
  }

  /** Runs `arrive` when a message of this direction has got through. */
  transmit(network: NetworkName, from: number, to: number, direction: Direction, arrive: () => void): void {
    if (this.isCut(network, to, from) && !this.isCut(network, from, to)) {
      if (direction.unacknowledged++ > 0) {
        this.#later(retransmitMs, () => this.transmit(network, from, to, direction, arrive));
        return;
      }
    } else direction.unacknowledged = 0;
    const nowMs = this.#clock.nowMs();
    let delayMs = this.#latency();
    for (let backoffMs = retransmitMs; this.#random.chance(this.faults.loss); backoffMs *= 2)
      delayMs += backoffMs;
    direction.arrivesMs = Math.max(direction.arrivesMs, nowMs + delayMs);
    this.#later(direction.arrivesMs - nowMs, () => this.#arrive(network, from, to, retransmitMs, arrive));
  }

  /** A path that is cut is tried again, ever more seldom. */
  #arrive(network: NetworkName, from: number, to: number, backoffMs: number, arrive: () => void): void {
    // A machine that vanished does not come back: its events would only pile up.
    if (this.#vanished.has(from) || this.#vanished.has(to)) return;
    if (!this.isCut(network, from, to)) arrive();
    else this.#later(backoffMs, () => this.#arrive(network, from, to, backoffMs * 2, arrive));
  }

  #latency(): number {
    const [min, max] = this.faults.latencyMs;
    return min + this.#random.float() * (max - min);
  }

  #later(delayMs: number, run: () => void): void {
    this.#clock.setTimeout(run, delayMs);
  }
}

class SimLink implements HeartbeatLink {
  readonly network: NetworkName;
  readonly from: number;
  readonly to: number;
  readonly #wire: Wire;
  readonly #host: MemoryHost;
  readonly #events: HeartbeatLinkEvents;
  readonly #forth: Direction = { arrivesMs: 0, unacknowledged: 0 };
  readonly #back: Direction = { arrivesMs: 0, unacknowledged: 0 };
  #server: WireServer | undefined;
  #isClosed = false;
  #waiting: MOSDPing[] = [];

  constructor(
    wire: Wire,
    network: NetworkName,
    from: number,
    to: number,
    host: MemoryHost,
    events: HeartbeatLinkEvents,
  ) {
    this.network = network;
    this.from = from;
    this.to = to;
    this.#wire = wire;
    this.#host = host;
    this.#events = events;
  }

  dial(): void {
    const { network, from, to } = this;
    this.#wire.transmit(network, from, to, this.#forth, () => {
      const server = this.#wire.serverOf(network, to);
      this.#wire.transmit(network, to, from, this.#back, () =>
        this.#host.run(() => {
          if (this.#isClosed) return;
          if (server === undefined) {
            this.#events.onRefused();
            this.#host.setTimeout(() => this.#isClosed || this.dial(), 1000);
            return;
          }
          this.#server = server;
          this.#events.onConnected();
          for (const ping of this.#waiting.splice(0)) this.#transmit(ping);
        }),
      );
    });
  }

  send(ping: MOSDPing): void {
    if (this.#isClosed) return;
    if (this.#server === undefined) this.#waiting.push(ping);
    else this.#transmit(ping);
  }

  close(): void {
    this.#isClosed = true;
    this.#wire.forget(this);
  }

  breakOff(): void {
    if (this.#isClosed || this.#server === undefined) return;
    this.#host.run(() => {
      if (this.#isClosed) return;
      this.close();
      this.#events.onReset();
    });
  }

  #transmit(ping: MOSDPing): void {
    const { network, from, to } = this;
    const server = this.#server!;
    this.#wire.transmit(network, from, to, this.#forth, () => {
      if (this.#wire.serverOf(network, to) !== server) return;
      server.host.run(() =>
        server.handlePing(from, ping, (answer) => {
          if (this.#isClosed) return;
          this.#wire.transmit(network, to, from, this.#back, () => {
            if (this.#isClosed) return;
            this.#host.run(() => this.#isClosed || this.#events.onReply(answer));
          });
        }),
      );
    });
  }
}
