import type { RunnableExperiment } from '../config/schema';
import { buildLanguageModel } from '../models/languageModel';
import { keepGpus, type KnownGpu } from '../runs/machineFile';
import { RunStorageError } from '../runs/storageError';
import { largestGpu, memoryAdvice, memoryRooms, neededText } from './memoryRooms';
import { runNeeds } from './runNeeds';

export interface HeedOptions {
  readonly runsDirectory: string;
  readonly onWarning?: (message: string) => void;
}

/**
 * Keeps what a probe has found of GPUs beside the runs, where the editor reads it, and warns where a training needs more than the largest
 * of them has. Never refuses: what is estimated may be less in truth, and some drivers lend memory of the machine. `gpus`: undefined where
 * nobody asked.
 */
export function heedGpus(
  experiment: RunnableExperiment,
  gpus: readonly KnownGpu[] | undefined,
  { runsDirectory, onWarning }: HeedOptions,
): void {
  if (gpus === undefined) return;
  const warn = onWarning ?? (() => undefined);
  const device = largestGpu(gpus);
  if (device !== undefined) {
    const { memory } = runNeeds(experiment, buildLanguageModel(experiment), 0);
    // Of the machine's memory preflight has spoken.
    const room = memoryRooms(memory, { host: device.shared ? device.bytes : Infinity, device }).find(({ side }) => side !== 'host');
    if (room !== undefined && room.needed > room.has)
      warn(`This run needs ${neededText(room, memory.parts)}; ${room.text}: it may fail. ${memoryAdvice(memory.parts, room.side)}`);
  }
  try {
    keepGpus(runsDirectory, gpus);
  } catch (error) {
    // A figure for the editor is no reason for a run to fail.
    if (!(error instanceof RunStorageError)) throw error;
  }
}
