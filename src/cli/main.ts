#!/usr/bin/env node
import { dispatch } from './dispatch';

const interrupted = new AbortController();
process.on('SIGINT', () => {
  // The first Ctrl-C asks the command to finish what it has begun, the second ends it.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
});
process.on('SIGTERM', () => interrupted.abort());

// A reader such as `head` that has seen enough closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void dispatch(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  signal: interrupted.signal,
}).then((code) => {
  process.exitCode = code;
});
