import type { StateTensor } from '../engine/engine';
import type { StateSizes } from '../engine/stateLayout';
import type { Program } from '../graph/program';
import type { EventLine, ExpertFrame, MetricsLine, RunDescription, SketchFrame } from '../runs/format';
import { runFiles } from '../runs/runFiles';
import type { RunWriter } from '../runs/runWriter';
import { writeCheckpoint } from '../training/checkpoint/checkpoint';
import type { TrainerState, TrainingObserver, TrainStepEvent, ValidationEvent } from '../training/trainingEvents';
import { IdleExpertsCount } from './idleExpertsCount';
import { trainingLine, validationLine } from './metricsLines';
import { RoutingSeries } from './routingSeries';

/** Sees what is recorded, as it is recorded. The command line's progress display is one. */
export interface RunListener {
  onMetrics?(line: MetricsLine): void;
  onExperts?(frame: ExpertFrame): void;
  onSketch?(frame: SketchFrame): void;
  onEvent?(event: EventLine): void;
}

export interface RecorderOptions {
  readonly writer: RunWriter;
  readonly program: Program;
  /** As run.json has them. */
  readonly routedLayers: RunDescription['routedLayers'];
  /** What the session was compiled for. */
  readonly sizes: StateSizes;
  /** Checkpoints kept. */
  readonly keep: number;
  readonly totalSteps: number;
  readonly listeners: readonly RunListener[];
  readonly clock: () => number;
}

/**
 * Turns what the training loop tells into the files of the run directory. Throws RunStorageError or CheckpointError, which ends the run.
 */
export class RunRecorder implements TrainingObserver {
  private readonly routing: RoutingSeries;
  private readonly idle: IdleExpertsCount;

  constructor(private readonly options: RecorderOptions) {
    const { writer, listeners, program, routedLayers, totalSteps } = options;
    this.idle = new IdleExpertsCount(routedLayers, totalSteps);
    this.routing = new RoutingSeries(program.retrievals, totalSteps, {
      experts: (frame) => {
        writer.experts(frame);
        this.idle.add(frame);
        for (const listener of listeners) listener.onExperts?.(frame);
      },
      sketch: (frame) => {
        writer.sketch(frame);
        for (const listener of listeners) listener.onSketch?.(frame);
      },
    });
  }

  /** The run goes on from the checkpoint of `step`, after its files were rewound. */
  async resume(step: number): Promise<void> {
    await this.idle.resume(this.options.writer.directory, step);
  }

  onStep(event: TrainStepEvent): void {
    this.routing.add(event.step, event);
    this.metrics(trainingLine(event, this.options.program.retrievals, this.idle.endingWith(event.step)));
  }

  onValidation(event: ValidationEvent): void {
    this.metrics(validationLine(event));
  }

  async onCheckpoint(state: TrainerState, tensors: AsyncIterable<StateTensor>): Promise<void> {
    const { writer, program, sizes, keep } = this.options;
    // A resume starts here: the frames must not reach over it, and no record before it may be lost.
    this.routing.checkpoint(state.step);
    writer.sync();
    await writeCheckpoint({ directory: runFiles.checkpoints(writer.directory), program, sizes, state, tensors, keep });
    this.event(state.step, 'checkpoint', `Checkpoint of step ${state.step}.`);
  }

  event(step: number, kind: EventLine['kind'], message: string): void {
    if (kind === 'finished' || kind === 'stopped') this.routing.end(step);
    const line = { time: new Date(this.options.clock()).toISOString(), step, kind, message };
    this.options.writer.event(line);
    for (const listener of this.options.listeners) listener.onEvent?.(line);
  }

  private metrics(line: MetricsLine): void {
    this.options.writer.metrics(line);
    for (const listener of this.options.listeners) listener.onMetrics?.(line);
  }
}
