#!/usr/bin/env node
import { dispatch } from './dispatch';

const interrupted = new AbortController();
process.on('SIGINT', () => {
  // The first Ctrl-C asks the command to finish what it has begun, the second ends it.
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
});
// SIGHUP: the terminal has closed. A run that trains in it keeps what it has learnt.
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

// A reader such as `head` that has seen enough closes the pipe, and a terminal that has closed takes no more: neither is a failure, but a
// run in the foreground stops as with Ctrl-C, with its checkpoint.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    interrupted.abort();
  });
}

void dispatch(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  signal: interrupted.signal,
}).then((code) => {
  process.exitCode = code;
});
