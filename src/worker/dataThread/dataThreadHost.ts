import { Worker } from 'node:worker_threads';
import { DataError } from '../../data/dataError';
import type { RunDescription } from '../../runs/format';
import type { LoadedExperiment } from '../createRun';
import { LaunchError } from '../runFailure';
import type { DataThreadAnswer, DataThreadTask } from './dataThreadProtocol';

/** `inspectData` in a thread of its own. Throws DataError as that does; an aborted signal ends the thread. */
export async function inspectDataInThread(
  entryPath: string,
  { configFile, experiment }: LoadedExperiment,
  signal?: AbortSignal,
): Promise<RunDescription['data']> {
  signal?.throwIfAborted();
  const task: DataThreadTask = { configFile, experiment };
  const thread = new Worker(entryPath, { workerData: task, name: 'data' });
  try {
    const answer = await new Promise<DataThreadAnswer>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new LaunchError(`Reading the text ended with code ${code}.`, 'Start the run again.')));
      signal?.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('Cancelled.')), {
        once: true,
      });
    });
    if ('data' in answer) return answer.data;
    const { message, advice, configPath } = answer.error;
    throw configPath === null ? new LaunchError(message, advice) : new DataError(message, advice, configPath);
  } finally {
    await thread.terminate();
  }
}
