/** The contract of transport/channel.ts, kept by the `simple` transport, in both modes. */
import { createSimpleTransport } from '../../../src/transport/stream/simple-transport.ts';
import { transportConformance } from '../conformance.ts';

transportConformance('simple', createSimpleTransport).run();
transportConformance('simple', createSimpleTransport, 'secure').run();
