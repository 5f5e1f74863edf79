/**
 * `--congestion-control NAME`: the whole run, every peer and every child, in a network namespace of its own, whose
 * default congestion control can be chosen without touching the machine's.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CliError } from '../src/cli/cli-error.ts';

/** Set in the run that is inside. */
const insideVariable = 'MSGR2_BENCH_NAMESPACE';
const available = '/proc/sys/net/ipv4/tcp_available_congestion_control';

/** Whether this user may make a network namespace. */
export function canMakeNamespace(): boolean {
  return spawnSync('unshare', ['--net', 'true']).status === 0;
}

/** Runs this very command again, inside; false when this already is the run inside. */
export function runInNamespace(congestionControl: string): boolean {
  if (process.env[insideVariable] !== undefined) return false;
  const names = readFileSync(available, 'utf8').trim().split(' ');
  if (!names.includes(congestionControl)) {
    throw new CliError(
      `this kernel has no congestion control ${congestionControl}, but ${names.join(', ')}`,
      {
        exitCode: 2,
      },
    );
  }
  const script =
    'ip link set lo up && echo "$1" > /proc/sys/net/ipv4/tcp_congestion_control && shift && exec "$@"';
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status, error } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', script, 'sh', congestionControl, ...command],
    { stdio: 'inherit', env: { ...process.env, [insideVariable]: '1' } },
  );
  if (error !== undefined) throw new CliError(`no network namespace: ${error.message}`);
  process.exitCode = status ?? 1;
  return true;
}
