/** The kinds of msgr2 messengers that are measured, and how a pair of processes of one kind is started. */
import type { Options } from '../../options.ts';
import type { DispatcherKind, Msgr2EndsOptions } from './msgr2-ends.ts';
import { ProcessPair } from './process-pair.ts';

export interface Variant {
  /** `async`, `async borrowing`, `simple`: short, and the same in tables and JSON. */
  readonly name: string;
  readonly transport: 'async' | 'simple';
  readonly dispatcher: DispatcherKind;
}

const endsModule = new URL(`./msgr2-ends.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  .href;

export function variantOf(transport: 'async' | 'simple', dispatcher: DispatcherKind): Variant {
  const name = dispatcher === 'default' ? transport : `${transport} ${dispatcher}`;
  return { name, transport, dispatcher };
}

/** Borrowing saves nothing where no slab is recycled: `simple` is measured with the default dispatcher. */
export function variantsOf(
  transports: readonly ('async' | 'simple')[],
  dispatchers: readonly DispatcherKind[],
): Variant[] {
  return transports.flatMap((transport) =>
    dispatchers
      .filter((dispatcher) => transport === 'async' || dispatcher !== 'borrowing')
      .map((dispatcher) => variantOf(transport, dispatcher)),
  );
}

export function startPair(variant: Variant, options: Partial<Options> = {}): Promise<ProcessPair> {
  const ends: Msgr2EndsOptions = { transport: variant.transport, dispatcher: variant.dispatcher, options };
  return ProcessPair.start(endsModule, ends);
}
