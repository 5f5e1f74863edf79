/**
 * Native code when its environment ends: workers, process.exit(), close() in awkward moments. Each case runs
 * in a child process, where an abort is a signal and a hang is a timeout.
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CompiledLibrary, compileLibrary, runScript } from './support/compiled.ts';

/** What issue 2 asks for; the other ways to end get fewer, as they differ in JavaScript only. */
const workerCounts = { terminate: 100, exit: 40, throw: 40 } as const;
const atOnce = 4;

let library: CompiledLibrary;
test.before(() => {
  library = compileLibrary();
});
test.after(() => library.remove());

for (const threads of ['0', '1']) {
  const where = threads === '0' ? 'loop on the worker’s thread' : 'loop on a thread of its own';
  for (const [end, workerCount] of Object.entries(workerCounts)) {
    test(`${workerCount} workers ended by ${end} with traffic running: ${where}`, async () => {
      const script = [library.url, String(workerCount), String(atOnce), end, threads];
      const { code, signal, output } = await runScript('workers.mjs', script, 120_000);
      assert.is(signal, null, output);
      assert.is(code, 0, output);
      const { before, after } = JSON.parse(output) as { before: object; after: object };
      assert.equal(after, before, 'descriptors and threads are those of the beginning');
    });
  }

  for (const name of [
    'exitWithTraffic',
    'exitInHandler',
    'closeInHandler',
    'closeWithSendsPending',
    'destroyDuringConnect',
    'endsByItself',
    'unref',
    'viewsOutliveTransport',
  ]) {
    test(`${name}: ${where}`, async () => {
      const { code, signal, output } = await runScript('endings.mjs', [library.url, name, threads], 20_000);
      assert.is(signal, null, output);
      assert.is(code, 0, output);
      assert.is(output, 'ok\n');
    });
  }
}

test.run();
