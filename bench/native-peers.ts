/** The peers written in C++ (bench/peers/native): built when the bench starts, and found by name. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessPair } from '../src/cli/bench/process-pair.ts';
import { checkoutFolder } from './checkout.ts';
import { ProgramEnd } from './program-end.ts';

const sourceFolder = join(checkoutFolder, 'bench/peers/native');
const buildFolder = join(checkoutFolder, 'build/bench-peers');
const buildLimitMs = 300_000;

export const NativePeer = {
  Answer: 'answer_peer',
  Stream: 'stream_peer',
  Tcp: 'tcp_peer',
  Zmq: 'zmq_peer',
} as const;
export type NativePeer = (typeof NativePeer)[keyof typeof NativePeer];

const needs: Readonly<Record<NativePeer, string>> = {
  [NativePeer.Answer]: 'cmake and a C++20 compiler',
  [NativePeer.Stream]: 'cmake and a C++20 compiler',
  [NativePeer.Tcp]: 'cmake and a C++ compiler',
  [NativePeer.Zmq]: 'cmake, a C++ compiler and libzmq3-dev',
};

/** Builds what can be built; a second or less when nothing has changed. Answers what failed. */
export function buildNativePeers(): string | undefined {
  for (const args of [
    ['-S', sourceFolder, '-B', buildFolder],
    ['--build', buildFolder],
  ]) {
    const { status, error, stdout, stderr } = spawnSync('cmake', args, {
      encoding: 'utf8',
      timeout: buildLimitMs,
    });
    if (error !== undefined) return error.message;
    if (status !== 0) return `cmake ${args.join(' ')}: ${(stderr || stdout).trim().split('\n').at(-1)}`;
  }
  return undefined;
}

export function pathOf(program: NativePeer): string {
  return `${buildFolder}/${program}`;
}

/** Why it cannot run; undefined when it can. */
export function missingProgram(program: NativePeer): string | undefined {
  return existsSync(pathOf(program)) ? undefined : `not built: it needs ${needs[program]}`;
}

export function startPrograms(program: NativePeer, way: string): Promise<ProcessPair> {
  const path = pathOf(program);
  return ProcessPair.over(new ProgramEnd('server', path, way), new ProgramEnd('client', path, way));
}

/** As the compiler names itself, for the report. */
export function compilerVersion(): string | undefined {
  try {
    return execFileSync('c++', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  } catch {
    return undefined;
  }
}
