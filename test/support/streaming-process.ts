/** Sends numbered messages to the address that it is given, for half a minute or until it is killed. */
import { Message, Messenger, Policy } from '../../src/index.ts';

const messenger = Messenger.create({ name: 'client.9', transport: 'async' });
messenger.setDefaultPolicy(Policy.lossyClient());
messenger.start();
const connection = messenger.getConnection(process.argv[2]!);
const deadline = Date.now() + 30_000;
for (let sent = 0; Date.now() < deadline; sent++) {
  const data = Buffer.alloc(200);
  data.writeUInt32LE(sent);
  if (!connection.send(new Message({ type: 0x1001, data }))) await connection.drained();
  if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await messenger.shutdown();
