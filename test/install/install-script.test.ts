/**
 * `npm install` takes the first way to a native core that works and never fails for want of one. Run on a
 * stand-in core of three lines, so that each way takes a second and not a minute.
 *
 * @timeLimitSeconds 300
 */

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../..', import.meta.url));

const kAddon = `#include <node_api.h>
NAPI_MODULE_INIT() { return exports; }
`;
const kCmake = `cmake_minimum_required(VERSION 3.20)
project(msgr2 LANGUAGES CXX)
file(STRINGS sources.txt sources)
add_library(msgr2 SHARED \${sources})
set_target_properties(msgr2 PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(msgr2 PRIVATE \${CMAKE_JS_INC})
`;
const kGyp = `{ "targets": [{ "target_name": "msgr2", "sources": ["native/addon.cc"] }] }\n`;

interface Outcome {
  status: number | null;
  /** The lines printed; each test expects exactly one. */
  lines: string[];
}

/** A project with the real install script and the stand-in core, in a temporary folder. */
class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'msgr2-install-'));

  constructor() {
    for (const name of ['native', 'scripts']) mkdirSync(join(this.folder, name));
    for (const path of ['package.json', 'native/package.json', 'scripts/install.cjs']) {
      copyFileSync(join(root, path), join(this.folder, path));
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    this.write('native/addon.cc', kAddon);
    this.write('native/sources.txt', 'addon.cc\n');
    this.write('native/CMakeLists.txt', kCmake);
    this.write('binding.gyp', kGyp);
  }

  write(path: string, content: string | Buffer): void {
    writeFileSync(join(this.folder, path), content);
  }

  install(env: Record<string, string> = {}): Outcome {
    const { MSGR2_NATIVE, MSGR2_BUILD, ...inherited } = process.env;
    const result = spawnSync(process.execPath, [join(this.folder, 'scripts', 'install.cjs')], {
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...inherited, ...env },
    });
    assert.is(result.stderr, '');
    return { status: result.status, lines: result.stdout.split('\n').filter((line) => line !== '') };
  }

  log(): string {
    return readFileSync(join(this.folder, 'build', 'install.log'), 'utf8');
  }

  /** Where the script and the loader look for a prebuilt core on this machine. */
  prebuiltPath(): string {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    const libc = header.glibcVersionRuntime ? 'glibc' : 'musl';
    return `prebuilds/${process.platform}-${process.arch}-${libc}`;
  }
}

const test = suite<{ project: Project }>();

test.before.each((context) => {
  context.project = new Project();
});

test.after.each((context) => {
  rmSync(context.project.folder, { recursive: true, force: true });
});

test('with cmake: cmake-js', ({ project }) => {
  const { status, lines } = project.install();
  assert.is(status, 0);
  assert.is(lines.length, 1);
  assert.match(lines[0]!, /^msgr2: native core built with cmake-js in [\d.]+ s$/);
  assert.ok(existsSync(join(project.folder, 'build/cmake/Release/msgr2.node')));
});

test('node-gyp, and it leaves what cmake-js built in place', ({ project }) => {
  project.install({ MSGR2_BUILD: 'cmake' });
  const { status, lines } = project.install({ MSGR2_BUILD: 'gyp' });
  assert.is(status, 0);
  assert.match(lines.join('\n'), /^msgr2: native core built with node-gyp in [\d.]+ s$/);
  assert.ok(existsSync(join(project.folder, 'build/Release/msgr2.node')));
  assert.ok(existsSync(join(project.folder, 'build/cmake/Release/msgr2.node')));
});

test('cmake that fails: node-gyp', ({ project }) => {
  project.write('native/CMakeLists.txt', 'message(FATAL_ERROR "no")\n');
  const { status, lines } = project.install();
  assert.is(status, 0);
  assert.match(lines.join('\n'), /^msgr2: native core built with node-gyp/);
});

test('no tool at all: pure TypeScript, and each reason is named', ({ project }) => {
  const { status, lines } = project.install({ PATH: '/nonexistent' });
  assert.is(status, 0);
  assert.is(lines.length, 1);
  assert.match(lines[0]!, /^msgr2: no native core \(.*\): the pure TypeScript messenger is used$/);
  assert.match(lines[0]!, /prebuilt: none for /);
  assert.match(lines[0]!, /cmake-js: cmake is not on PATH/);
  assert.match(lines[0]!, /node-gyp: failed, see build\/install\.log/);
});

test('sources that do not compile: pure TypeScript, the compiler speaks in the log', ({ project }) => {
  project.write('native/addon.cc', '#error this is no core\n');
  const { status, lines } = project.install();
  assert.is(status, 0);
  assert.match(lines.join('\n'), /^msgr2: no native core .* pure TypeScript messenger is used$/);
  assert.match(project.log(), /this is no core/);
});

test('a core that builds and does not load counts for nothing', ({ project }) => {
  project.write(
    'native/addon.cc',
    `extern "C" void nowhere();\n${kAddon.replace('return', 'nowhere(); return')}`,
  );
  const { status, lines } = project.install({ MSGR2_BUILD: 'cmake' });
  assert.is(status, 0);
  assert.match(lines.join('\n'), /cmake-js: does not load: .*nowhere/);
});

test('MSGR2_NATIVE=force: then, and only then, it fails', ({ project }) => {
  project.write('native/addon.cc', '#error this is no core\n');
  assert.is(project.install({ MSGR2_NATIVE: 'force' }).status, 1);
});

test('MSGR2_NATIVE=off: builds nothing', ({ project }) => {
  const { status, lines } = project.install({ MSGR2_NATIVE: 'off' });
  assert.is(status, 0);
  assert.match(lines.join('\n'), /^msgr2: native core not built, as MSGR2_NATIVE=off asks/);
  assert.not.ok(existsSync(join(project.folder, 'build')));
});

test('a prebuilt core that loads is taken; one that does not is passed over', ({ project }) => {
  project.install({ MSGR2_BUILD: 'cmake' });
  const core = readFileSync(join(project.folder, 'build/cmake/Release/msgr2.node'));
  const folder = project.prebuiltPath();
  mkdirSync(join(project.folder, folder), { recursive: true });

  project.write(`${folder}/msgr2.node`, core);
  const taken = project.install({ PATH: '/nonexistent' });
  assert.is(taken.status, 0);
  assert.is(taken.lines.join('\n'), `msgr2: prebuilt native core for ${folder.slice('prebuilds/'.length)}`);

  // The machine field of the ELF header: a core for another kind of CPU.
  core.writeUInt16LE(0x2a, 18);
  project.write(`${folder}/msgr2.node`, core);
  const passedOver = project.install();
  assert.is(passedOver.status, 0);
  assert.match(passedOver.lines.join('\n'), /^msgr2: native core built with cmake-js/);
});

test('a package without sources: pure TypeScript', ({ project }) => {
  rmSync(join(project.folder, 'native'), { recursive: true });
  const { status, lines } = project.install();
  assert.is(status, 0);
  assert.match(lines.join('\n'), /build: no sources here/);
});

test('without cmake-js, as in a consumer: node-gyp', ({ project }) => {
  rmSync(join(project.folder, 'node_modules'));
  const { status, lines } = project.install();
  assert.is(status, 0);
  assert.match(lines.join('\n'), /^msgr2: native core built with node-gyp/);
});

test.run();
