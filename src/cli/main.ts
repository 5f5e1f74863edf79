#!/usr/bin/env node
import { run } from './program.ts';

// A reader that has seen enough (`msgr2 ping … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// One line each, without the advice that Node gives to programmers.
process.removeAllListeners('warning');
process.on('warning', ({ message }) => {
  process.stderr.write(`msgr2: warning: ${message}\n`);
});

process.exitCode = await run(process.argv);
