/** One heartbeat peer on one network: Ceph's HeartbeatInfo, the half of it that belongs to this network. */
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import { PeerField } from './network-protocol.ts';
import { PingHistory } from './ping-history.ts';
import { PingTimeRecorder } from './ping-times.ts';

/** A connection to a peer's heartbeat server: lossy, opened again by its owner when it breaks. */
export interface HeartbeatLink {
  /** Never blocks; what cannot be sent is lost. */
  send(ping: MOSDPing): void;
  /** Without events afterwards. */
  close(): void;
}

export interface HeartbeatLinkEvents {
  onConnected(): void;
  /** An established connection broke; the link is of no use any more. */
  onReset(): void;
  /** Nothing listens there; the link goes on trying. */
  onRefused(): void;
  onReply(reply: MOSDPing): void;
}

/** Of the last sixteen pings. */
const rememberedPings = 16;

export class NetworkPeer {
  readonly osd: number;
  readonly addrs: EntityAddrVec;
  readonly upFrom: number;
  readonly history = new PingHistory();
  readonly pingTimes = new PingTimeRecorder();
  link: HeartbeatLink | undefined;
  dialledMs = 0;
  isConnected = false;
  isUnhealthy = false;
  firstTxMs = 0;
  lastTxMs = 0;
  lastRxMs = 0;
  lastRttMs = 0;
  /** Something changed that the main side has not been told. */
  isChanged = true;
  /** A bit for each of the last pings, the newest lowest: set when its answer was late or never came. */
  #missed = 0;

  constructor(osd: number, addrs: EntityAddrVec, upFrom: number) {
    this.osd = osd;
    this.addrs = addrs;
    this.upFrom = upFrom;
  }

  /** The outcomes of `count` pings. */
  remember(count: number, isMissed: boolean): void {
    for (let left = Math.min(count, rememberedPings); left > 0; left--) {
      this.#missed = ((this.#missed << 1) | Number(isMissed)) & (2 ** rememberedPings - 1);
    }
  }

  get missedShare(): number {
    let bits = this.#missed;
    let count = 0;
    for (; bits !== 0; bits &= bits - 1) count++;
    return count / rememberedPings;
  }

  /** For how long it has owed an answer. */
  owedMs(nowMs: number): number {
    return this.history.length === 0 ? 0 : nowMs - this.history.oldestSentMs;
  }

  /** Writes its row; `lastPingIn` is known to the network. */
  writeRow(rows: Float64Array, base: number, lastPingIn: number): void {
    rows[base + PeerField.osd] = this.osd;
    rows[base + PeerField.firstTx] = this.firstTxMs;
    rows[base + PeerField.lastTx] = this.lastTxMs;
    rows[base + PeerField.lastRx] = this.lastRxMs;
    rows[base + PeerField.oldestTx] = this.history.oldestSentMs;
    rows[base + PeerField.oldestDeadline] = this.history.oldestDeadlineMs;
    rows[base + PeerField.isUnhealthy] = Number(this.isUnhealthy);
    rows[base + PeerField.lastPingIn] = lastPingIn;
    rows[base + PeerField.lastRttMs] = this.lastRttMs;
    rows[base + PeerField.missed] = this.missedShare;
    rows[base + PeerField.isConnected] = Number(this.isConnected);
    rows[base + PeerField.upFrom] = this.upFrom;
  }
}
