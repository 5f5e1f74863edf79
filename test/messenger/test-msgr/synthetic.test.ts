/**
 * The random tests of Ceph's test_msgr, by Ceph's names and with Ceph's numbers of servers, clients and
 * operations. Payloads go to 4 MiB there; here to 64 KiB, and with MSGR2_LONG=1 to 4 MiB. The seed is
 * printed when a test fails; MSGR2_SEED repeats the operations (not the network's timing).
 * @timeLimitSeconds 600
 */
import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Message } from '../../../src/messenger/message.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import type { Options } from '../../../src/options.ts';
import { createNativeTransport } from '../../../src/transport/native/native-transport.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { Messengers, testTransports } from '../../support/messengers.ts';
import { withTimeout } from '../../support/timeout.ts';
import { type SyntheticOps, SyntheticWorkload } from './synthetic-workload.ts';

const messageBytesMax = process.env.MSGR2_LONG === '1' ? 4 << 20 : 64 << 10;
const seed = Number(process.env.MSGR2_SEED ?? randomInt(1, 2 ** 31));
const doneTimeoutMs = 60_000;

const stress = { connectAbove: 90, dropAbove: 80, sendAbove: 10, restMs: [1, 2] } as const;
const injected: SyntheticOps = { seededConnections: 100, ops: 1000, ...stress, restMs: [0, 1] };

for (const transport of testTransports()) {
  const check = (
    name: string,
    what: string,
    [servers, clients]: readonly [number, number],
    [serverPolicy, clientPolicy]: readonly [Policy, Policy],
    ops: SyntheticOps,
    options: Partial<Options> = {},
    verify: (workload: SyntheticWorkload) => void = () => {},
  ): void => {
    test(`${transport}: ${name}: ${what}`, async () => {
      await using workload = await SyntheticWorkload.start(transport, {
        servers,
        clients,
        serverPolicy,
        clientPolicy,
        options,
        messageBytesMax,
        seed,
      });
      await withTimeout(workload.run(ops), 180_000, `${name}, seed ${seed}`);
      const { faults } = workload;
      await workload.done(doneTimeoutMs);
      // One call in 600 may spare a run this short; one in 30 does not.
      if ((options.ms_inject_socket_failures ?? 600) < 600) {
        assert.ok(faults + workload.resets > 0, 'sockets did break');
      }
      verify(workload);
      const { answered, dropped, remoteResets, resets, sent } = workload;
      console.log(
        `\n${transport} ${name}: ${sent} pings, ${answered} answered, ${dropped} dropped connections, ` +
          `${faults} faults, ${resets} resets, ${remoteResets} remote resets`,
      );
    });
  };
  const server = [Policy.statefulServer(), Policy.losslessClient()] as const;
  const reuse = [Policy.losslessPeerReuse(), Policy.losslessPeerReuse()] as const;
  const lossy = [Policy.statelessServer(), Policy.lossyClient()] as const;
  const peers = [Policy.losslessPeer(), Policy.losslessPeer()] as const;
  const allAnswered = ({ answered, sent }: SyntheticWorkload): void => assert.is(answered, sent);

  check('SyntheticStressTest', 'servers and lossless clients', [8, 32], server, {
    seededConnections: 100,
    ops: 5000,
    ...stress,
  });
  check('SyntheticStressTest1', 'lossless peers', [16, 32], reuse, {
    seededConnections: 10,
    ops: 10_000,
    ...stress,
    connectAbove: 80,
    dropAbove: 60,
  });
  check(
    'SyntheticInjectTest',
    'servers and lossless clients, sockets that break',
    [8, 32],
    server,
    injected,
    {
      ms_inject_socket_failures: 30,
      ms_inject_internal_delays: 0.1,
      ms_dispatch_throttle_bytes: 16 << 20,
    },
  );
  check('SyntheticInjectTest2', 'lossless peers, sockets that break', [8, 16], reuse, injected, {
    ms_inject_socket_failures: 30,
    ms_inject_internal_delays: 0.1,
  });
  check('SyntheticInjectTest3', 'lossy clients, sockets that break', [8, 16], lossy, injected, {
    ms_inject_socket_failures: 600,
    ms_inject_internal_delays: 0.1,
  });
  check(
    'SyntheticInjectTest4',
    'lossless peers, sockets that break, late messages',
    [16, 32],
    peers,
    { ...injected, connectAbove: 95, drops: false },
    {
      ms_inject_socket_failures: 30,
      ms_inject_internal_delays: 0.1,
      ms_inject_delay_probability: 1,
      ms_inject_delay_type: 'client osd',
      // 5 s in Ceph's test, which may take minutes.
      ms_inject_delay_max: process.env.MSGR2_LONG === '1' ? 5 : 0.2,
    },
    // Nothing is dropped and nobody is reset, so nothing may be missing at all.
    allAnswered,
  );

  // Newer than the others. Ceph pretends that the kernel's buffer is full; here the native loop does that too
  // (short writes), and the receiver stops reading, so that it is full.
  test(`${transport}: SyntheticInjectTest5: congestion with large messages on two connections`, async () => {
    const own =
      transport === 'async' ? createNativeTransport({ injectShortIo: 3, injectSeed: seed }) : undefined;
    try {
      await using all = new Messengers(transport);
      const init = own === undefined ? {} : { transport: own };
      const slow = await all.server({
        ...init,
        name: 'osd.0',
        options: { ms_dispatch_throttle_bytes: 1 << 20 },
      });
      slow.messenger.setDefaultPolicy(Policy.statefulServer());
      const connections = [1, 2].map((id) => {
        const { messenger } = all.client({ ...init, name: `client.${id}` });
        messenger.setDefaultPolicy(Policy.losslessClient());
        return messenger.getConnection(slow.messenger.myAddrs, { peerType: EntityType.Osd });
      });
      const count = 24;
      const sizeOf = (index: number): number => 100_000 + index * 150_001;
      const dataOf = (index: number, id: number): Buffer => Buffer.alloc(sizeOf(index), `${id}/${index} `);
      for (let index = 0; index < count; index++) {
        for (const [id, connection] of connections.entries()) {
          connection.send(new Message({ type: 2, tid: BigInt(id), data: dataOf(index, id) }));
        }
      }
      await slow.recorder.untilMessages(2 * count, 60_000);
      for (const id of connections.keys()) {
        const received = slow.recorder.messages.filter(({ tid }) => tid === BigInt(id));
        assert.is(received.length, count);
        for (const [index, { data }] of received.entries()) {
          assert.ok(data.equals(dataOf(index, id)), `message ${index} of connection ${id}`);
        }
      }
      for (const connection of connections) assert.is(connection.counters().faults, 0);
    } finally {
      await own?.close();
    }
  });
}

test.run();
