import { join } from 'node:path';
import { createThreadedEngine } from '../engine/threaded/threadHost';
import { readDescription } from '../runs/readRun';
import { handOn } from './sweepTurns';
import { trainRun } from './trainRun';

/**
 * The worker process: `node worker.js RUN [NODE]` trains the run in that directory, then starts what waits behind it in a sweep, with NODE
 * if it can (the setting moeLab.nodePath). Its output goes to the run's worker.log. It loads all of its files at once, since an update of
 * the extension removes their folder under it.
 */
async function main(): Promise<void> {
  const [run, nodePath = ''] = process.argv.slice(2);
  if (run === undefined) throw new Error('usage: worker.js RUN [NODE]');
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  // The terminal or the window it was started from has closed: that is what it is detached for.
  process.on('SIGHUP', () => log('SIGHUP ignored'));

  const description = await readDescription(run);
  const device = description?.engine.device === 'webgpu' ? 'webgpu' : 'cpu';
  const engine = createThreadedEngine(join(__dirname, 'engineThread.js'), device);
  log(`worker ${process.pid} on Node ${process.versions.node}, ${device}`);
  const asked = new AbortController();
  const status = await trainRun({ run, engine, signal: stop.signal, onStopRequested: () => asked.abort(), log });
  log(`${status.state} at step ${status.step}`);
  // Asked to end, by a user or as the machine shuts down, perhaps at its last step: what waits is for whoever resumes the run.
  if (!asked.signal.aborted) await handOn(run, status, { bundleFolder: __dirname, nodePath, signal: stop.signal, log });
  process.exit(status.state === 'failed' ? 1 : 0);
}

function log(message: string): void {
  console.log(`${new Date().toISOString()} ${message}`);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
