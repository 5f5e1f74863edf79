/**
 * A collection of V8's young generation on demand: the one thing that says which received payloads nobody looks at
 * any more (native/binding/receive_buffers.h says when). V8 offers it as `gc`, to contexts that are made while a
 * flag is set.
 *
 * It has little to do, thousands of times a second: to wake V8's helpers takes longer than they help, and takes
 * the CPU from whoever sends (D53). So they are left asleep for as long as it lasts.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Gc = (options: { readonly type: 'minor' }) => void;

const minor = { type: 'minor' } as const;
const helpers = ['parallel-scavenge', 'concurrent-array-buffer-sweeping'] as const;
const withoutHelpers = helpers.map((flag) => `--no-${flag}`).join(' ');
const withHelpers = helpers.map((flag) => `--${flag}`).join(' ');
let collect: (() => void) | undefined;

/** Undefined where the host has no such thing: V8 then collects when it likes. */
export function youngCollection(): (() => void) | undefined {
  if (collect === undefined) {
    const gc = exposedGc();
    if (typeof gc === 'function') collect = choosesHelpers() ? () => gc(minor) : () => collectAlone(gc);
  }
  return collect;
}

function collectAlone(gc: Gc): void {
  setFlagsFromString(withoutHelpers);
  gc(minor);
  setFlagsFromString(withHelpers);
}

/** Whoever started this process has said who is to help V8: that stays. */
function choosesHelpers(): boolean {
  const said = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').replaceAll('_', '-');
  return ['single-threaded', ...helpers].some((flag) => said.includes(flag));
}

function exposedGc(): Gc | undefined {
  const isExposed = 'gc' in globalThis;
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as Gc;
  } catch {
    return undefined;
  } finally {
    // As it was: V8's caches of compiled code are for one set of flags.
    if (!isExposed) setFlagsFromString('--no-expose-gc');
  }
}
