import { parentPort, workerData } from 'node:worker_threads';
import { experimentOverlap } from '../../data/experimentOverlap';
import type { OverlapThreadAnswer, OverlapThreadTask } from './overlapThreadProtocol';

/** Looks for validation text in training text in a thread of its own, so that the extension host is never held up by a large corpus. */
async function answer(task: OverlapThreadTask): Promise<OverlapThreadAnswer> {
  try {
    return { overlaps: await experimentOverlap(task) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

void answer(workerData as OverlapThreadTask).then((result) => parentPort?.postMessage(result));
