/** Every test file runs its tests: without `.run()` uvu reports a total of 0 and success. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const folder = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.ts'),
);

/** What is wrong with a test file's text, by suite: each `test` or `suite(…)` of it must be run. */
function problemsOf(text: string): string[] {
  const suites = [...text.matchAll(/^const (\w+) = suite\b/gm)].map(([, name]) => name!);
  if (/import \{[^}]*\btest\b[^}]*\} from 'uvu'/.test(text)) suites.push('test');
  // A suite made by a helper has another form; it is run all the same.
  if (suites.length === 0 && !/^.*[\w)]\.run\(\);/m.test(text)) return ['runs no suite'];
  const problems = suites
    .filter((name) => !new RegExp(`^\\s*${name}\\.run\\(\\);`, 'm').test(text))
    .map((name) => `${name} is never run`);
  if (/^\s*\w+\.only\(/m.test(text)) problems.push('runs only some of its tests');
  return problems;
}

test('every test file runs all its suites', () => {
  assert.ok(files.length > 3, 'the list of files looks wrong');
  const problems = files.flatMap((name) =>
    problemsOf(readFileSync(join(folder, name), 'utf8')).map((problem) => `${name}: ${problem}`),
  );
  assert.equal(problems, []);
});

test('the check sees what it looks for (a canary)', () => {
  const head = `import { test } from 'uvu';\ntest('x', () => {});\n`;
  assert.equal(problemsOf(`${head}test.run();\n`), []);
  assert.equal(problemsOf(head), ['test is never run']);
  assert.equal(problemsOf(`const test = conformance('simple');\ntest.run();\n`), []);
  assert.equal(problemsOf(`conformance('simple', () => make()).run();\n`), []);
  assert.equal(problemsOf(`const test = conformance('simple');\n`), ['runs no suite']);
  assert.equal(problemsOf(`import { suite } from 'uvu';\nconst acks = suite('acks');\n`), [
    'acks is never run',
  ]);
  assert.equal(problemsOf(`${head}test.only('y', () => {});\ntest.run();\n`), [
    'runs only some of its tests',
  ]);
});

test.run();
