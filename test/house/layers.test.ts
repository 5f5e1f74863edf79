/**
 * The arrows of the house point downwards only. Each folder of src/ may import from the ones named here and
 * from itself; type-only imports count, because a type is knowledge too.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** `base` stands for the files directly in src/ (errors, options, limits), index.ts excepted. */
const kMayImport: Record<string, readonly string[]> = {
  base: [],
  wire: ['base'],
  maps: ['base', 'wire'],
  config: ['base', 'wire'],
  auth: ['base', 'wire'],
  protocol: ['base', 'wire', 'auth'],
  transport: ['base', 'wire', 'auth', 'protocol'],
  messenger: ['base', 'wire', 'auth', 'protocol', 'transport'],
  mon: ['base', 'wire', 'auth', 'protocol', 'transport', 'messenger', 'maps', 'config'],
  osd: ['base', 'wire', 'auth', 'protocol', 'transport', 'messenger', 'maps', 'config', 'mon'],
  cli: [
    'base',
    'wire',
    'auth',
    'protocol',
    'transport',
    'messenger',
    'maps',
    'config',
    'mon',
    'osd',
    'index',
  ],
  index: ['base', 'wire', 'auth', 'protocol', 'transport', 'messenger', 'maps', 'config', 'mon', 'osd'],
};

interface Arrow {
  file: string;
  from: string;
  to: string;
  specifier: string;
}

function layerOf(file: string): string {
  const [first, ...rest] = relative(source, file).split('/');
  if (rest.length > 0) return first!;
  if (first === 'index.ts') return 'index';
  // The border to C++ is the transport's: it speaks of sockets and their options.
  return first === 'native.ts' ? 'transport' : 'base';
}

/** Every relative import of one file: static, re-export, dynamic and side-effect ones. */
function arrowsOf(file: string, text: string): Arrow[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)['"](\.{1,2}\/[^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map(([, specifier]) => ({
    file: relative(source, file),
    from: layerOf(file),
    to: layerOf(join(dirname(file), specifier!)),
    specifier: specifier!,
  }));
}

function isUpward({ from, to }: Arrow): boolean {
  return from !== to && !kMayImport[from]?.includes(to);
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(source, name));

test('every folder of src/ has its place', () => {
  const layers = new Set(files.map(layerOf));
  assert.equal(
    [...layers].filter((layer) => !(layer in kMayImport)),
    [],
  );
  assert.ok(layers.size >= 5, 'the list of files looks wrong');
});

test('imports point downwards only', () => {
  const arrows = files.flatMap((file) => arrowsOf(file, readFileSync(file, 'utf8')));
  assert.ok(arrows.length > 50, 'the imports are not found');
  const upward = arrows.filter(isUpward).map(({ file, specifier }) => `${file} imports ${specifier}`);
  assert.equal(upward, []);
});

test('the rule sees every kind of import (a canary)', () => {
  const file = join(source, 'wire', 'canary.ts');
  const forms = [
    `import { Messenger } from '../messenger/messenger.ts';`,
    `import type { Messenger } from '../messenger/messenger.ts';`,
    `export * from '../messenger/messenger.ts';`,
    `import '../messenger/messenger.ts';`,
    `const m = await import('../messenger/messenger.ts');`,
    `import {\n  Messenger,\n} from '../messenger/messenger.ts';`,
  ];
  for (const form of forms) assert.is(arrowsOf(file, form).filter(isUpward).length, 1, form);
  assert.is(arrowsOf(file, `import { MsgrError } from '../errors.ts';`).filter(isUpward).length, 0);
});

test('imports name TypeScript files, so that the build can rewrite them', () => {
  const wrong = files
    .flatMap((file) => arrowsOf(file, readFileSync(file, 'utf8')))
    .filter(({ specifier }) => !specifier.endsWith('.ts'));
  assert.equal(wrong, []);
});

test('only src/native.ts loads the native core', () => {
  const loaders = files.filter((file) =>
    /\bcreateRequire\b|process\.dlopen|\.node['"`]/.test(readFileSync(file, 'utf8')),
  );
  assert.equal(
    loaders.map((file) => relative(source, file)).filter((name) => name !== 'native.ts'),
    [],
  );
});

test.run();
