/** The native transport on the thread of its owner does all that the contract of channel.ts asks for. */
import { createNativeTransport } from '../../../src/transport/native/native-transport.ts';
import { transportConformance } from '../conformance.ts';

transportConformance('async', () => createNativeTransport()).run();
