/** The kinds of msgr2 messengers that are measured, and how a pair of processes of one kind is started. */

import { moduleBeside } from '../../module-beside.ts';
import { loadNative, nativeAvailable } from '../../native.ts';
import type { Options } from '../../options.ts';
import type { DispatcherKind, ModeKind, Msgr2EndsOptions } from './msgr2-ends.ts';
import { ProcessPair } from './process-pair.ts';

export interface Variant {
  /** `async`, `async borrowing`, `simple secure`: short, and the same in tables and JSON. */
  readonly name: string;
  readonly transport: 'async' | 'simple';
  readonly dispatcher: DispatcherKind;
  readonly mode: ModeKind;
}

const endsModule = moduleBeside('./msgr2-ends', import.meta.url).href;

export function variantOf(
  transport: 'async' | 'simple',
  dispatcher: DispatcherKind,
  mode: ModeKind = 'crc',
): Variant {
  const words = [transport, dispatcher === 'default' ? '' : dispatcher, mode === 'crc' ? '' : mode];
  return { name: words.filter((word) => word !== '').join(' '), transport, dispatcher, mode };
}

/** Borrowing saves nothing where no slab is recycled: `simple` is measured with the default dispatcher. */
export function variantsOf(
  transports: readonly ('async' | 'simple')[],
  dispatchers: readonly DispatcherKind[],
  modes: readonly ModeKind[] = ['crc'],
): Variant[] {
  return transports.flatMap((transport) =>
    dispatchers
      .filter((dispatcher) => transport === 'async' || dispatcher !== 'borrowing')
      .flatMap((dispatcher) => modes.map((mode) => variantOf(transport, dispatcher, mode))),
  );
}

/** Why a variant cannot run here; undefined when it can. */
export function missingFor({ transport, mode }: Variant): string | undefined {
  if (transport !== 'async') return undefined;
  if (!nativeAvailable()) return 'the native core is not built';
  if (mode === 'secure' && !loadNative().hasAead) return 'the host offers no OpenSSL for secure mode';
  return undefined;
}

/** How the two ends talk, when not by `send` between two processes. */
export type PairWay = 'requests' | 'loopback';

/** A module that makes the ends of another checkout's messengers, and that checkout's folder. */
export interface OtherEnds {
  readonly moduleUrl: string;
  readonly root: string;
}

export function startPair(
  variant: Variant,
  options: Partial<Options> = {},
  way?: PairWay,
  other?: OtherEnds,
): Promise<ProcessPair> {
  const { transport, dispatcher, mode } = variant;
  const ends: Msgr2EndsOptions = { transport, dispatcher, mode, options, requests: way === 'requests' };
  const moduleUrl = other?.moduleUrl ?? endsModule;
  const all = other === undefined ? ends : { ...ends, root: other.root };
  return way === 'loopback' ? ProcessPair.startOne(moduleUrl, all) : ProcessPair.start(moduleUrl, all);
}
