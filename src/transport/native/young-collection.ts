/**
 * A collection of V8's young generation on demand: the one thing that says which received payloads nobody looks at
 * any more (native/binding/receive_buffers.h says when). V8 offers it as `gc`, to contexts that are made while a
 * flag is set.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Gc = (options: { readonly type: 'minor' }) => void;

const minor = { type: 'minor' } as const;
let collect: (() => void) | undefined;

/** Undefined where the host has no such thing: V8 then collects when it likes. */
export function youngCollection(): (() => void) | undefined {
  if (collect === undefined) {
    const gc = exposedGc();
    if (typeof gc === 'function') collect = () => gc(minor);
  }
  return collect;
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
