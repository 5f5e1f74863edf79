/**
 * Time limits for tests. uvu has none: a promise that never settles hangs the run for ever as long as a
 * socket or a timer is alive. Every wait on something outside the test's own hands goes through here, so
 * that a hang becomes a failure that names what was waited for.
 */

/** Rejects with `timed out after … ms: what` unless `promise` settles first; the promise itself goes on. */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  // Made here, not in the callback: its stack then shows the waiting line.
  const error = new Error(`timed out after ${timeoutMs} ms: ${what}`);
  const limit = new Promise<never>((_, reject) => {
    // Holds the process awake on purpose: without it Node would leave with the promise still pending.
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Wraps a uvu test handler in a limit: `test('name', limited(5000, async () => { … }))`. */
export function limited<Context>(
  timeoutMs: number,
  handler: (context: Context) => Promise<void>,
): (context: Context) => Promise<void> {
  return (context) => withTimeout(handler(context), timeoutMs, 'the whole test');
}

/**
 * Asks `probe` every `intervalMs` until it answers something other than undefined or false, and returns that.
 * The interval trades latency for CPU time: tests share two cores with the daemons they wait for.
 */
export async function waitUntil<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs: number,
  what: string,
  intervalMs = 20,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) throw new Error(`timed out after ${timeoutMs} ms: ${what}`);
    const answer = await withTimeout(Promise.resolve(probe()), left, what);
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
