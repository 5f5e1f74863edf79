/** The runner of `npm test` fails for each way a test file can go wrong; it must never look clean by accident. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isRunning } from '../support/processes.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the runner on files with these texts; inside the project, so that they can import uvu. */
function runnerOn(texts: Record<string, string>, env: Record<string, string> = {}) {
  mkdirSync(join(root, 'build'), { recursive: true });
  const folder = mkdtempSync(join(root, 'build', 'test-runner-'));
  try {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, `${name}.test.ts`), text);
    const args = [join(root, 'scripts', 'test.mjs'), `--folder=${relative(root, folder)}`];
    const { CI, MSGR2_REQUIRE_CEPH, ...rest } = process.env;
    const options = { cwd: root, encoding: 'utf8', timeout: 20_000, env: { ...rest, ...env } } as const;
    const { status, stdout } = spawnSync(process.execPath, args, options);
    return { status, stdout, lastLine: stdout.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const head = `import { test } from 'uvu'; import * as assert from 'uvu/assert';\n`;
const good = `${head}test('good', () => assert.ok(true)); test.run();`;

test('sums up what passes', () => {
  const two = `${head}test('a', () => {}); test('b', () => {}); test.run();`;
  const { status, lastLine } = runnerOn({ one: good, two });
  assert.is(lastLine, '3 passed, 0 failed');
  assert.is(status, 0);
});

const wrongs: [string, string, RegExp][] = [
  ['a failed test', `${head}test('bad', () => assert.is(1, 2)); test.run();`, /"bad"/],
  ['a forgotten run()', `${head}test('never', () => {});`, /ended without totals|ran no test/],
  ['a file without tests', `${head}test.run();`, /ran no test/],
  [
    'a promise that never settles',
    `${head}test('stuck', () => new Promise(() => {})); test.run();`,
    /ended without totals|exited early/,
  ],
  [
    'a hang',
    `/** @timeLimitSeconds 1 */\n${head}test('on', () => new Promise((f) => setTimeout(f, 60000))); test.run();`,
    /did not end within 1 s/,
  ],
  [
    'a crash',
    `${head}test('crash', () => { process.kill(process.pid, 'SIGSEGV'); return new Promise(() => {}); }); test.run();`,
    /ended by SIGSEGV/,
  ],
  ['a file that does not load', `import './no-such-file.ts';`, /ended without totals/],
  [
    'an exit code of its own',
    `${head}test('x', () => {}); test.run(); process.on('exit', () => { process.exitCode = 3; });`,
    /exit code 3/,
  ],
  [
    'a process left running',
    `import { spawn } from 'node:child_process';\n${head}test('x', () => { spawn('sleep', ['50'], { stdio: 'ignore' }).unref(); }); test.run();`,
    /left running: sleep/,
  ],
];

for (const [name, text, expected] of wrongs) {
  test(`${name} is a failure, and the other file still counts`, () => {
    const { status, stdout, lastLine } = runnerOn({ 'a-wrong': text, good });
    assert.is(status, 1, stdout);
    assert.match(stdout, expected);
    assert.match(lastLine!, /^[12] passed, 1 failed$/);
  });
}

test('a skip is told, and is a failure where nothing may be skipped', () => {
  const skipped = `${head}console.log('SKIPPED no daemons here'); test.run();`;
  const lenient = runnerOn({ good, skipped });
  assert.is(lenient.status, 0);
  assert.match(lenient.stdout, /SKIPPED no daemons here/);
  assert.is(lenient.lastLine, '1 passed, 0 failed');
  const strict = runnerOn({ good, skipped }, { CI: 'true' });
  assert.is(strict.status, 1);
  assert.is(strict.lastLine, '1 passed, 1 failed');
});

test('the run ends with its totals when it is told to stop, and no test file outlives it', async () => {
  for (const [signal, lastLine] of [
    ['SIGTERM', '0 passed, 1 failed'],
    ['SIGKILL', undefined],
  ] as const) {
    const folder = mkdtempSync(join(root, 'build', 'test-runner-'));
    try {
      const pidFile = join(folder, 'pid');
      writeFileSync(
        join(folder, 'on.test.ts'),
        `import { writeFileSync } from 'node:fs';\n${head}test('on', () => {
          writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
          return new Promise((f) => setTimeout(f, 60000));
        }); test.run();`,
      );
      const args = [join(root, 'scripts', 'test.mjs'), '--folder', relative(root, folder)];
      const runner = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = once(runner, 'close');
      let stdout = '';
      runner.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      const pid = await waitUntil(
        () => existsSync(pidFile) && Number(readFileSync(pidFile, 'utf8')),
        20_000,
        'the test file to run',
      );
      runner.kill(signal);
      await withTimeout(closed, 20_000, 'the runner to end');
      if (lastLine) assert.is(stdout.trimEnd().split('\n').at(-1), lastLine);
      await waitUntil(() => !isRunning(pid), 5_000, 'the test file to end with its runner');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});

test('no matching file is a failure', () => {
  assert.is(runnerOn({}).status, 1);
});

test.run();
