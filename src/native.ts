/**
 * The only file that loads the addon, and the declaration of its whole interface.
 *
 * The addon is looked for at the first use, never at import: `MSGR2_NATIVE=off` forbids it,
 * `MSGR2_NATIVE=/some/path.node` names it, anything else searches the builds and then the prebuilt ones of
 * this package. What is loaded is kept for the thread; each thread loads it for itself.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ErrorCode, MsgrError } from './errors.ts';
import type { SocketAddress, SocketOptions } from './transport/socket.ts';

/** Numbers by name, as the core has them; tests compare them with the tables of TypeScript. */
export type NativeTable = Readonly<Record<string, number>>;

export interface NativeLoopOptions {
  /** The exports of src/limits.ts, by their names there. */
  readonly limits: NativeTable;
  readonly busyPollUs?: number;
  readonly threads?: number;
  readonly cpu?: number;
  readonly poisonRecycled?: boolean;
  readonly injectSocketFailures?: number;
  readonly injectShortIo?: number;
  readonly injectSeed?: number;
}

/** Byte offsets and counts of the shared memory; see native/binding/shared_memory.h. */
export interface NativeLayout {
  /** Send tables and record tables, of each so many. */
  readonly tables: number;
  readonly releasesOffset: number;
  readonly releasesMax: number;
  readonly sendRecords: number;
  readonly recordOffset: number;
  readonly placeOffset: number;
  readonly records: number;
  readonly countersPerChunk: number;
}

/**
 * Called once per turn, without arguments: the control words say which table it is and how many places of it say
 * where records are, there or in `slabs[table]`. Answers whether anything in the slabs is kept past the call.
 */
export type NativeDelivery = () => boolean;

/** One transport's event loop. Channels are numbers; a number without a channel is ignored. */
export interface NativeLoop {
  readonly memory: ArrayBuffer;
  readonly layout: NativeLayout;
  /** Of each table, the slabs that its records point into; of the delivery under way. */
  readonly slabs: readonly ArrayBuffer[][];
  createChannel(): number;
  /** The number's last record, `destroyed`, has been seen: it may be used again. */
  giveBack(channel: number): void;
  /** Counters of channels `chunk * countersPerChunk` and on, 128 bytes each. */
  counters(chunk: number): ArrayBuffer;
  /** Throws when the address is not numeric. */
  connect(channel: number, generation: number, address: SocketAddress, options: SocketOptions): void;
  disconnect(channel: number, generation: number): void;
  adopt(channel: number, generation: number, other: number): void;
  destroy(channel: number): void;
  expectBytes(channel: number, count: number): void;
  expectFrame(channel: number): void;
  sendBytes(channel: number, bytes: Uint8Array): void;
  sendControl(channel: number, tag: number, payload: Uint8Array): void;
  /** 16, 12 and 12 bytes. Throws when one has another size. */
  secure(channel: number, key: Uint8Array, receiveNonce: Uint8Array, sendNonce: Uint8Array): void;
  startSession(channel: number, lossless: boolean): void;
  acknowledge(channel: number, seq: bigint): void;
  resetInSeq(channel: number): void;
  resetSession(channel: number): void;
  /** One `drained` record follows once the core queues less than half of `channelQueueBytesMax`. */
  wantDrained(channel: number): void;
  pauseReading(channel: number): void;
  resumeReading(channel: number): void;
  /**
   * The steps of `SharedMemoryPort` (src/transport/channel.ts); name and token have 16 bytes each. False: the
   * system, or what the peer handed over, does not allow it.
   */
  shareInvite(channel: number, name: Uint8Array): boolean;
  shareGive(channel: number, name: Uint8Array, token: Uint8Array): boolean;
  shareTake(channel: number, token: Uint8Array): boolean;
  shareNothing(channel: number): void;
  shareOutput(channel: number): void;
  shareInput(channel: number): void;
  /** [listener's number or -1, failed step, errno, six words of the bound address]. */
  listen(address: SocketAddress, options: SocketOptions): Int32Array;
  closeListener(listener: number): void;
  /** Takes the messages of the send table and makes a slab with room for `bytes` current. */
  nextSlab(bytes: number): Uint8Array;
  /**
   * The next lent payload of the present send table, in the table's order and front before data. It stays
   * where it is until `token` is released.
   */
  lend(token: number, bytes: Uint8Array): void;
  flush(): void;
  /** Whether open sockets hold the host's event loop. */
  setReferenced(referenced: boolean): void;
  /** Closes every descriptor and ends the thread; no delivery follows. */
  close(): void;
  /** For tests: the channel's descriptor, or -1. */
  descriptor(channel: number): number;
}

