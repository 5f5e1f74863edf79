/**
 * Mutated maps, decoded: the outcome must be a map or ERR_MSGR_MALFORMED with an offset and a field, and
 * memory must stay bounded.
 *
 *   node --import tsx scripts/fuzz-maps.ts [--executions N] [--seed N] [--corpus FOLDER]
 *
 * The corpus is what real monitors sent (the recordings beside the tests) and what `--corpus` holds. Every
 * execution takes one of it, changes it in one to eight places, and decodes; half of the times the CRC is
 * made right again, so that the map is accepted when nothing else is wrong, and then it must encode and
 * decode to the same bytes, and places PGs. A failure prints seed and execution, which repeat it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzCorpus, runFuzz } from '../test/maps/support/fuzz.ts';

const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    corpus: { type: 'string' },
  },
});
// Nearly every execution ends with an error; nobody looks at its stack.
Error.stackTraceLimit = 0;
const corpus = fuzzCorpus();
const folder = values.corpus;
if (folder !== undefined) {
  for (const name of readdirSync(folder))
    corpus.push({ kind: 'osdmap', bytes: readFileSync(join(folder, name)) });
}
const executions = Number(values.executions);
const seed = Number(values.seed);
const started = performance.now();
const result = runFuzz(corpus, { executions, seed, onProgress: (done) => console.log(`${done} executions`) });
const seconds = (performance.now() - started) / 1000;
const rate = (executions / seconds).toFixed(0);
console.log(
  `seed ${seed}, corpus of ${corpus.length}: ${executions} executions in ${seconds.toFixed(0)} s, ${rate}/s`,
);
console.log(`${result.accepted} accepted, ${result.refused} refused as malformed in ${result.fields} fields`);
console.log(`${result.placed} PGs placed by accepted maps, ${result.endless} maps whose rules do not end`);
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
