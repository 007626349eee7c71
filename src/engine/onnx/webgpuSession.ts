import { elementCount } from '../../graph/dimensions';
import { initialiseParameter } from '../../graph/random';
import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, Session, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';
import { clipScale } from './adamw';
import { DeviceCopy } from './deviceCopy';
import { DeviceOptimiser, disposeParameter, type DeviceParameter } from './deviceOptimiser';
import { evaluationMetrics, EvaluationSessions } from './evaluationSessions';
import { HostFeeds, type FeedSource } from './hostFeeds';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeTensor } from './runtime';
import { runSession, type Outputs } from './runtimeSession';
import { findEntry, stateEntries, type StateEntry } from './state';
import { StatisticSums, type StatisticMeans } from './statisticMeans';
import { createStepSessions, releaseStepSessions, type StepSessions } from './stepSessions';
import { StepTotals } from './stepTotals';
import { checkBatch, checkMicrobatch, type IndexedOutput } from './trainingGraph';

/**
 * Training on a GPU. Parameters, moments, buffers and gradients stay on the device from step to step, and everything between them is
 * graphs there; only losses, the norm, the experts' counts and step statistics come to the host, and noises come from it.
 */
export class WebgpuSession implements Session {
  private readonly entries: readonly StateEntry[];
  private readonly evaluations: EvaluationSessions;
  private readonly hostFeeds: HostFeeds;

  private constructor(
    runtime: Runtime,
    private readonly program: Program,
    private readonly options: SessionOptions,
    private readonly sessions: StepSessions,
    private readonly optimiser: DeviceOptimiser,
    private readonly copy: DeviceCopy,
    private readonly parameters: DeviceParameter[],
    private buffers: readonly RuntimeTensor[],
  ) {
    this.entries = stateEntries(program);
    this.evaluations = new EvaluationSessions(runtime, program, 'webgpu', 1);
    this.hostFeeds = new HostFeeds(runtime, program, options.seed);
  }

  static async create(runtime: Runtime, program: Program, options: SessionOptions): Promise<WebgpuSession> {
    const sessions = await createStepSessions(runtime, program, 'webgpu', options);
    const copy = await DeviceCopy.create(runtime);
    const parameters: DeviceParameter[] = [];
    for (const parameter of program.parameters) {
      const zeros = new Float32Array(elementCount(parameter.shape));
      parameters.push({
        parameter: await copy.upload(initialiseParameter(parameter, options.seed), parameter.shape),
        firstMoment: await copy.upload(zeros, parameter.shape),
        secondMoment: await copy.upload(zeros, parameter.shape),
      });
    }
    const buffers: RuntimeTensor[] = [];
    for (const { shape, initial } of program.buffers) {
      buffers.push(await copy.upload(new Float32Array(elementCount(shape)).fill(initial), shape));
    }
    const optimiser = await DeviceOptimiser.create(runtime, program);
    return new WebgpuSession(runtime, program, options, sessions, optimiser, copy, parameters, buffers);
  }

  async step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics> {
    for (const batch of microbatches) checkMicrobatch(batch, this.options);
    const { graph, session } = this.sessions.training;
    const totals = new StepTotals(graph, this.program);
    const statistics = new StatisticSums();
    const known = await this.meansBefore(microbatches, scalars.step);
    let gradients: readonly RuntimeTensor[] = [];
    let buffers = this.buffers;
    for (const [microbatch, batch] of microbatches.entries()) {
      const source = { batch, means: known, draw: { step: scalars.step, microbatch } };
      const outputs = await runSession(session, this.feedsFor(graph.feeds, buffers, source));
      totals.add(outputs);
      statistics.add(outputs, graph.statistics);
      buffers = this.replaced(buffers, outputs, graph.bufferUpdates);
      const fresh = graph.gradients.map(([name = '']) => tensorOf(outputs, name));
      gradients = gradients.length === 0 ? fresh : await this.optimiser.accumulate(gradients, fresh);
    }
    const count = microbatches.length;
    const gradientNorm = Math.sqrt(await this.optimiser.sumOfSquares(gradients)) / count;
    const finite = totals.lossIsFinite && Number.isFinite(gradientNorm);
    if (finite) {
      buffers = await this.updatedBuffers(buffers, new Map([...known, ...statistics.means()]));
      const gradientScale = clipScale(gradientNorm, this.program.optimiser.clip) / count;
      await this.optimiser.update(this.parameters, gradients, { ...scalars, gradientScale });
    }
    disposeAll(gradients);
    if (finite) {
      const old = this.buffers;
      this.buffers = buffers;
      disposeExcept(old, buffers);
    } else disposeExcept(buffers, this.buffers);
    return totals.metrics(gradientNorm);
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    checkBatch(batch);
    const { graph, session } = await this.evaluations.for(batch);
    return evaluationMetrics(graph, await runSession(session, this.feedsFor(graph.feeds, this.buffers, { batch })));
  }

