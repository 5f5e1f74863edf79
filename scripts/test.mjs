/**
 * `npm test`: runs every *.test.ts under test/ in a Node process of its own, two at a time: many of them wait
 * for daemons most of their time. One whose opening comment says `@alone` has the machine to itself.
 *
 *     npm test                       all of them
 *     npm test -- wire transport/    the files whose path contains one of the words
 *     npm test -- --verbose wire     with each file's own output
 *     npm test -- --jobs 1           one after the other
 *
 * A process per file, because a test of native code can take its whole process with it, and because uvu has
 * no time limit. A file fails when a test fails, when it ends without uvu's totals or with a total of 0
 * (a forgotten `.run()`), when it exceeds its time limit, or when a process it started outlives it. With
 * CI=true or MSGR2_REQUIRE_CEPH=1 a skipped test is a failure too. The limit is 120 s; a file that needs
 * more says `@timeLimitSeconds 300` in its opening comment.
 *
 * The last line is `N passed, N failed`; the exit code is 1 when something failed.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const defaultLimitSeconds = 120;
/** What is kept of a file's output, to be printed when it fails; the end says more than the beginning. */
const outputCharactersMax = 256 * 1024;
/** How long processes that a finished file left behind may take to go by themselves. */
const leftoverGraceMs = 2_000;
const jobsDefault = Math.min(2, availableParallelism());

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    verbose: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(jobsDefault) },
    /** The folder with the tests; another one only when the runner itself is tested. */
    folder: { type: 'string', default: 'test' },
  },
});
const strict = process.env.CI === 'true' || process.env.MSGR2_REQUIRE_CEPH === '1';

const files = readdirSync(join(root, options.folder), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(options.folder, name).split(sep).join('/'))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();

/** Where util-linux is there, the kernel ends a test file's process when the runner itself is killed. */
const deathWatch = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];

/** The files that run now: the process of each, and its output so far. */
const running = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const run of running) {
      killGroup(run.child.pid);
      report(run, { passed: 0, failed: 1, skipped: 0, problems: [`the run got ${signal}`] });
    }
    finish();
    process.exit(1);
  });
}

const total = { passed: 0, failed: 0, skipped: 0 };
const startedAt = performance.now();

if (files.length === 0) {
  console.error(`no test file matches: ${words.join(' ')}`);
  total.failed = 1;
}
const jobs = Number(options.jobs);
if (!Number.isInteger(jobs) || jobs < 1) {
  console.error(`--jobs must be a whole number of at least 1, not ${options.jobs}`);
  process.exit(2);
}
const headers = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8').slice(0, 2000)]));
const isAlone = (file) => /@alone\b/.test(headers.get(file));
await runAll(
  files.filter((file) => !isAlone(file)),
  jobs,
);
await runAll(files.filter(isAlone), 1);
finish();
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs the files in order, so many at a time. */
async function runAll(queue, count) {
  const waiting = [...queue];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runFile(file);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

async function runFile(file) {
  const header = headers.get(file);
  const limitSeconds = Number(/@timeLimitSeconds (\d+)/.exec(header)?.[1] ?? defaultLimitSeconds);
  const fileStartedAt = performance.now();

  // A group of its own: whatever the file starts can then be found and ended with it.
  const command = [...deathWatch, process.execPath, '--import', 'tsx', file];
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NODE_ENV: 'test' },
  });
  const run = { file, child, output: '' };
  running.add(run);
  const keep = (chunk) => {
    run.output = (run.output + chunk).slice(-outputCharactersMax);
    if (options.verbose) process.stdout.write(chunk);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);

  const problems = [];
  const limit = setTimeout(() => {
    problems.push(`did not end within ${limitSeconds} s`);
    killGroup(child.pid);
  }, limitSeconds * 1000);
  const { code, signal } = await new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: error.message, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  clearTimeout(limit);

  const leftovers = await leftoversOf(child.pid);
  if (leftovers.length > 0 && problems.length === 0) problems.push(`left running: ${leftovers.join(', ')}`);
  killGroup(child.pid);
  await outputEnd(child);

  const { output } = run;
  const totals = /\n {2}Total: +(\d+)\s+Passed: +(\d+)\s+Skipped: +(\d+)/.exec(output);
  const [tests, passed, skips] = totals ? totals.slice(1).map(Number) : [0, 0, 0];
  const announced = output.match(/^SKIPPED .*/gm) ?? [];
  const skipped = skips + announced.length;
  let failed = tests - passed;

  if (problems.length === 0) {
    if (signal) problems.push(`ended by ${signal}`);
    else if (!totals) problems.push(`ended without totals, exit code ${code}`);
    else if (tests === 0 && skipped === 0) problems.push('ran no test: is .run() called?');
    else if (output.includes('Exiting early before testing is finished.')) problems.push('exited early');
    else if (code !== 0 && failed === 0) problems.push(`exit code ${code}`);
    if (strict && skipped > 0)
      problems.push(...announced, `${skipped} skipped, and here a skip is a failure`);
  }
  // What went wrong outside of any one test counts as one failed test, so that the sum cannot look clean.
  if (problems.length > 0 && failed === 0) failed = 1;
  running.delete(run);
  report(run, { passed, failed, skipped, problems, seconds: (performance.now() - fileStartedAt) / 1000 });
}

function report({ file, output }, { passed, failed, skipped, problems, seconds = 0 }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  const word = failed > 0 ? 'FAIL' : passed === 0 ? 'skip' : 'ok  ';
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  console.log(`${word} ${file.padEnd(50)} ${counts.join(', ')}  (${seconds.toFixed(1)} s)`);
  for (const problem of problems) console.log(`     ${problem}`);
  if (failed > 0 && !options.verbose) console.log(output.replace(/^/gm, '     | '));
  else if (skipped > 0) {
    for (const line of output.match(/^SKIPPED .*/gm) ?? []) console.log(`     ${line}`);
  }
}

function finish() {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${files.length} files in ${seconds} s${skipped}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

function killGroup(pid) {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

/** Waits for the pipes to drain; a process that escaped its group could hold them open for ever. */
function outputEnd(child) {
  if (child.stdout.readableEnded && child.stderr.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1_000);
    child.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Names the living processes of a finished file's group, after giving them the time to go. Linux only. */
async function leftoversOf(group) {
  const deadline = performance.now() + leftoverGraceMs;
  for (;;) {
    const members = livingMembers(group);
    if (members.length === 0 || performance.now() > deadline) return members;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function livingMembers(group) {
  if (!group || !existsSync('/proc/self/stat')) return [];
  const members = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // pid (name) state parent group …; the name may hold spaces and parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(processGroup) === group && state !== 'Z' && state !== 'X') members.push(`${name} (${pid})`);
    } catch {
      // It ended while the list was read.
    }
  }
  return members;
}
