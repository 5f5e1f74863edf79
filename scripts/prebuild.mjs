/**
 * `npm run prebuilds`: makes the native core that goes into the published package, for this machine's
 * platform: prebuilds/<platform>-<arch>-<libc>/msgr2.node.
 *
 * It carries its own C++ runtime and needs nothing but libc, and is stripped. A core built here asks for this
 * machine's libc or a newer one: make the one to publish on the oldest system it shall run on.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const buildFolder = join(root, 'build', 'prebuild');

process.report.excludeNetwork = true;
const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
const platform = `${process.platform}-${process.arch}-${libc}`;
const target = join(root, 'prebuilds', platform, 'msgr2.node');

const linkerFlags = '-static-libstdc++ -static-libgcc -s';
const options = ['-d', 'native', '-O', buildFolder, `--CDCMAKE_SHARED_LINKER_FLAGS=${linkerFlags}`];
execFileSync(process.execPath, [cmakeJs, 'build', ...options], { cwd: root, stdio: 'inherit' });

mkdirSync(join(root, 'prebuilds', platform), { recursive: true });
copyFileSync(join(buildFolder, 'Release', 'msgr2.node'), target);
// In a child: a core that crashes while it loads must fail here, not at a user's.
execFileSync(process.execPath, ['-e', 'require(process.argv[1])', target], { stdio: 'inherit' });

const needed =
  execFileSync('objdump', ['-p', target], { encoding: 'utf8' }).match(/(?<=NEEDED\s+)\S+/g) ?? [];
const foreign = needed.filter(
  (name) => !/^(libc|libm|libpthread|libdl|ld-linux.*|libc\.musl.*)\.so/.test(name),
);
if (foreign.length > 0) throw new Error(`the prebuilt core needs ${foreign.join(', ')}`);
console.log(`${target}: ${(statSync(target).size / 1024).toFixed(0)} KiB, needs ${needed.join(', ')}`);