export interface NativeAddon {
  /** False where the host has no libuv (Bun, Deno): the loop cannot run there. */
  readonly hasHostLoop: boolean;
  /** False where the host offers no OpenSSL: there is no secure mode. */
  readonly hasAead: boolean;
  /** `collectYoung` collects V8's young generation, and with it the buffers of slabs that nobody looks at. */
  readonly NativeLoop: new (
    options: NativeLoopOptions,
    delivery: NativeDelivery,
    collectYoung?: () => void,
  ) => NativeLoop;
  readonly recordFields: NativeTable;
  readonly recordKinds: NativeTable;
  readonly closeReasons: NativeTable;
  readonly counterNames: NativeTable;
  readonly sendFields: NativeTable;
  readonly controlWords: NativeTable;
  readonly socketSteps: NativeTable;
  readonly frameErrorNumbers: NativeTable;
  /** Text of each frame error, by its number. */
  readonly frameErrors: readonly string[];
  /** CRC-32C with the caller's initial value and no final inversion. */
  crc32c(seed: number, bytes: Uint8Array): number;
  /** Name of the network interface with this index; empty when there is none. */
  interfaceName(index: number): string;
  /** For tests: getsockopt on a descriptor; undefined when it fails. */
  socketOption(descriptor: number, level: number, name: number): Buffer | undefined;
}

const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

let loaded: NativeAddon | undefined;
let loadedPath = '';
let failure: MsgrError | undefined;

/** The addon. Throws ERR_MSGR_NATIVE_LOAD with every path that was tried. */
export function loadNative(): NativeAddon {
  if (loaded !== undefined) return loaded;
  if (failure === undefined) {
    try {
      loaded = load();
      return loaded;
    } catch (error) {
      failure = error as MsgrError;
    }
  }
  throw failure;
}

/** The file that `loadNative` took, for processes that are to take the same. Throws as it does. */
export function nativePath(): string {
  loadNative();
  return loadedPath;
}

/** Whether `loadNative` would answer; never throws. */
export function nativeAvailable(): boolean {
  try {
    loadNative();
    return true;
  } catch {
    return false;
  }
}

function load(): NativeAddon {
  const wish = process.env.MSGR2_NATIVE;
  if (wish === 'off') throw new MsgrError(ErrorCode.NativeLoad, 'the native core is off: MSGR2_NATIVE=off');
  const require = createRequire(import.meta.url);
  const tried: string[] = [];
  for (const path of candidates(wish)) {
    if (!existsSync(path)) {
      tried.push(`${path}: not there`);
      continue;
    }
    try {
      const addon = require(path) as NativeAddon;
      if (addon.hasHostLoop) {
        loadedPath = path;
        return addon;
      }
      tried.push(`${path}: this host has no libuv loop`);
    } catch (error) {
      tried.push(`${path}: ${(error as Error).message}`);
    }
  }
  throw new MsgrError(ErrorCode.NativeLoad, `the native core cannot be loaded; tried ${tried.join('; ')}`);
}

function candidates(wish: string | undefined): string[] {
  if (wish !== undefined && wish !== '' && wish !== 'force' && wish !== 'on') {
    return [isAbsolute(wish) ? wish : resolve(wish)];
  }
  const target = `${process.platform}-${process.arch}-${libc()}`;
  return [
    join(packageRoot, 'build', 'cmake', 'Release', 'msgr2.node'),
    join(packageRoot, 'build', 'Release', 'msgr2.node'),
    join(packageRoot, 'prebuilds', target, 'msgr2.node'),
  ];
}

/** As the folders of prebuilt cores are named: a process without glibc's version runs on musl. */
function libc(): string {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  // Without this the report looks up every network interface's name.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}
