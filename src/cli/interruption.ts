/**
 * One signal for everything that asks a command to finish what it has begun: Ctrl-C (a second one ends the process), SIGTERM, a terminal
 * that has closed (SIGHUP), and a reader such as `head` that has seen enough. A run in the foreground then stops with its checkpoint.
 */
export function interruption(onFirstInterrupt: () => void = () => undefined): AbortSignal {
  const interrupted = new AbortController();
  // Once: a second Ctrl-C meets no listener and ends the process as the system does, without running the runtime's exit handlers while it
  // works.
  process.once('SIGINT', () => {
    onFirstInterrupt();
    interrupted.abort();
  });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      interrupted.abort();
    });
  }
  return interrupted.signal;
}
