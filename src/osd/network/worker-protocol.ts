/** What crosses the MessagePort between a heartbeat worker and its host; see also heartbeat/network-protocol.ts. */
import type { AuthSnapshot } from '../../auth/cephx/snapshot.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import type { SocketOptions } from '../../transport/socket.ts';
import type { HeartbeatMessengerCounters } from '../heartbeat/network-host.ts';
import type { NetworkBatch, NetworkCommand, NetworkName } from '../heartbeat/network-protocol.ts';

/** How a worker proves who it is: it speaks to no monitor. */
export type WorkerAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'cephx'; readonly snapshot: AuthSnapshot };

export interface WorkerSetup {
  readonly network: NetworkName;
  readonly whoami: number;
  readonly nonce: number;
  readonly bindAddr: string;
  /** Whether a port that is taken is replaced: the worker before had it. */
  readonly mayFallBack: boolean;
  readonly options: Options;
  readonly auth: WorkerAuth;
  readonly transport: TransportName;
  readonly socketOptions: SocketOptions;
  /** The CPU to run on; `async` only. */
  readonly cpu: number | undefined;
  readonly startMs: number;
  readonly startWallMs: number;
  /** Main's tick count. */
  readonly mainTicks: Int32Array<SharedArrayBuffer>;
}

export type ToWorker =
  | { readonly kind: 'command'; readonly command: NetworkCommand }
  | { readonly kind: 'auth'; readonly snapshot: AuthSnapshot }
  | { readonly kind: 'rebind'; readonly id: number; readonly avoidPorts: readonly number[] }
  | { readonly kind: 'counters'; readonly id: number }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'batch'; readonly batch: NetworkBatch }
  /** Bound: the text form of its addresses. */
  | { readonly kind: 'started'; readonly addrs: string }
  | { readonly kind: 'rebound'; readonly id: number; readonly addrs: string }
  | { readonly kind: 'counters'; readonly id: number; readonly counters: HeartbeatMessengerCounters }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly code: string };
