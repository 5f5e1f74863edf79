/**
 * Whether the monitor, by itself, may mark an OSD up, down, in or out: not against an operator's flag, and
 * not when so many are down or out already that the cause is likelier the monitor's view than the OSDs.
 */
import type { Options } from '../../../options.ts';
import { osdCounts } from './osd-counts.ts';
import { hasOsdFlag } from './osd-flags.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

/** The committed map is what counts; of what is pending only how many more it marks. */
export interface MarkContext {
  readonly pending: PendingOsdMap;
  readonly options: Options;
}

export function mayMarkDown({ pending, options }: MarkContext, osd: number): boolean {
  if (hasOsdFlag(pending.base, osd, 'nodown')) return false;
  const { existing, up } = osdCounts(pending.base);
  return existing > 0 && (up - pending.netMarkedDown()) / existing >= options.mon_osd_min_up_ratio;
}

export function mayMarkUp({ pending }: MarkContext, osd: number): boolean {
  return !hasOsdFlag(pending.base, osd, 'noup');
}

export function mayMarkIn({ pending }: MarkContext, osd: number): boolean {
  return !hasOsdFlag(pending.base, osd, 'noin');
}

export function mayMarkOut(context: MarkContext, osd: number): boolean {
  return !hasOsdFlag(context.pending.base, osd, 'noout') && mayMarkAnyOut(context);
}

/** The part of {@link mayMarkOut} that is the same for every OSD. */
export function mayMarkAnyOut({ pending, options }: MarkContext): boolean {
  const counts = osdCounts(pending.base);
  return (
    counts.existing > 0 &&
    (counts.in - pending.netMarkedOut()) / counts.existing >= options.mon_osd_min_in_ratio
  );
}
