/**
 * A lossy session counts no bytes as waiting for the peer's word: a frame above `unackedBytesMax` that is half
 * on the wire must not keep what comes behind it from ever being framed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Message, Policy } from '../../src/index.ts';
import { channelQueueBytesMax, unackedBytesMax } from '../../src/limits.ts';
import { Messengers, testTransports } from '../support/messengers.ts';

const type = 0x1001;

for (const transport of testTransports()) {
  test(`${transport}: what waits behind a huge message of a lossy session is sent`, async () => {
    await using all = new Messengers(transport);
    // With small buffers, which `simple` cannot ask for, the queue drains before the frame is whole on the wire.
    const options = transport === 'async' ? { ms_tcp_rcvbuf: 64 * 1024 } : {};
    const server = await all.server({ name: 'osd.0', options });
    server.messenger.setDefaultPolicy(Policy.statelessServer());
    const client = all.client({ name: 'client.1', options });
    client.messenger.setDefaultPolicy(Policy.lossyClient());
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    await client.recorder.untilEvent('connect');
    connection.send(new Message({ type, data: Buffer.alloc(unackedBytesMax + channelQueueBytesMax) }));
    for (let index = 0; index < 5; index++) connection.send(new Message({ type }));
    await server.recorder.untilMessages(6);
    assert.is(connection.queuedBytes, 0);
  });
}

test.run();
