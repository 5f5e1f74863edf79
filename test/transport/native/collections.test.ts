/** Receive slabs are given back by collections of the young generation, not by full ones. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startPair, variantOf } from '../../../src/cli/bench/variants.ts';
import { nativeAvailable } from '../../../src/native.ts';
import { compileLibrary, runScript } from './support/compiled.ts';

const sizeBytes = 4096;
const mib = 1024 * 1024;
/** What V8 waits for where nothing prompts it. */
const fullCollectionBytes = 64 * mib;

/** A full collection as early as one that loading brings would be followed by another one at each few MiB. */
const grownHeap = '--initial-old-space-size=256';

const nodeVersion = Number(process.versions.node.split('.')[0]);
/** Node 26 asks for a young collection no sooner than for a full one, and either may come. */
const shareMax = nodeVersion >= 26 ? 1 : 1 / 4;

const run = nativeAvailable() ? test : test.skip;

run('a stream to a dispatcher that may keep its payloads brings few full collections', async () => {
  const ownArguments = process.execArgv;
  process.execArgv = [...ownArguments, grownHeap];
  const pair = await startPair(variantOf('async', 'default'));
  try {
    const { messages, server } = await pair.collections!({ sizeBytes, seconds: 1 });
    const bytes = messages * sizeBytes;
    assert.ok(bytes > 4 * fullCollectionBytes, `only ${bytes} bytes came`);
    assert.ok(server.collections > 2, `${server.collections} collections`);
    const most = 2 + (bytes / fullCollectionBytes) * shareMax;
    assert.ok(
      server.fullCollections <= most,
      `${server.fullCollections} full collections for ${Math.round(bytes / mib)} MiB`,
    );
  } finally {
    process.execArgv = ownArguments;
    await pair.close();
  }
});

/**
 * A slab that is used for long lives through young collections, and what is old waits for a full one: for 64 MiB of
 * them. A loop on a thread of its own has several slabs in use, of which some are seldom looked at.
 */
for (const [threads, mibMax] of [
  [0, 12],
  [1, 48],
] as const) {
  run(`who receives little does not gather slabs, ms_async_op_threads = ${threads}`, async () => {
    const library = compileLibrary();
    try {
      const [count, bytes] = [24_000, 4096];
      const script = [library.url, String(threads), String(count), String(bytes)];
      const { code, output } = await runScript('slow-receiver.mjs', script, 60_000, {}, [grownHeap]);
      assert.is(code, 0, output);
      const { growthMax } = JSON.parse(output) as { growthMax: number };
      const grown = `${Math.round(growthMax / mib)} MiB for ${Math.round((count * bytes) / mib)} MiB`;
      assert.ok(growthMax < mibMax * mib, grown);
    } finally {
      library.remove();
    }
  });
}

test.run();
