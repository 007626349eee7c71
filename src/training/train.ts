import type { RunnableExperiment } from '../config/schema';
import type { Batch, Session, StateTensor, StepMetrics } from '../engine/engine';
import { scoreText, scoringOf } from './evaluation';
import { type Corpora, microbatchesPerStep } from './prepare';
import { learningRateAt } from './schedule';
import { Throughput } from './throughput';
import type { TrainerState, TrainingControl, TrainingObserver, TrainingOutcome, ValidationEvent } from './trainingEvents';
import { trainingWindows, type WindowOrder } from './windows';

export interface TrainingRequest {
  readonly experiment: RunnableExperiment;
  readonly corpora: Corpora;
  /** Compiled with `sessionOptions(experiment)`. The caller disposes of it. */
  readonly session: Session;
  readonly observer: TrainingObserver;
  readonly control: TrainingControl;
  /** Where to go on: a checkpoint's trainer state and tensors. */
  readonly resume?: { readonly state: TrainerState; readonly tensors: AsyncIterable<StateTensor> };
  /** Seconds on a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Trains to the last step, to a stop, or until loss or gradient is no longer finite. Validates before the first step, every
 * `evaluate.every` steps and at the end; writes a checkpoint every `checkpoint.every` steps, at the end, when asked and when stopped.
 * Errors of the engine and the observer end it and come out of the promise.
 */
export function trainExperiment(request: TrainingRequest): Promise<TrainingOutcome> {
  return new Training(request).run();
}

/** One call of `trainExperiment`: the request and where it stands. */
class Training {
  private readonly order: WindowOrder;
  private readonly microbatches: number;
  private readonly throughput = new Throughput();
  private readonly now: () => number;
  private readonly startedAt: number;
  private readonly secondsBefore: number;
  private step: number;
  private tokens: number;
  /** Windows of the training order that have been used. */
  private position: number;
  private validationPending: boolean;
  private checkpointAt: number;

  constructor(private readonly request: TrainingRequest) {
    const { experiment, corpora, resume } = request;
    this.order = trainingWindows(experiment, corpora.train.tokens);
    this.microbatches = microbatchesPerStep(experiment);
    this.now = request.now ?? (() => performance.now() / 1000);
    this.startedAt = this.now();
    this.secondsBefore = resume?.state.seconds ?? 0;
    this.step = resume?.state.step ?? 0;
    this.tokens = resume?.state.tokens ?? 0;
    this.position = resume?.state.dataPosition ?? 0;
    this.validationPending = resume === undefined || resume.state.validationPending === true;
    this.checkpointAt = resume === undefined ? -1 : this.step;
  }

  async run(): Promise<TrainingOutcome> {
    const { experiment, session, control, resume } = this.request;
    const { steps } = experiment.train;
    if (resume !== undefined) await session.importState(resume.tensors);
    await this.validateIfPending();

    let next = this.batchesAt(this.position);
    while (this.step < steps) {
      if (control.stopRequested) {
        await this.checkpointOnce();
        return { kind: 'stopped', step: this.step };
      }
      const learningRate = learningRateAt(this.step + 1, experiment.train);
      const began = this.now();
      const working = session.step(next, { step: this.step + 1, learningRate });
      // The engine computes in its own thread: the next batch is made meanwhile.
      const following = this.batchesAt(this.position + this.windowsPerStep);
      const metrics = await working;
      this.throughput.add(experiment.train.batch_tokens, this.now() - began);

      const reason = divergence(metrics, learningRate);
      if (reason === undefined) this.advance();
      await this.report(metrics, learningRate, this.step + (reason === undefined ? 0 : 1));
      if (reason !== undefined) return { kind: 'diverged', step: this.step + 1, reason };
      next = following;

      this.validationPending = this.step % experiment.evaluate.every === 0 || this.step === steps;
      await this.validateIfPending();
      await this.checkpointIfDue();
    }
    await this.checkpointOnce();
    return { kind: this.validationPending ? 'stopped' : 'finished', step: this.step };
  }

  private get windowsPerStep(): number {
    return this.microbatches * this.request.experiment.train.micro_batch;
  }

  private get seconds(): number {
    return this.secondsBefore + this.now() - this.startedAt;
  }

  private batchesAt(position: number): Batch[] {
    const { micro_batch: windows } = this.request.experiment.train;
    return Array.from({ length: this.microbatches }, (_, index) => this.order.batchAt(position + index * windows, windows));
  }

  private advance(): void {
    this.step++;
    this.tokens += this.request.experiment.train.batch_tokens;
    this.position += this.windowsPerStep;
  }

  private async report(metrics: StepMetrics, learningRate: number, step: number): Promise<void> {
    const { tokens, seconds } = this;
    const { tokensPerSecond } = this.throughput;
    await this.request.observer.onStep({ step, seconds, tokens, learningRate, tokensPerSecond, ...metrics });
  }

  /** A stop interrupts a validation; it then stays pending, also across the checkpoint, so that a resumed curve has every point. */
  private async validateIfPending(): Promise<void> {
    const { experiment, corpora, session, control, observer } = this.request;
    if (!this.validationPending) return;
    const sets: Record<string, ValidationEvent['sets'][string]> = {};
    for (const [name, { tokens }] of Object.entries(corpora.validation)) {
      const score = await scoreText(session, tokens, scoringOf(experiment), () => control.stopRequested);
      if (score === undefined) return;
      const { scoredTokens: _, ...figures } = score;
      sets[name] = figures;
    }
    this.validationPending = false;
    if (Object.keys(sets).length > 0) await observer.onValidation({ step: this.step, seconds: this.seconds, tokens: this.tokens, sets });
  }

  private async checkpointIfDue(): Promise<void> {
    const { experiment, control } = this.request;
    if (control.checkpointRequested) {
      await this.checkpointOnce();
      control.checkpointDone();
    } else if (this.step % experiment.checkpoint.every === 0) {
      await this.checkpointOnce();
    }
  }

  /** Writes the checkpoint of this step unless it exists. */
  private async checkpointOnce(): Promise<void> {
    if (this.checkpointAt === this.step) return;
    const state: TrainerState = {
      schemaVersion: 1,
      step: this.step,
      seconds: this.seconds,
      tokens: this.tokens,
      dataPosition: this.position,
      ...(this.validationPending ? { validationPending: true } : {}),
    };
    await this.request.observer.onCheckpoint(state, this.request.session.exportState());
    this.checkpointAt = this.step;
  }
}

/** Why the step failed, or undefined. The engine has then left the state as it was. */
function divergence({ loss, gradientNorm }: StepMetrics, learningRate: number): string | undefined {
  const what = !Number.isFinite(loss)
    ? `the loss is ${loss}`
    : !Number.isFinite(gradientNorm)
      ? `the gradient norm is ${gradientNorm}`
      : '';
  return what === '' ? undefined : `Diverged: ${what}, at learning rate ${learningRate.toPrecision(3)}.`;
}
