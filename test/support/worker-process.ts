/** A process that uses a worker dispatcher and then has nothing more to do; it prints how many answers came. */
import { Message } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import { WorkerDispatcher } from '../../src/messenger/workers/worker-dispatcher.ts';

const [mode] = process.argv.slice(2);
const dispatcher = await WorkerDispatcher.create({
  handler: new URL('./worker-handler.ts', import.meta.url),
  types: [0x2000],
  workers: 2,
  handlerData: new Int32Array(new SharedArrayBuffer(64)),
  undone: (_, error) => {
    throw error;
  },
});
const messenger = Messenger.create({ name: 'osd.0', transport: 'simple' });
messenger.addDispatcherHead(dispatcher);
await messenger.bind('v2:127.0.0.1:0');
messenger.start();
const requests = Array.from({ length: 20 }, () =>
  messenger.loopbackConnection.request(new Message({ type: 0x2000, middle: Buffer.from('echo') })),
);
console.log(`answered ${(await Promise.all(requests)).length}`);
await messenger.shutdown();
if (mode === 'close') {
  await dispatcher.close();
  const left = process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name));
  if (left.length !== 0) console.log(`left: ${left}`);
}
