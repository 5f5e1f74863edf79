/** What the documents state about codes and commands is compared with what is there. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;

/** npm's own commands that documents may name; `npm test` and `npm start` are scripts all the same. */
const kNpmCommands = ['ci', 'install', 'pack', 'publish', 'version', 'exec', 'help'];

/** The scripts that a text's npm commands need: `npm run X` and `npm X`, in code as in prose. */
function scriptsNamedIn(text: string): string[] {
  const names = [...text.matchAll(/\bnpm (run )?([a-z][a-z:-]*)/g)]
    .filter(([, run, name]) => run !== undefined || !kNpmCommands.includes(name!))
    .map(([, , name]) => name!);
  return [...new Set(names)];
}

test('docs/errors.md lists exactly the codes of src/errors.ts, each with its meaning and its remedy', () => {
  const rows = read('docs/errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const [, code, meaning, remedy] of rows) {
    assert.ok(meaning && remedy, `${code} has an empty cell`);
  }
  const listed = rows.map(([, code]) => code!.replaceAll('`', ''));
  assert.equal([...listed].sort(), Object.values(ErrorCode).sort());
  assert.is(new Set(listed).size, listed.length, 'a code is listed twice');
});

test('every code is a constant of one form', () => {
  for (const code of Object.values(ErrorCode)) assert.match(code, /^ERR_MSGR_[A-Z]+(_[A-Z]+)*$/);
});

test('npm commands named in the documents exist', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md']
    .concat(readdirSync(join(root, 'docs'), { encoding: 'utf8' }).map((name) => `docs/${name}`))
    .filter((path) => path.endsWith('.md') && existsSync(join(root, path)));
  assert.ok(documents.length > 0);
  for (const path of documents) {
    const missing = scriptsNamedIn(read(path)).filter((name) => !(name in scripts));
    assert.equal(missing, [], `${path} names npm scripts that package.json does not have`);
  }
});

test('the search for commands finds them (a canary)', () => {
  assert.equal(scriptsNamedIn('`npm ci && npm start`, then npm run no:such -- --json; npm install msgr2'), [
    'start',
    'no:such',
  ]);
});

test('scripts run files that exist', () => {
  for (const [name, command] of Object.entries(scripts)) {
    for (const [path] of command.matchAll(/\b(scripts|bench)\/[\w./-]+/g)) {
      assert.ok(existsSync(join(root, path)), `npm run ${name}: ${path} is not there`);
    }
  }
});

test('no script is the hook of another by accident of its name', () => {
  // npm runs `preX` and `postX` around `X`; these are the ones npm knows by themselves.
  const known = ['prepare', 'prepublishOnly', 'prepack', 'postpack'];
  const hooks = Object.keys(scripts)
    .filter((name) => !known.includes(name))
    .filter((name) => /^(pre|post)/.test(name) && name.replace(/^(pre|post)/, '') in scripts);
  assert.equal(hooks, []);
});

test('the lock file names the packages of every platform, not only of the one it was written on', () => {
  // npm leaves out what the registry at hand does not carry; `npm ci` then refuses the file everywhere.
  interface Entry {
    optionalDependencies?: Record<string, string>;
  }
  const entries: Record<string, Entry> = JSON.parse(read('package-lock.json')).packages;
  const missing = Object.entries(entries).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in entries) && !(`${path}/node_modules/${name}` in entries),
    ),
  );
  assert.equal(missing, []);
});

test.run();
