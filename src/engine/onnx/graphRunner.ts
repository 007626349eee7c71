import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, StepMetrics } from '../engine';
import { clipScale } from './adamw';
import type { BufferSet, StepBuffers } from './buffers';
import { evaluationMetrics, type EvaluationSessions } from './evaluationSessions';
import type { FeedSource } from './hostFeeds';
import type { Feed } from './lowering/lower';
import type { RuntimeTensor } from './runtime';
import { runSession, type Outputs } from './runtimeSession';
import { StatisticSums, type StatisticMeans } from './statisticMeans';
import type { CompiledGraph, StepSessions } from './stepSessions';
import { StepTotals } from './stepTotals';
import type { FedGraph, IndexedOutput } from './trainingGraph';

/** The gradients of one step and what they do to the parameters. */
export interface StepGradients {
  /** Once per microbatch. */
  add(outputs: Outputs): void | Promise<void>;
  /** Of the sum over the microbatches. */
  sumOfSquares(): number | Promise<number>;
  /** `gradientScale` times that sum is the gradient of the step. Not called where a figure of the step is not finite. */
  update(gradientScale: number): void | Promise<void>;
}

/** Where a session's tensors lie. */
export interface RunnerTensors<T> {
  readonly buffers: BufferSet<T>;
  readonly evaluations: EvaluationSessions<T>;
  /** What a graph reads, by name. */
  feedsFor(feeds: readonly Feed[], buffer: (index: number) => T, source: FeedSource): Record<string, RuntimeTensor>;
}

/** The course of a step and of an evaluation over their graphs, the same on every device. */
export class GraphRunner<T> {
  constructor(
    private readonly program: Program,
    private readonly sessions: StepSessions,
    private readonly tensors: RunnerTensors<T>,
  ) {}

  /** Where the loss or the gradient norm is not finite, parameters and buffers stay as they are. */
  async step(microbatches: readonly Batch[], step: number, gradients: StepGradients): Promise<StepMetrics> {
    const { training } = this.sessions;
    const totals = new StepTotals(training.graph, this.program);
    const statistics = new StatisticSums();
    const means = await this.meansBefore(microbatches, step);
    const buffers = this.tensors.buffers.begin();
    for (const [microbatch, batch] of microbatches.entries()) {
      const outputs = await this.pass(training, buffers, microbatch, { batch, means, draw: { step, microbatch } });
      totals.add(outputs);
      statistics.add(outputs, training.graph.statistics);
      await gradients.add(outputs);
    }
    const count = microbatches.length;
    const gradientNorm = Math.sqrt(await gradients.sumOfSquares()) / count;
    if (totals.lossIsFinite && Number.isFinite(gradientNorm)) {
      await this.updateBuffers(buffers, new Map([...means, ...statistics.means()]));
      await gradients.update(clipScale(gradientNorm, this.program.optimiser.clip) / count);
      buffers.keep();
    } else buffers.drop();
    return totals.metrics(gradientNorm);
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    const { graph, session, lanes } = await this.tensors.evaluations.for(batch);
    const [own, shared] = [lanes.begin(), this.tensors.buffers.begin()];
    const buffers = (index: number) => (lanes.has(index) ? own : shared).at(index, 0);
    const outputs = await runSession(session, this.tensors.feedsFor(graph.feeds, buffers, { batch }));
    own.replace(outputs, graph.bufferUpdates, 0);
    own.keep();
    return evaluationMetrics(this.program, graph, outputs);
  }

  /** The means that the training graph reads, from a forward pass over all microbatches; nothing else of it is kept. */
  private async meansBefore(microbatches: readonly Batch[], step: number): Promise<StatisticMeans> {
    const sums = new StatisticSums();
    const { statistics } = this.sessions;
    if (statistics === null) return sums.means();
    const buffers = this.tensors.buffers.begin();
    for (const [microbatch, batch] of microbatches.entries()) {
      const outputs = await this.pass(statistics, buffers, microbatch, { batch, draw: { step, microbatch } });
      sums.add(outputs, statistics.graph.statistics);
    }
    buffers.drop();
    return sums.means();
  }

  /** Replaces the buffers that are replaced once a step. Means are a few numbers, fed from the host. */
  private async updateBuffers(buffers: StepBuffers<T>, means: StatisticMeans): Promise<void> {
    if (this.sessions.bufferUpdate !== null) await this.pass(this.sessions.bufferUpdate, buffers, 0, { means });
  }

  /** Runs a graph with the buffers that a microbatch reads, and goes on with those that it replaced. */
  private async pass(
    { graph, session }: CompiledGraph<FedGraph & { readonly bufferUpdates: readonly IndexedOutput[] }>,
    buffers: StepBuffers<T>,
    microbatch: number,
    source: FeedSource,
  ): Promise<Outputs> {
    const outputs = await runSession(
      session,
      this.tensors.feedsFor(graph.feeds, (index) => buffers.at(index, microbatch), source),
    );
    buffers.replace(outputs, graph.bufferUpdates, microbatch);
    return outputs;
  }
}
