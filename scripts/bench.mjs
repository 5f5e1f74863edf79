/**
 * `npm run bench`: compiles the bench and the sources into a folder of this run's own, a second, and runs it there
 * (bench/run.ts says what it does). Whoever installs msgr2 runs what was compiled, so that is what is measured, and
 * the peers written in TypeScript with it: a loader in the process brings V8 into a state in which it collects its
 * whole heap for every few dozen MiB received (ARCHITECTURE.md, D44; msgr2 itself keeps out of it, D48).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** In it a folder for each run, named by its process. */
const all = join(root, 'build/compiled');
const folder = join(all, String(process.pid));

mkdirSync(all, { recursive: true });
// Runs that were killed left theirs behind.
for (const pid of readdirSync(all).filter(
  (name) => name === String(process.pid) || !existsSync(`/proc/${name}`),
)) {
  rmSync(join(all, pid), { recursive: true, force: true });
}
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const project = join(root, 'bench/tsconfig.compiled.json');
const { status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--outDir', folder], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
// What stands beside the sources: the version, the core, the peers' own packages.
for (const path of ['package.json', 'build', 'bench/peers/node_modules']) {
  symlinkSync(join(root, path), join(folder, path));
}
await import(pathToFileURL(join(folder, 'bench/run.js')).href);
