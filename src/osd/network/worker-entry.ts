/**
 * What runs in the worker thread of one heartbeat network: a single task, as long as the network lives. The
 * port keeps it going; the task resolves when the host says `close`.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AuthProvider } from '../../auth/auth.ts';
import { SnapshotAuth } from '../../auth/cephx/snapshot.ts';
import { authNone } from '../../auth/none.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Transport } from '../../transport/channel.ts';
import { createNativeTransport } from '../../transport/native/native-transport.ts';
import { EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import { SharedMainWatch } from '../heartbeat/main-watch.ts';
import { turnClock } from '../heartbeat/monotonic-clock.ts';
import { HeartbeatMessengers } from './heartbeat-messengers.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-protocol.ts';

export interface WorkerTask {
  readonly setup: WorkerSetup;
  readonly port: MessagePort;
}

export async function run({ setup, port }: WorkerTask): Promise<void> {
  // What there is to warn of (keys, mostly) the main thread has warned of, or silenced.
  process.removeAllListeners('warning');
  const post = (message: FromWorker): void => port.postMessage(message);
  const auth = authOf(setup);
  const transport = transportOf(setup);
  const messengers = new HeartbeatMessengers({
    ...setup,
    auth,
    transport,
    clock: turnClock,
    random: Math.random,
    main: new SharedMainWatch(setup.mainTicks, turnClock.nowMs()),
    deliver: (batch) => post({ kind: 'batch', batch }),
  });
  const answer = async (id: number, work: () => Promise<FromWorker> | FromWorker): Promise<void> => {
    try {
      post(await work());
    } catch (error) {
      const code = error instanceof MsgrError ? error.code : ErrorCode.Closed;
      post({ kind: 'failed', id, message: (error as Error).message, code });
    }
  };
  const closed = new Promise<void>((resolve) => {
    port.on('message', (message: ToWorker) => {
      switch (message.kind) {
        case 'command':
          messengers.network.command(message.command);
          break;
        case 'auth':
          if (auth instanceof SnapshotAuth) auth.update(message.snapshot);
          break;
        case 'rebind':
          void answer(message.id, async () => {
            const addrs = await messengers.rebind(new Set(message.avoidPorts));
            return { kind: 'rebound', id: message.id, addrs: String(addrs) };
          });
          break;
        case 'counters':
          void answer(message.id, () => ({
            kind: 'counters',
            id: message.id,
            counters: messengers.counters(),
          }));
          break;
        case 'close':
          resolve();
          break;
      }
    });
  });
  try {
    post({ kind: 'started', addrs: String(await messengers.start(setup.mayFallBack)) });
    await closed;
  } finally {
    await messengers.close();
    if (typeof transport === 'object') await transport.close();
    port.close();
  }
}

function authOf({ auth, options, whoami }: WorkerSetup): AuthProvider {
  if (auth.kind === 'none') return authNone(EntityAuthName.parse(`osd.${whoami}`));
  return new SnapshotAuth({ options, type: EntityType.Osd }, auth.snapshot);
}

/** A transport of our own where a CPU is asked for: its loop pins this thread. */
function transportOf({ cpu, transport }: WorkerSetup): TransportName | Transport {
  if (cpu === undefined) return transport;
  if (transport === 'simple') {
    throw new MsgrError(ErrorCode.Unsupported, 'the simple transport cannot be bound to a CPU');
  }
  return createNativeTransport({ cpu, busyPollUs: 0 });
}
