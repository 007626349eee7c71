import { parentPort, workerData } from 'node:worker_threads';
import { DataError } from '../../data/dataError';
import { inspectData } from '../inspectData';
import type { DataThreadAnswer, DataThreadTask } from './dataThreadProtocol';

/** Reads and hashes an experiment's text in a thread of its own, so that the extension host is never held up by a large corpus. */
async function answer(task: DataThreadTask): Promise<DataThreadAnswer> {
  try {
    return { data: await inspectData(task) };
  } catch (error) {
    if (error instanceof DataError) return { error: { message: error.message, advice: error.advice, configPath: error.configPath } };
    return { error: { message: error instanceof Error ? error.message : String(error), advice: '', configPath: null } };
  }
}

void answer(workerData as DataThreadTask).then((result) => parentPort?.postMessage(result));
