/**
 * The package as a user gets it: packed, installed with its install scripts off, imported, required, run.
 *
 * @timeLimitSeconds 300
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a command to its end; its standard output. Throws with everything it printed. */
function run(folder: string, command: string, args: string[], env: Record<string, string> = {}): string {
  // What npm tells the scripts it runs is about this project, not about the one the command is for.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|command)/.test(name),
  );
  const result = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...Object.fromEntries(inherited), npm_config_loglevel: 'error', ...env },
  });
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${command} ${args.join(' ')}: ${result.error ?? result.status}\n${result.stdout}${result.stderr}`,
  );
}

interface Context {
  folder: string;
  /** Paths inside the packed file. */
  files: string[];
}

const test = suite<Context>();

test.before((context) => {
  try {
    packAndInstall(context);
  } catch (error) {
    // uvu drops what a hook throws; its tests fail without a word.
    console.error(error);
    throw error;
  }
});

function packAndInstall(context: Context): void {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-package-'));
  context.folder = folder;
  // dist/ is made by `prepare`, which npm runs before it packs; what it prints comes before the JSON.
  run(root, 'npm', ['run', 'build:ts']);
  const packed = run(root, 'npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  context.files = files.map(({ path }) => path);

  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  run(folder, 'npm', ['install', ...options, `./${filename}`]);
}

test.after((context) => {
  rmSync(context.folder, { recursive: true, force: true });
});

test('holds the library, the native sources with both build files, and the documents', ({ files }) => {
  const sources = readFileSync(join(root, 'native/sources.txt'), 'utf8').trim().split(/\s+/);
  const needed = [
    'package.json',
    'README.md',
    'LICENSE',
    'binding.gyp',
    'scripts/install.cjs',
    'native/CMakeLists.txt',
    'native/package.json',
    'native/sources.txt',
    ...sources,
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'docs/errors.md',
  ];
  assert.equal(
    needed.filter((path) => !files.includes(path)),
    [],
  );
});

test('holds no tests, no benchmarks, no build products and nothing of CI', ({ files }) => {
  const unwanted = /^(test|bench|build|src|\.ci|coverage)\/|^native\/(test|fuzz|bench)\/|\.test\.|\.log$/;
  assert.equal(
    files.filter((path) => unwanted.test(path)),
    [],
  );
});

test('dist/ holds nothing that src/ no longer has', ({ files }) => {
  const orphans = files
    .filter((path) => /^dist\/.*\.js$/.test(path))
    .filter((path) => !existsSync(join(root, path.replace(/^dist/, 'src').replace(/\.js$/, '.ts'))));
  assert.equal(orphans, []);
});

test('works with install scripts off: import, require, and the pure TypeScript messenger', ({ folder }) => {
  const program = `
    const { ErrorCode, MsgrError } = await import('msgr2');
    if (new MsgrError(ErrorCode.Closed, 'x').code !== 'ERR_MSGR_CLOSED') throw new Error('wrong code');
    const { createRequire } = await import('node:module');
    const required = createRequire(process.cwd() + '/x.js')('msgr2');
    if (required.MsgrError !== MsgrError) throw new Error('two copies');
    console.log('works');`;
  const node = (env: Record<string, string>) =>
    run(folder, process.execPath, ['--input-type=module', '-e', program], env).trim();
  assert.is(node({}), 'works');
  assert.is(node({ MSGR2_NATIVE: 'off' }), 'works');
});

test('brings a command', ({ folder }) => {
  assert.match(
    run(folder, join(folder, 'node_modules/.bin/msgr2'), ['--help']),
    /ping[\s\S]*bench|bench[\s\S]*ping/,
  );
});

test('its types hold in a strict project', ({ folder }) => {
  writeFileSync(
    join(folder, 'consumer.ts'),
    `import { ErrorCode, MsgrError } from 'msgr2';\nexport const error: MsgrError = new MsgrError(ErrorCode.Closed, 'x');\n`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const roots = ['--typeRoots', join(root, 'node_modules/@types'), '--lib', 'es2023,esnext.disposable'];
  run(folder, join(root, 'node_modules/.bin/tsc'), [...options, ...roots, 'consumer.ts']);
});

const tools = ['python3', 'make', 'c++'].filter((tool) => spawnSync(tool, ['--version']).error);
if (tools.length > 0) {
  console.log(`SKIPPED a consumer builds the native core: ${tools.join(', ')} not installed`);
} else {
  test('with install scripts on, a consumer without cmake-js builds the native core from it', ({
    folder,
  }) => {
    const printed = run(folder, 'npm', ['rebuild', 'msgr2', '--foreground-scripts'], { MSGR2_NATIVE: '' });
    assert.match(printed, /^msgr2: native core built with node-gyp in [\d.]+ s$/m);
    assert.ok(existsSync(join(folder, 'node_modules/msgr2/build/Release/msgr2.node')));
  });
}

test.run();
