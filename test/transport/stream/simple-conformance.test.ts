/** The contract of transport/channel.ts, kept by the `simple` transport. */
import { createSimpleTransport } from '../../../src/transport/stream/simple-transport.ts';
import { transportConformance } from '../conformance.ts';

const test = transportConformance('simple', createSimpleTransport);

test.run();
