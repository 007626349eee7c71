import { Worker } from 'node:worker_threads';
import type { ExperimentText } from '../../data/experimentOverlap';
import type { TextOverlap } from '../../data/textOverlap';
import type { OverlapThreadAnswer } from './overlapThreadProtocol';

/** `experimentOverlap` in a thread of its own; an aborted signal ends the thread and throws its reason. */
export async function experimentOverlapInThread(
  entryPath: string,
  { data: { train, validation }, folder }: ExperimentText,
  signal?: AbortSignal,
): Promise<readonly TextOverlap[]> {
  signal?.throwIfAborted();
  const task: ExperimentText = { data: { train, validation }, folder };
  const thread = new Worker(entryPath, { workerData: task, name: 'overlap' });
  try {
    const answer = await new Promise<OverlapThreadAnswer>((resolve, reject) => {
      thread.once('message', resolve);
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new Error(`Comparing validation with training text ended with code ${code}.`)));
      signal?.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('Cancelled.')), {
        once: true,
      });
    });
    if ('overlaps' in answer) return answer.overlaps;
    throw new Error(answer.error);
  } finally {
    await thread.terminate();
  }
}
