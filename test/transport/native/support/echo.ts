/** A process that sends every message back; tells its port to the process that forked it. */
import { createNativeTransport } from '../../../../src/transport/native/native-transport.ts';
import { outgoing, Recorder, readMessage } from '../../recorder.ts';

const transport = createNativeTransport();
const listener = await transport.listen({ family: 4, host: '127.0.0.1', port: 0 }, {}, (channel) => {
  const handler = new Recorder();
  handler.onMessages = (batch, first, end) => {
    for (let index = first; index < end; index++) channel.send(outgoing(readMessage(batch, index)));
    return false;
  };
  channel.handler = handler;
  channel.startSession({ lossless: true });
});
process.send!(listener.address.port);
