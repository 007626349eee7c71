import type { StateTensor } from '../../src/engine/engine';
import type { TrainerState, TrainingControl, TrainingObserver, TrainStepEvent, ValidationEvent } from '../../src/training/trainingEvents';

/** Keeps everything a training tells, checkpoints in memory included. */
export class Recorder implements TrainingObserver {
  readonly steps: TrainStepEvent[] = [];
  readonly validations: ValidationEvent[] = [];
  readonly checkpoints: { state: TrainerState; tensors: StateTensor[] }[] = [];

  onStep(event: TrainStepEvent): void {
    this.steps.push(event);
  }

  onValidation(event: ValidationEvent): void {
    this.validations.push(event);
  }

  async onCheckpoint(state: TrainerState, tensors: AsyncIterable<StateTensor>): Promise<void> {
    const kept: StateTensor[] = [];
    for await (const tensor of tensors) kept.push(tensor);
    this.checkpoints.push({ state, tensors: kept });
  }

  get losses(): number[] {
    return this.steps.map(({ loss }) => loss);
  }
}

/** Control that answers by asking a function: `stop()` says whether a stop is wanted now. */
export class TestControl implements TrainingControl {
  checkpointRequested = false;
  checkpointsDone = 0;

  constructor(private readonly stop: () => boolean = () => false) {}

  get stopRequested(): boolean {
    return this.stop();
  }

  checkpointDone(): void {
    this.checkpointRequested = false;
    this.checkpointsDone++;
  }
}

export async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
