/** A small run of scripts/fuzz-maps.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzCorpus, runFuzz } from './support/fuzz.ts';

test('mutated maps: a map or a named refusal, and what is accepted stays itself', () => {
  const corpus = fuzzCorpus();
  assert.ok(corpus.length > 50);
  const stackTraceLimit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    const { accepted, refused, fields, placed } = runFuzz(corpus, { executions: 20_000, seed: 7 });
    assert.is(accepted + refused, 20_000);
    // Mutations that are never accepted, or refusals in few places, would test little.
    assert.ok(accepted > 500 && placed > 20, `${accepted} accepted, ${placed} placed`);
    assert.ok(fields > 150, `refused in ${fields} fields only`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test('the same seed gives the same outcome', () => {
  const corpus = fuzzCorpus();
  const once = runFuzz(corpus, { executions: 500, seed: 3 });
  assert.equal(runFuzz(corpus, { executions: 500, seed: 3 }), once);
  assert.is.not(runFuzz(corpus, { executions: 500, seed: 4 }).refused, once.refused);
});

test.run();
