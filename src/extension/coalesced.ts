/**
 * A job that is never under way twice: what asks for it while it runs gets it done once more afterwards, once for all who asked. So what it
 * finds last is never older than the last request, and a hundred files that change at once cost two searches.
 */
export function coalesced(job: () => Promise<void>): () => Promise<void> {
  let asked = false;
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      while (asked) {
        asked = false;
        await job();
      }
    } finally {
      running = undefined;
    }
  };
  return () => {
    asked = true;
    running ??= run();
    return running;
  };
}
