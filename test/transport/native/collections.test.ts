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

const run = nativeAvailable() ? test : test.skip;

run('a stream to a dispatcher that may keep its payloads brings few full collections', async () => {
  await using pair = await startPair(variantOf('async', 'default'));
  const { messages, server } = await pair.collections!({ sizeBytes, seconds: 1 });
  const bytes = messages * sizeBytes;
  assert.ok(bytes > 4 * fullCollectionBytes, `only ${bytes} bytes came`);
  assert.ok(server.collections > 2, `${server.collections} collections`);
  // None for the slabs, where V8 alone makes one for each few dozen MiB; a few may have other reasons.
  const full = `${server.fullCollections} full collections for ${Math.round(bytes / mib)} MiB`;
  assert.ok(server.fullCollections <= 3, full);
});

/**
 * A slab that is used for long lives through young collections, and what is old waits for a full one: for 64 MiB of
 * them.
 */
for (const threads of [0, 1] as const) {
  run(`who receives little does not gather slabs, ms_async_op_threads = ${threads}`, async () => {
    const library = compileLibrary();
    try {
      const [count, bytes] = [24_000, 4096];
      const script = [library.url, String(threads), String(count), String(bytes)];
      const { code, output } = await runScript('slow-receiver.mjs', script, 60_000);
      assert.is(code, 0, output);
      const { growthMax } = JSON.parse(output) as { growthMax: number };
      const grown = `${Math.round(growthMax / mib)} MiB for ${Math.round((count * bytes) / mib)} MiB`;
      // 5 to 10 MiB on an idle machine, up to 15 where other processes want the CPUs.
      assert.ok(growthMax < fullCollectionBytes / 2, grown);
    } finally {
      library.remove();
    }
  });
}

test.run();
