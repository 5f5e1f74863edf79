/** Warnings of the process on a command line: one line each, without the advice that Node gives to programmers. */

/** Codes of warnings that somebody has taken note of. */
const noted = new Set<string>();

export function showWarnings(write: (line: string) => void): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { code?: string }) => {
    if (warning.code === undefined || !noted.has(warning.code)) write(`msgr2: warning: ${warning.message}\n`);
  });
}

export function silenceWarning(code: string): void {
  noted.add(code);
}
