/** A process that runs its share of the seeds; runner.ts starts it and reads its lines. */
import { runSeed } from './run-seed.ts';
import { addTotals, hashShare, seedsPerLine, type WorkerLine, type WorkerTask } from './runner.ts';

// Errors are values here: many, and nobody reads where they were made.
Error.stackTraceLimit = 0;

const { firstSeed, step, count, scenario, mode, canary } = JSON.parse(process.argv[2]!) as WorkerTask;
let totals = new Map<string, number>();
let hash = 0;
let done = 0;

function tell(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Whoever reads the lines is gone, and with him the reason to go on.
process.stdout.on('error', () => process.exit(1));

let seed = firstSeed;
// What a dispatcher or a promise throws reaches nobody who could tell whose it is.
process.on('uncaughtException', (error) => {
  const violations = [`exception: ${error.stack ?? error.message}`];
  tell({
    failed: {
      seed,
      scenario: scenario ?? 'unknown',
      mode: mode ?? 'unknown',
      violations,
      hash: '',
      totals: {},
    },
  });
});

for (let index = 0; index < count; index++) {
  seed = firstSeed + index * step;
  const result = await runSeed({ seed, scenario, mode, canary });
  done++;
  hash = (hash + hashShare(result)) | 0;
  addTotals(totals, result.totals);
  if (result.violations.length > 0) tell({ failed: result });
  if (done === seedsPerLine || index === count - 1) {
    tell({ done, totals: Object.fromEntries(totals), hash });
    totals = new Map();
    hash = 0;
    done = 0;
    // Lets the pipe drain.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
