/**
 * What every transport must do, as tests of the contract in src/transport/channel.ts. A transport's own test
 * file calls `transportConformance` with a function that makes one, then `run()`s what comes back.
 */
import type { Transport } from '../../src/transport/channel.ts';
import { type ConformanceSuite, conformanceSuite, type SceneMode } from './conformance-pair.ts';
import { secureConformance } from './conformance-secure.ts';
import { sessionConformance } from './conformance-session.ts';
import { streamConformance } from './conformance-stream.ts';

/**
 * Registers the whole suite; `makeTransport` must answer a fresh transport at each call. The tests make two
 * per test and let them talk over 127.0.0.1, each connection in `mode`. Returns the suite, so that a caller can add tests of its own
 * before it calls `run()`.
 */
export function transportConformance(
  name: string,
  makeTransport: () => Transport,
  mode: SceneMode = 'crc',
): ConformanceSuite {
  const suite = conformanceSuite(`transport conformance: ${name}`, makeTransport, mode);
  streamConformance(suite);
  sessionConformance(suite);
  if (mode === 'secure') secureConformance(suite);
  return suite;
}
