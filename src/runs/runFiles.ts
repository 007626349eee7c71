import { join } from 'node:path';

/** Where the files of a run directory lie. */
export const runFiles = {
  description: (run: string) => join(run, 'run.json'),
  status: (run: string) => join(run, 'status.json'),
  metrics: (run: string) => join(run, 'metrics.jsonl'),
  experts: (run: string) => join(run, 'experts.bin'),
  sketches: (run: string) => join(run, 'sketches.bin'),
  events: (run: string) => join(run, 'events.jsonl'),
  checkpoints: (run: string) => join(run, 'checkpoints'),
  requests: (run: string) => join(run, 'requests'),
  sweep: (run: string) => join(run, 'sweep.json'),
  log: (run: string) => join(run, 'worker.log'),
} as const;
