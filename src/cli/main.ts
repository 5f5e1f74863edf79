#!/usr/bin/env node
import { run } from './program.ts';
import { showWarnings } from './warnings.ts';

// A reader that has seen enough (`msgr2 ping … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

showWarnings((line) => process.stderr.write(line));

process.exitCode = await run(process.argv);
