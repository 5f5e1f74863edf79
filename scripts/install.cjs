/**
 * `npm install`: finds or builds the native core, and never fails for want of one.
 *
 *     a prebuilt core that loads  ->  cmake-js  ->  node-gyp  ->  the pure TypeScript messenger
 *
 * Says in one line which it took; what the build tools print goes to build/install.log. A core counts as
 * built when a child process has loaded it, so that a library of the wrong kind (another libc, another CPU)
 * falls through to the next way. CommonJS and free of dependencies, because it runs before anything is
 * there.
 *
 *     MSGR2_NATIVE=off      build nothing
 *     MSGR2_NATIVE=force    fail when nothing could be built (for CI)
 *     MSGR2_BUILD=cmake     only this way to build: cmake or gyp (for CI, which tests both)
 */
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const logPath = path.join(root, 'build', 'install.log');
/** A build takes seconds; a tool that waits for a network it cannot reach must not hold npm for ever. */
const buildTimeoutMs = 15 * 60 * 1000;

/** Why each way was not taken, in order; printed when none is left. */
const refusals = [];

function main() {
  const wish = process.env.MSGR2_NATIVE;
  if (wish === 'off')
    return say('native core not built, as MSGR2_NATIVE=off asks: pure TypeScript messenger');
  const core = process.platform === 'linux' ? prebuilt() || built() : refuse('platform', 'not Linux');
  if (core) return say(core);
  say(`no native core (${refusals.join('; ')}): the pure TypeScript messenger is used`);
  if (wish === 'force') process.exitCode = 1;
}

function prebuilt() {
  if (process.env.MSGR2_BUILD) return undefined;
  const folder = `${process.platform}-${process.arch}-${libc()}`;
  const file = path.join(root, 'prebuilds', folder, 'msgr2.node');
  if (!fs.existsSync(file)) return refuse('prebuilt', `none for ${folder}`);
  const problem = loadProblem(file);
  return problem ? refuse('prebuilt', problem) : `prebuilt native core for ${folder}`;
}

function built() {
  if (!fs.existsSync(path.join(root, 'native', 'sources.txt'))) return refuse('build', 'no sources here');
  try {
    fs.mkdirSync(path.dirname(logPath), { recursive: true });
    fs.writeFileSync(logPath, '');
  } catch (error) {
    return refuse('build', `cannot write ${logPath}: ${error.message}`);
  }
  const only = process.env.MSGR2_BUILD;
  return (only !== 'gyp' && byCmakeJs()) || (only !== 'cmake' && byNodeGyp()) || undefined;
}

function byCmakeJs() {
  let cli;
  try {
    // A devDependency: there in a clone, absent where msgr2 is a dependency.
    cli = require.resolve('cmake-js/bin/cmake-js', { paths: [root] });
  } catch {
    return refuse('cmake-js', 'not installed');
  }
  if (!onPath('cmake')) return refuse('cmake-js', 'cmake is not on PATH');
  const product = path.join(root, 'build', 'cmake', 'Release', 'msgr2.node');
  return build('cmake-js', cli, ['build', '-d', 'native', '-O', 'build/cmake'], product);
}

function byNodeGyp() {
  // npm names the node-gyp it carries; pnpm, yarn and a plain `node scripts/install.cjs` may not.
  let cli = process.env.npm_config_node_gyp;
  try {
    if (!cli) cli = require.resolve('node-gyp/bin/node-gyp.js', { paths: [root, ...npmFolders()] });
  } catch {
    return refuse('node-gyp', 'not found');
  }
  if (!fs.existsSync(path.join(root, 'binding.gyp'))) return refuse('node-gyp', 'no binding.gyp here');
  // Not `rebuild`: that one empties build/, and with it what cmake-js left there.
  const args = ['configure', 'build', '--jobs=max'];
  const headers = headersFolder();
  if (headers) args.push(`--nodedir=${headers}`);
  return build('node-gyp', cli, args, path.join(root, 'build', 'Release', 'msgr2.node'));
}

/** Runs one build tool into the log; the line to say when its product loads. */
function build(tool, cli, args, product) {
  const startedAt = Date.now();
  const log = fs.openSync(logPath, 'a');
  try {
    fs.writeSync(log, `\n=== ${tool} ${args.join(' ')}\n`);
    const stdio = ['ignore', log, log];
    const options = { cwd: root, stdio, timeout: buildTimeoutMs, killSignal: 'SIGKILL' };
    const result = spawnSync(process.execPath, [cli, ...args], options);
    if (result.error) return refuse(tool, result.error.message);
    if (result.status !== 0) return refuse(tool, `failed, see ${path.relative(root, logPath)}`);
  } finally {
    fs.closeSync(log);
  }
  const problem = loadProblem(product);
  if (problem) return refuse(tool, problem);
  return `native core built with ${tool} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

/** Loads the core in a child, where even a crash is only an answer; undefined when it loads. */
function loadProblem(file) {
  if (!fs.existsSync(file)) return `made no ${path.relative(root, file)}`;
  const options = { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' };
  const result = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', file], options);
  if (result.status === 0) return undefined;
  const stderr = (result.stderr || '').trim();
  const reason = /^Error: (.*)$/m.exec(stderr)?.[1] || stderr.split('\n').at(-1);
  return `does not load: ${reason || result.signal || `exit code ${result.status}`}`;
}

/** Headers that came with this very Node: node-gyp then downloads none. */
function headersFolder() {
  if (process.env.npm_config_nodedir) return undefined;
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  return fs.existsSync(path.join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined;
}

function npmFolders() {
  const prefix = path.resolve(path.dirname(fs.realpathSync(process.execPath)), '..');
  return [path.join(prefix, 'lib', 'node_modules', 'npm')];
}

function libc() {
  // Without this the report looks up every network interface's name.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

function onPath(program) {
  return (process.env.PATH || '').split(path.delimiter).some((folder) => {
    try {
      fs.accessSync(path.join(folder, program), fs.constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function refuse(way, reason) {
  refusals.push(`${way}: ${reason}`);
  return undefined;
}

function say(line) {
  console.log(`msgr2: ${line}`);
}

try {
  main();
} catch (error) {
  // Whatever it was, the library works without: an install must not fail here.
  console.log(`msgr2: no native core (${error.message}): the pure TypeScript messenger is used`);
  if (process.env.MSGR2_NATIVE === 'force') process.exitCode = 1;
}
