/**
 * What every transport must do, as tests of the contract in src/transport/channel.ts. A transport's own test
 * file calls `transportConformance` with a function that makes one, then `run()`s what comes back.
 */
import type { Transport } from '../../src/transport/channel.ts';
import { type ConformanceSuite, conformanceSuite } from './conformance-pair.ts';
import { sessionConformance } from './conformance-session.ts';
import { streamConformance } from './conformance-stream.ts';

/**
 * Registers the whole suite; `makeTransport` must answer a fresh transport at each call. The tests make two
 * per test and let them talk over 127.0.0.1. Returns the suite, so that a caller can add tests of its own
 * before it calls `run()`.
 */
export function transportConformance(name: string, makeTransport: () => Transport): ConformanceSuite {
  const suite = conformanceSuite(`transport conformance: ${name}`, makeTransport);
  streamConformance(suite);
  sessionConformance(suite);
  return suite;
}
