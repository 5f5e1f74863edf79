/** The contract of transport/channel.ts, kept by the in-memory transport in both modes, stepped by the host's loop. */
import { createMemoryNetwork } from '../../../src/transport/memory/memory-network.ts';
import { conformanceSuite } from '../conformance-pair.ts';
import { secureConformance } from '../conformance-secure.ts';
import { sessionConformance } from '../conformance-session.ts';
import { streamConformance } from '../conformance-stream.ts';

const network = createMemoryNetwork({ seed: 1, faults: { partialRead: 0.2, partialWrite: 0.2 } });

/** Events per turn of the host's loop, so that tests can act in between. */
const eventsPerTurn = 50;

function work(): void {
  let isIdle = false;
  try {
    for (let event = 0; event < eventsPerTurn && !isIdle; event++) isIdle = !network.step();
  } finally {
    // Also when a handler threw.
    if (!isIdle) setImmediate(work);
  }
}
network.clock.onWork = () => setImmediate(work);

for (const mode of ['crc', 'secure'] as const) {
  const suite = conformanceSuite('transport conformance: memory', () => network.createTransport(), mode);
  const test: typeof suite = {
    ...suite,
    test(title, body) {
      // These speak to the listener with a socket of node:net.
      if (!title.startsWith('a stream that is ')) suite.test(title, body);
    },
  };
  streamConformance(test);
  sessionConformance(test);
  if (mode === 'secure') secureConformance(test);
  suite.run();
}
