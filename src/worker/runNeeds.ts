import type { Experiment, RunnableExperiment } from '../config/schema';
import { DataError } from '../data/dataError';
import type { ProgramOutline } from '../models/outline';
import { expertFrameBytes } from '../runs/expertFrames';
import { sketchFrameBytes } from '../runs/sketchFrames';
import { checkpointDisk, memoryNeeded, type MemoryEstimate } from '../training/resources';
import { framesOf } from './routingSeries';

/** What a run takes of the machine at most, in bytes. */
export interface RunNeeds {
  readonly memory: MemoryEstimate;
  readonly disk: {
    /** Those that are kept, and one more while it is written. */
    readonly checkpoints: number;
    /** metrics.jsonl, experts.bin and sketches.bin at its end. */
    readonly series: number;
    readonly total: number;
  };
}

/** What training a config would take, but for its text; null for one that only counts, or whose batch cannot be cut into microbatches. */
export function trainingNeeds(
  { train, data = { train: [], validation: {}, tokenizer: 'bytes' }, ...rest }: Experiment,
  program: ProgramOutline,
): RunNeeds | null {
  if (train === undefined) return null;
  try {
    return runNeeds({ ...rest, train, data }, program, 0);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}

/** A line of metrics.jsonl has about so many bytes, and so many more for each validation set. */
const metricsBytes = { step: 330, validationSet: 140 } as const;

/** `textBytes`: of training and validation, which are held whole. */
export function runNeeds(experiment: RunnableExperiment, program: ProgramOutline, textBytes: number): RunNeeds {
  let disk: RunNeeds['disk'] | undefined;
  return {
    memory: memoryNeeded(experiment, program, experiment.engine.device, textBytes),
    // Only when it is asked for: it lays out the header of a checkpoint, which takes longer than all else an editor shows about a config.
    get disk() {
      return (disk ??= diskNeeded(experiment, program));
    },
  };
}

function diskNeeded(experiment: RunnableExperiment, program: ProgramOutline): RunNeeds['disk'] {
  const checkpoints = checkpointDisk(experiment, program);
  const series = seriesBytes(experiment, program);
  return { checkpoints, series, total: checkpoints + series };
}

function seriesBytes({ train, data, evaluate }: RunnableExperiment, { routedLayers, retrievals }: ProgramOutline): number {
  const { steps } = train;
  const validations = Math.ceil(steps / evaluate.every) + 1;
  const sets = Object.keys(data.validation).length;
  const { expert, sketch } = framesOf(steps);
  const widest = (layers: readonly { readonly experts: number }[]) => Math.max(0, ...layers.map(({ experts }) => experts));
  return (
    steps * metricsBytes.step +
    validations * sets * metricsBytes.validationSet +
    expert * routedLayers.length * expertFrameBytes(widest(routedLayers)) +
    sketch * retrievals.length * sketchFrameBytes(widest(retrievals))
  );
}
