/**
 * A sender that heeds `send()` and waits for 'drain' goes on for as long as it likes, whatever the driver: with
 * a loop on a thread of its own the two sides of the border count a queue at different moments, and both must
 * hold it for full when one does.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Message, Policy } from '../../../src/index.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { Messengers } from '../../support/messengers.ts';
import { withTimeout } from '../../support/timeout.ts';

const type = 0x1001;
/** Frames of every size, lent payloads among them, are many times what one channel queues. */
const sizes = [0, 64, 4096, 100_000, 1_500_000];
const bytesMin = 12 * 1024 * 1024;
const messagesMin = 40_000;

interface Variant {
  readonly threads: 0 | 1;
  readonly lossy: boolean;
  readonly highWaterMark: number;
}

function* variants(): Generator<Variant> {
  for (const threads of [0, 1] as const) {
    for (const lossy of [false, true]) {
      for (const highWaterMark of [1 << 20, 5 << 20]) yield { threads, lossy, highWaterMark };
    }
  }
}

for (const { threads, lossy, highWaterMark } of variants()) {
  const driver = threads === 0 ? 'the loop on this thread' : 'the loop on its own thread';
  const policy = lossy ? 'lossy' : 'lossless';
  test(`${driver}, ${policy}, mark at ${highWaterMark}: every 'false' is followed by 'drain'`, async () => {
    await using all = new Messengers('async');
    const options = { ms_async_op_threads: threads, ms_send_high_water_mark: highWaterMark };
    const server = all.create({ name: 'osd.0', options });
    server.setPolicy(EntityType.Client, lossy ? Policy.statelessServer() : Policy.losslessPeer());
    let received = 0;
    let onReceived: (() => void) | undefined;
    server.addDispatcherTail({
      dispatch: () => {
        received++;
        onReceived?.();
        return true;
      },
    });
    await server.bind('v2:127.0.0.1:0');
    server.start();
    const client = all.client({ name: 'client.1', options });
    client.messenger.setPolicy(EntityType.Osd, lossy ? Policy.lossyClient() : Policy.losslessPeer());
    const connection = client.messenger.getConnection(server.myAddrs, { peerType: EntityType.Osd });
    let sent = 0;
    let waits = 0;
    for (const size of sizes) {
      const message = new Message({ type, data: Buffer.alloc(size, 7) });
      const count = size < 1000 ? messagesMin : Math.ceil(bytesMin / size);
      for (let index = 0; index < count; index++) {
        sent++;
        if (connection.send(message)) continue;
        waits++;
        await withTimeout(connection.drained(), 10_000, `'drain' after message ${index} of ${size} bytes`);
      }
    }
    const allReceived = new Promise<void>((resolve) => {
      onReceived = () => received === sent && resolve();
      onReceived();
    });
    await withTimeout(allReceived, 10_000, `${sent} messages`);
    assert.ok(waits > 3, `the mark was reached ${waits} times`);
    assert.is(connection.queuedBytes, 0);
  });
}

test.run();
