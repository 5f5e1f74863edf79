/**
 * Which transport a messenger runs on. Messengers of one thread share one transport of a kind, as a
 * thread has one event loop; it is closed with the last of them.
 */
import { randomInt } from 'node:crypto';
import { ErrorCode, MsgrError } from '../errors.ts';
import { loadNative, nativeAvailable } from '../native.ts';
import type { Options } from '../options.ts';
import type { Transport } from '../transport/channel.ts';
import { createNativeTransport } from '../transport/native/native-transport.ts';
import { createSimpleTransport } from '../transport/stream/simple-transport.ts';

/** `auto`: the native loop when it can be loaded, else `simple`. */
export type TransportName = 'auto' | 'async' | 'simple';

interface Shared {
  readonly transport: Transport;
  users: number;
}

const shared = new Map<string, Shared>();

export interface TransportLease {
  readonly transport: Transport;
  release(): Promise<void>;
}

/** A transport given by its owner is used as it is and never closed from here. */
export function leaseTransport(
  wanted: TransportName | Transport | undefined,
  options: Options,
): TransportLease {
  if (typeof wanted === 'object') return { transport: wanted, release: () => Promise.resolve() };
  const name = resolveName(wanted ?? nameFromOption(options.ms_type));
  const key = keyOf(name, options);
  let entry = shared.get(key);
  if (entry === undefined) {
    entry = { transport: create(name, options), users: 0 };
    shared.set(key, entry);
  }
  const lease = entry;
  lease.users++;
  let isReleased = false;
  return {
    transport: lease.transport,
    async release() {
      if (isReleased) return;
      isReleased = true;
      if (--lease.users > 0) return;
      shared.delete(key);
      await lease.transport.close();
    },
  };
}

/** Messengers whose options make the same transport share it. */
function keyOf(name: 'async' | 'simple', options: Options): string {
  const { ms_async_op_threads, ms_busy_poll_us, ms_inject_socket_failures } = options;
  if (name === 'simple') return `${name}/${ms_inject_socket_failures}`;
  return `${name}/${ms_busy_poll_us}/${ms_async_op_threads}/${ms_inject_socket_failures}`;
}

function create(name: 'async' | 'simple', options: Options): Transport {
  const injectSocketFailures = options.ms_inject_socket_failures;
  if (name === 'simple') return createSimpleTransport({ injectSocketFailures });
  loadNative();
  return createNativeTransport({
    injectSocketFailures,
    injectSeed: randomInt(1, 2 ** 31),
    busyPollUs: options.ms_busy_poll_us,
    threads: options.ms_async_op_threads === 0 ? 0 : 1,
  });
}

function resolveName(name: TransportName): 'async' | 'simple' {
  if (name !== 'auto') return name;
  return nativeAvailable() ? 'async' : 'simple';
}

/** Ceph's `ms_type`: `async`, `async+posix`, `simple`; Ceph's default means the best there is. */
function nameFromOption(type: string): TransportName {
  if (type === 'async+posix') return 'auto';
  if (type === 'async' || type === 'simple' || type === 'auto') return type;
  throw new MsgrError(
    ErrorCode.InvalidArgument,
    `option ms_type must be async, async+posix, simple or auto, not ${type}`,
  );
}
