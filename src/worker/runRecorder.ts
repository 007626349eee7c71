import type { StateTensor } from '../engine/engine';
import type { Program } from '../graph/program';
import type { EventLine, ExpertFrame, MetricsLine } from '../runs/format';
import { toJsonNumber } from '../runs/jsonNumber';
import { runFiles } from '../runs/runFiles';
import type { RunWriter } from '../runs/runWriter';
import { writeCheckpoint } from '../training/checkpoint/checkpoint';
import type { TrainerState, TrainingObserver, TrainStepEvent, ValidationEvent } from '../training/trainingEvents';

/** Sees what is recorded, as it is recorded. The command line's progress display is one. */
export interface RunListener {
  onMetrics?(line: MetricsLine): void;
  onExperts?(frame: ExpertFrame): void;
  onEvent?(event: EventLine): void;
}

export interface RecorderOptions {
  readonly writer: RunWriter;
  readonly program: Program;
  /** Checkpoints kept. */
  readonly keep: number;
  readonly totalSteps: number;
  readonly listeners: readonly RunListener[];
  readonly clock: () => number;
}

/** At most about so many frames of a layer in experts.bin, however long the run. */
const framesPerLayer = 4_000;

/** Turns what the training loop tells into the files of the run directory. Throws RunStorageError or CheckpointError, which ends the run. */
export class RunRecorder implements TrainingObserver {
  /** Steps that one frame of experts.bin sums over. */
  private readonly stepsPerFrame: number;
  private counts: Float32Array[] = [];
  private countedSteps = 0;

  constructor(private readonly options: RecorderOptions) {
    this.stepsPerFrame = Math.max(1, Math.ceil(options.totalSteps / framesPerLayer));
  }

  onStep(event: TrainStepEvent): void {
    const { step, seconds, tokens, loss, crossEntropy, balance, zLoss, dropRate, learningRate, gradientNorm, tokensPerSecond } = event;
    this.metrics({
      step,
      time: rounded(seconds),
      tokens,
      train: {
        loss: toJsonNumber(loss),
        crossEntropy: toJsonNumber(crossEntropy),
        ...(balance === null ? {} : { balance: toJsonNumber(balance) }),
        ...(zLoss === null ? {} : { zLoss: toJsonNumber(zLoss) }),
        ...(dropRate === null ? {} : { dropRate: toJsonNumber(dropRate) }),
      },
      learningRate,
      gradientNorm: toJsonNumber(gradientNorm),
      tokensPerSecond: rounded(tokensPerSecond),
    });
    this.count(event.expertCounts);
    if (++this.countedSteps >= this.stepsPerFrame) this.flushCounts(step);
  }

  onValidation({ step, seconds, tokens, sets }: ValidationEvent): void {
    const validation = Object.fromEntries(
      Object.entries(sets).map(([name, { loss, perplexity, bitsPerByte, dropRate }]) => [
        name,
        {
          loss: toJsonNumber(loss),
          perplexity: toJsonNumber(perplexity),
          ...(bitsPerByte === null ? {} : { bitsPerByte: toJsonNumber(bitsPerByte) }),
          ...(dropRate === null ? {} : { dropRate: toJsonNumber(dropRate) }),
        },
      ]),
    );
    this.metrics({ step, time: rounded(seconds), tokens, validation });
  }

  async onCheckpoint(state: TrainerState, tensors: AsyncIterable<StateTensor>): Promise<void> {
    const { writer, program, keep } = this.options;
    // A resume starts here: the frames must not reach over it, and no record before it may be lost.
    this.flushCounts(state.step);
    writer.sync();
    await writeCheckpoint({ directory: runFiles.checkpoints(writer.directory), program, state, tensors, keep });
    this.event(state.step, 'checkpoint', `Checkpoint of step ${state.step}.`);
  }

  event(step: number, kind: EventLine['kind'], message: string): void {
    const line = { time: new Date(this.options.clock()).toISOString(), step, kind, message };
    this.options.writer.event(line);
    for (const listener of this.options.listeners) listener.onEvent?.(line);
  }

  private metrics(line: MetricsLine): void {
    this.options.writer.metrics(line);
    for (const listener of this.options.listeners) listener.onMetrics?.(line);
  }

  private count(layers: readonly Float32Array[]): void {
    if (this.counts.length === 0) this.counts = layers.map((counts) => new Float32Array(counts.length));
    layers.forEach((counts, layer) => {
      const sums = this.counts[layer];
      counts.forEach((count, expert) => sums !== undefined && (sums[expert] = (sums[expert] ?? 0) + count));
    });
  }

  private flushCounts(step: number): void {
    if (this.countedSteps === 0) return;
    this.counts.forEach((counts, layer) => {
      const frame = { step, layer, counts };
      this.options.writer.experts(frame);
      for (const listener of this.options.listeners) listener.onExperts?.(frame);
    });
    this.counts = [];
    this.countedSteps = 0;
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
