/**
 * The native transport does all that the contract of channel.ts asks for: on the thread of its owner, on a
 * thread of its own, and when the system moves a few bytes at a time; in both modes.
 */
import { createNativeTransport } from '../../../src/transport/native/native-transport.ts';
import { transportConformance } from '../conformance.ts';

let seed = 1;
for (const mode of ['crc', 'secure'] as const) {
  transportConformance('async', () => createNativeTransport(), mode).run();
  transportConformance('async on its own thread', () => createNativeTransport({ threads: 1 }), mode).run();
  transportConformance(
    'async with short reads and writes',
    () => createNativeTransport({ injectShortIo: 3, injectSeed: seed++ }),
    mode,
  ).run();
}
transportConformance('async, busy polling off', () => createNativeTransport({ busyPollUs: 0 })).run();
