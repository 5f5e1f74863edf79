/** What a test asks about other processes. Linux only. */

import { readFileSync } from 'node:fs';

/** False too for a zombie: dead, only not yet collected by its parent. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
