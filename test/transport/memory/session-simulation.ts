/**
 * Two ends that keep one lossless session through whatever the in-memory network does: the least of a
 * messenger that reconnects. Each end sends numbered messages and keeps a ledger of what arrived.
 *
 * Its handshake is one frame each way that says how much was received (tags of SESSION_RECONNECT and
 * SESSION_RECONNECT_OK, a u64 each).
 */
import type { MsgrError } from '../../../src/errors.ts';
import type { Channel, ChannelHandler, Listener } from '../../../src/transport/channel.ts';
import type { MemoryNetwork } from '../../../src/transport/memory/memory-network.ts';
import type { MemoryTransport } from '../../../src/transport/memory/memory-transport.ts';
import { Field, type MessageBatch } from '../../../src/transport/message-batch.ts';
import type { SocketAddress } from '../../../src/transport/socket.ts';
import { frontView, outgoing, patternBytes, recordAt } from '../recorder.ts';

const reconnectTag = 11;
const reconnectOkTag = 15;
const retryMs = 5;

function seqPayload(seq: bigint): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(seq);
  return payload;
}

/** One end's session: what was sent, what arrived, and what is wrong with it. */
export class SimulatedEnd implements ChannelHandler {
  readonly channel: Channel;
  readonly transport: MemoryTransport;
  sent = 0;
  received = 0;
  closes = 0;
  readonly violations: string[] = [];
  onReconnect: (() => void) | undefined;

  constructor(transport: MemoryTransport) {
    this.transport = transport;
    this.channel = transport.createChannel(this);
  }

  /** Sends `count` messages of different sizes. */
  send(count: number, sizeMax: number): void {
    for (let message = 0; message < count; message++) {
      const size = (this.sent * 7919) % (sizeMax + 1);
      this.channel.send(outgoing({ tidLow: this.sent, front: patternBytes(size, this.sent) }));
      this.sent++;
    }
  }

  onOpen(): void {
    this.channel.sendControl(reconnectTag, seqPayload(this.channel.inSeq));
    this.channel.expectFrame();
  }

  onBytes(): void {}

  onFrame(tag: number, payload: Buffer): void {
    if (tag !== reconnectOkTag) this.violations.push(`frame with tag ${tag}`);
    this.start(payload.readBigUInt64LE());
  }

  start(peerSeq: bigint): void {
    this.channel.acknowledge(peerSeq);
    this.channel.startSession({ lossless: true });
  }

  onMessages(batch: MessageBatch, first: number, end: number): boolean {
    for (let index = first; index < end; index++) {
      const { records, at } = recordAt(batch, index);
      const tid = records[at + Field.tidLow]!;
      if (tid !== this.received) {
        this.violations.push(`message ${tid} arrived when ${this.received} was awaited`);
      }
      this.received = tid + 1;
      const front = frontView(batch, index);
      if (Buffer.compare(front, patternBytes(front.length, tid)) !== 0) {
        this.violations.push(`message ${tid} is damaged`);
      }
    }
    return false;
  }

  onDrain(): void {}

  onClosed(_error: MsgrError): void {
    this.closes++;
    this.onReconnect?.();
  }
}

export interface SimulatedPair {
  readonly near: SimulatedEnd;
  readonly far: SimulatedEnd;
  readonly listener: Listener;
}

/** Connects two ends for as long as the network runs. `beforeAnswer` may break the rules, for a canary. */
export async function simulatePair(
  network: MemoryNetwork,
  beforeAnswer: (far: SimulatedEnd) => void = () => {},
): Promise<SimulatedPair> {
  const near = new SimulatedEnd(network.createTransport({ address: '10.0.0.1' }));
  const far = new SimulatedEnd(network.createTransport({ address: '10.0.0.2' }));
  const address: SocketAddress = { family: 4, host: '10.0.0.2', port: 6800 };
  const listener = await far.transport.listen(address, {}, (accepted) => {
    accepted.handler = {
      ...idleHandler,
      onFrame(_tag, payload) {
        beforeAnswer(far);
        far.channel.adopt(accepted);
        far.channel.sendControl(reconnectOkTag, seqPayload(far.channel.inSeq));
        far.start(payload.readBigUInt64LE());
      },
      onClosed: () => accepted.destroy(),
    };
    accepted.expectFrame();
  });
  const connect = (): void => near.channel.connect(address, {});
  near.onReconnect = () => near.transport.clock.setTimeout(connect, retryMs);
  connect();
  return { near, far, listener };
}

const idleHandler: ChannelHandler = {
  onOpen() {},
  onBytes() {},
  onFrame() {},
  onMessages: () => false,
  onDrain() {},
  onClosed() {},
};