  async *exportState(): AsyncIterable<StateTensor> {
    for (const entry of this.entries) {
      const data = await this.copy.download(this.tensorOf(entry));
      yield { kind: entry.kind, name: entry.name, shape: entry.shape, data };
    }
  }

  async importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void> {
    for await (const tensor of tensors) {
      const entry = findEntry(this.entries, tensor);
      const old = this.tensorOf(entry);
      const uploaded = await this.copy.upload(tensor.data, entry.shape);
      if (entry.kind === 'buffer') this.buffers = this.buffers.map((buffer, index) => (index === entry.index ? uploaded : buffer));
      else this.parameters[entry.index] = { ...(this.parameters[entry.index] as DeviceParameter), [entry.kind]: uploaded };
      old.dispose();
    }
  }

  async dispose(): Promise<void> {
    this.parameters.forEach(disposeParameter);
    disposeAll(this.buffers);
    await releaseStepSessions(this.sessions);
    await this.evaluations.dispose();
    await this.optimiser.dispose();
    await this.copy.dispose();
  }

  /** The means that the training graph reads, from a forward pass over all microbatches; nothing of it stays on the device. */
  private async meansBefore(microbatches: readonly Batch[], step: number): Promise<StatisticMeans> {
    const sums = new StatisticSums();
    if (this.sessions.statistics === null) return sums.means();
    const { graph, session } = this.sessions.statistics;
    let buffers = this.buffers;
    for (const [microbatch, batch] of microbatches.entries()) {
      const outputs = await runSession(session, this.feedsFor(graph.feeds, buffers, { batch, draw: { step, microbatch } }));
      sums.add(outputs, graph.statistics);
      buffers = this.replaced(buffers, outputs, graph.bufferUpdates);
    }
    disposeExcept(buffers, this.buffers);
    return sums.means();
  }

  /** The buffers after those that are replaced once a step are. Means are a few numbers, fed from the host. */
  private async updatedBuffers(buffers: readonly RuntimeTensor[], means: StatisticMeans): Promise<readonly RuntimeTensor[]> {
    if (this.sessions.bufferUpdate === null) return buffers;
    const { graph, session } = this.sessions.bufferUpdate;
    return this.replaced(buffers, await runSession(session, this.feedsFor(graph.feeds, buffers, { means })), graph.bufferUpdates);
  }

  /** The buffers, with those that a graph replaced as it gave them. Frees what they replace, unless it is the state before the step. */
  private replaced(buffers: readonly RuntimeTensor[], outputs: Outputs, updates: readonly IndexedOutput[]): readonly RuntimeTensor[] {
    const next = [...buffers];
    for (const { index, output } of updates) next[index] = tensorOf(outputs, output);
    disposeExcept(buffers, [...next, ...this.buffers]);
    return next;
  }

  private feedsFor(feeds: readonly Feed[], buffers: readonly RuntimeTensor[], source: FeedSource): Record<string, RuntimeTensor> {
    return Object.fromEntries(
      feeds.map((feed) => {
        if (feed.kind === 'parameter') return [feed.name, (this.parameters[feed.index] as DeviceParameter).parameter];
        return [feed.name, feed.kind === 'buffer' ? (buffers[feed.index] as RuntimeTensor) : this.hostFeeds.tensor(feed, source)];
      }),
    );
  }

  private tensorOf({ kind, index }: StateEntry): RuntimeTensor {
    if (kind === 'buffer') return this.buffers[index] as RuntimeTensor;
    return (this.parameters[index] as DeviceParameter)[kind];
  }
}

function tensorOf(outputs: Outputs, name: string): RuntimeTensor {
  return outputs[name] as RuntimeTensor;
}

function disposeAll(tensors: readonly RuntimeTensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}

function disposeExcept(tensors: readonly RuntimeTensor[], kept: readonly RuntimeTensor[]): void {
  disposeAll(tensors.filter((tensor) => !kept.includes(tensor)));
}
