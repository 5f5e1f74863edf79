/** How many files and sockets a process of this run may open. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Node raises its soft limit to the hard one when it starts; where that is too low and this is root, it is raised
 * for this process, and so for the children to come.
 */
export function raiseDescriptorsLimit(wanted: number): number {
  if (descriptorsLimit() >= wanted) return descriptorsLimit();
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], {
      stdio: 'ignore',
    });
  } catch {
    // Not allowed, or no prlimit: the limit is what it is, and the caller says so.
  }
  return descriptorsLimit();
}

export function descriptorsLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 0);
  } catch {
    return 0;
  }
}
