/**
 * What the simulation found, each told as the few steps that it takes. The network is the one in memory and
 * time is virtual, so that every step is where it must be.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../src/messenger/connection.ts';
import { type Interceptor, InterceptStep } from '../../src/messenger/interceptor.ts';
import { Message } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import type { Options } from '../../src/options.ts';
import { MemoryNetwork } from '../../src/transport/memory/memory-network.ts';
import { Recorder } from '../support/messengers.ts';

interface End {
  readonly messenger: Messenger;
  readonly recorder: Recorder;
}

interface EndInit {
  readonly policy: Policy;
  readonly options?: Partial<Options>;
  readonly interceptor?: Interceptor;
}

const address = (entity: number): string => `10.0.0.${entity + 1}`;

async function makeEnd(network: MemoryNetwork, entity: number, init: EndInit): Promise<End> {
  const { policy, ...rest } = init;
  const transport = network.createTransport({ address: address(entity) });
  const messenger = Messenger.create({
    name: `osd.${entity}`,
    nonce: entity + 1,
    transport,
    clock: transport.clock,
    ...rest,
  });
  messenger.setDefaultPolicy(policy);
  const recorder = new Recorder();
  messenger.addDispatcherTail(recorder);
  await messenger.bind(`v2:${address(entity)}:6800`);
  messenger.start();
  return { messenger, recorder };
}

async function close(network: MemoryNetwork, ...ends: End[]): Promise<void> {
  for (const { messenger } of ends) await messenger.shutdown();
  network.run(network.clock.nowMs() + 1000);
}

function bytes(count: number): Message {
  return new Message({ type: 0x900, data: new Uint8Array(count) });
}

test('room that comes between two sockets is room for the next one, whoever makes it', async () => {
  const network = new MemoryNetwork({ seed: 1 });
  const policy = Policy.losslessPeer();
  const sender = await makeEnd(network, 0, { policy });
  const receiver = await makeEnd(network, 1, { policy, options: { ms_dispatch_throttle_bytes: 100 } });
  const releases: (() => void)[] = [];
  receiver.recorder.onMessage = ({ connection, byteLength }) => {
    releases.push(connection.hold(byteLength));
  };
  const connection = sender.messenger.getConnection(receiver.messenger.myAddrs);
  connection.send(bytes(200));
  network.run(100);
  assert.is(releases.length, 1);
  network.resetConnections();
  network.run(200);
  assert.equal(
    receiver.messenger.connections().map(({ state }) => state),
    ['standby'],
  );
  releases[0]!();
  connection.send(bytes(1));
  network.run(300);
  assert.is(receiver.recorder.messages.length, 2, 'the throttle has room, and the message is here');
  await close(network, sender, receiver);
});

test('an accepted lossy connection that breaks before its session is gone, and does not wait', async () => {
  const network = new MemoryNetwork({ seed: 1 });
  let failures = 1;
  const server = await makeEnd(network, 0, {
    policy: Policy.statelessServer(),
    interceptor: (_subject, step) =>
      step === InterceptStep.SendServerIdentity && failures-- > 0 ? 'fail' : 'continue',
  });
  const client = await makeEnd(network, 1, { policy: Policy.lossyClient() });
  client.messenger.send(bytes(1), server.messenger.myAddrs);
  network.run(10_000);
  assert.is(server.recorder.messages.length, 1, 'the client came again');
  assert.equal(
    server.messenger.connections().map(({ state }: Connection) => state),
    ['open'],
  );
  assert.equal(server.recorder.events, ['reset', 'accept']);
  await close(network, server, client);
});

test('a sender that was told to wait is told to go on, also when acknowledgements made the room', async () => {
  const network = new MemoryNetwork({ seed: 1 });
  const policy = Policy.losslessPeer();
  const sender = await makeEnd(network, 0, {
    policy,
    options: { ms_send_high_water_mark: 1024 * 1024 },
  });
  const receiver = await makeEnd(network, 1, { policy });
  const connection = sender.messenger.getConnection(receiver.messenger.myAddrs);
  const sendMany = (count: number): boolean =>
    Array.from({ length: count }, () => connection.send(bytes(64 * 1024))).every((mayGoOn) => mayGoOn);
  let drains = 0;
  connection.on('drain', () => drains++);
  network.run(100);
  // These arrive, and the sender does not hear of it before it connects again.
  network.partition(address(1), address(0));
  assert.ok(sendMany(7));
  network.run(200);
  assert.is(receiver.recorder.messages.length, 7);
  network.resetConnections(address(0), address(1));
  network.run(300);
  assert.not.ok(sendMany(10), 'with what waits for acknowledgement it is more than the mark');
  network.heal(address(1), address(0));
  network.run(20_000);
  assert.is(receiver.recorder.messages.length, 17);
  assert.is(drains, 1);
  await close(network, sender, receiver);
});

test.run();
