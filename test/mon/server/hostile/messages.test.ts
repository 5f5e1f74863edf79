/**
 * Whatever an authenticated client sends in whatever state of repair: what does not decode ends its session,
 * what does is answered or passed over, and the monitor goes on.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { messageRequirements } from '../../../../src/mon/server/caps/requirements.ts';
import type { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MessagePayload } from '../../../../src/wire/messages/registry.ts';
import { HostileClient, openMonitor } from './hostile-clients.ts';
import { type Sample, samplesFor } from './samples.ts';

let monitor: Monitor;
let samples: Sample[];

test.before(async () => {
  monitor = await openMonitor();
  samples = samplesFor(monitor);
});

test.after(async () => {
  await monitor.close();
  assert.is(await monitor.ended, undefined, 'the monitor ended by itself');
});

function decodes(sample: Sample, payload: MessagePayload): boolean {
  try {
    sample.decode(payload);
    return true;
  } catch {
    return false;
  }
}

/** Sends them over several clients at once; each must come to what decoding comes to. */
async function sendAll(cases: readonly (readonly [Sample, MessagePayload])[]): Promise<void> {
  const queue = [...cases];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      await using client = new HostileClient(monitor);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [sample, payload] = next;
        const outcome = await client.send(sample.type, payload);
        const expected = decodes(sample, payload) ? 'map' : 'reset';
        const what = `${sample.name}, ${payload.front.byteLength} bytes: ${Buffer.from(payload.front).toString('hex')}`;
        assert.is(outcome, expected, what);
      }
    }),
  );
}

test('there is a sample of every type that is admitted', () => {
  const types = [...messageRequirements.keys()].sort((one, other) => one - other);
  assert.equal(
    samples.map(({ type }) => type).sort((one, other) => one - other),
    types,
  );
});

test('whole, they are taken', () => sendAll(samples.map((sample) => [sample, sample.payload])));

test('cut off at every byte: the session ends unless what is left is a message', async () => {
  const cases = samples.flatMap((sample) =>
    Array.from({ length: sample.payload.front.byteLength }, (_, length): [Sample, MessagePayload] => [
      sample,
      { ...sample.payload, front: sample.payload.front.subarray(0, length) },
    ]),
  );
  await sendAll(cases);
  // Most of them end a session, or the test would say nothing.
  const ended = cases.filter(([sample, payload]) => !decodes(sample, payload));
  assert.ok(ended.length > cases.length / 2, `${ended.length} of ${cases.length}`);
});

test('a count of four billion wherever a count may be', async () => {
  const cases = samples.flatMap((sample) => {
    const { front } = sample.payload;
    return Array.from({ length: Math.max(0, front.byteLength - 3) }, (_, at): [Sample, MessagePayload] => {
      const spoiled = Buffer.from(front);
      spoiled.writeUInt32LE(0xffffffff, at);
      return [sample, { ...sample.payload, front: spoiled }];
    });
  });
  const before = process.memoryUsage().rss;
  await sendAll(cases.filter((_, index) => index % 9 === 0));
  assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
});

test('messages of types that nobody sends to a monitor', async () => {
  await using client = new HostileClient(monitor);
  const payload = {
    version: 1,
    compatVersion: 1,
    front: Buffer.alloc(8),
    middle: Buffer.alloc(0),
    data: Buffer.alloc(0),
  };
  for (const type of [0, 1, 3, 18, 41, 46, 51, 53, 65, 66, 70, 100, 0x7ff, 0xffff]) {
    if (messageRequirements.has(type)) continue;
    await client.send(type, payload);
  }
});

test('random bytes in place of a message', async () => {
  await using client = new HostileClient(monitor);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.uint8Array({ maxLength: 120 }), async (index, front) => {
      const sample = samples[index % samples.length]!;
      const outcome = await client.send(sample.type, { ...sample.payload, front: Buffer.from(front) });
      const isWhole = decodes(sample, { ...sample.payload, front: Buffer.from(front) });
      assert.is(outcome, isWhole ? 'map' : 'reset', sample.name);
    }),
    { numRuns: 50 },
  );
});

test.run();
