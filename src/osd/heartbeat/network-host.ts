/**
 * Where a network's half lives: in this thread or in a worker's, with its two messengers. The main side
 * sees only this. The implementations are in `src/osd/network`.
 */
import type { AuthSnapshot } from '../../auth/cephx/snapshot.ts';
import type { MessengerCounters } from '../../messenger/messenger.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { NetworkBatch, NetworkCommand, NetworkName } from './network-protocol.ts';

/** `client` dials the peers' heartbeat servers, `server` is dialled by theirs. */
export interface HeartbeatMessengerCounters {
  readonly client: MessengerCounters;
  readonly server: MessengerCounters;
}

export interface NetworkHostEvents {
  onBatch(batch: NetworkBatch): void;
  /** The thread ended and is being replaced; its peers are set up again by whoever hears this. */
  onDied(reason: Error): void;
  /** It runs again. The addresses differ from those before when its ports were taken meanwhile. */
  onRestarted(addrs: EntityAddrVec): void;
}

export interface NetworkHost {
  readonly network: NetworkName;
  /** Set by the main side before `start`. */
  events: NetworkHostEvents;
  /** Binds the heartbeat server; resolves with its addresses. @throws MsgrError ERR_MSGR_BIND */
  start(): Promise<EntityAddrVec>;
  /** As another incarnation: another port, the nonce moved by 1,000,000; connections are dropped. */
  rebind(avoidPorts: ReadonlySet<number>): Promise<EntityAddrVec>;
  command(command: NetworkCommand): void;
  /** Hands over at once what has arrived already: before a decision that rests on it. */
  drain(): void;
  /** New tickets and rotating keys; without effect where the auth is shared. */
  updateAuth(snapshot: AuthSnapshot): void;
  counters(): Promise<HeartbeatMessengerCounters>;
  close(): Promise<void>;
}
