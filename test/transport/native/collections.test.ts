/** Receive slabs are given back by collections of the young generation, not by full ones. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startPair, variantOf } from '../../../src/cli/bench/variants.ts';
import { nativeAvailable } from '../../../src/native.ts';

const sizeBytes = 4096;
const mib = 1024 * 1024;
/** What V8 waits for where nothing prompts it. */
const fullCollectionBytes = 64 * mib;

const nodeVersion = Number(process.versions.node.split('.')[0]);
/** Node 26 asks for a young collection no sooner than for a full one; either may come. */
const v8Decides = nodeVersion >= 26;

const run = nativeAvailable() && !v8Decides ? test : test.skip;

run('a stream to a dispatcher that may keep its payloads brings few full collections', async () => {
  // A loader makes V8 begin with a full collection, after which it begins another one at each few MiB.
  const ownArguments = process.execArgv;
  process.execArgv = [...ownArguments, '--initial-old-space-size=256'];
  const pair = await startPair(variantOf('async', 'default'));
  try {
    const { messages, server } = await pair.collections!({ sizeBytes, seconds: 1 });
    const bytes = messages * sizeBytes;
    assert.ok(bytes > 4 * fullCollectionBytes, `only ${bytes} bytes came`);
    assert.ok(server.collections > 2, `${server.collections} collections`);
    const most = 2 + bytes / fullCollectionBytes / 4;
    assert.ok(
      server.fullCollections <= most,
      `${server.fullCollections} full collections for ${Math.round(bytes / mib)} MiB`,
    );
  } finally {
    process.execArgv = ownArguments;
    await pair.close();
  }
});

test.run();
