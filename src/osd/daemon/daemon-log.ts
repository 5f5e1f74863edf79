/**
 * The daemon's log, in the form of Ceph's, so that what reads those logs reads this one:
 *
 *      2026-11-27T22:08:16.123+0000 main -1 osd.3 17 heartbeat_check: no reply from …
 *      when                         thread level     epoch
 *
 * Lines above the level of `debug_osd` are left out. Secrets never come here.
 */
import { appendFileSync } from 'node:fs';

export interface DaemonLogInit {
  readonly whoami: number;
  /** `debug_osd`: lines up to this level are written. */
  readonly level: number;
  /** Undefined: standard error alone. */
  readonly file?: string | undefined;
  readonly isOnStderr: boolean;
  epoch(): number;
}

export class DaemonLog {
  readonly #init: DaemonLogInit;
  #isFileLost = false;

  constructor(init: DaemonLogInit) {
    this.#init = init;
  }

  /** `level` as in Ceph: -1 for errors, 0 and 1 for what happens seldom, more for details. */
  write(level: number, text: string): void {
    const { epoch, file, isOnStderr, whoami } = this.#init;
    if (level > this.#init.level) return;
    const stamp = new Date().toISOString().replace('Z', '+0000');
    const line = `${stamp} main ${String(level).padStart(2)} osd.${whoami} ${epoch()} ${text}\n`;
    if (isOnStderr) process.stderr.write(line);
    if (file === undefined || this.#isFileLost) return;
    try {
      appendFileSync(file, line, { mode: 0o640 });
    } catch (error) {
      this.#isFileLost = true;
      process.stderr.write(`${line}the log ${file} cannot be written: ${(error as Error).message}\n`);
    }
  }
}
