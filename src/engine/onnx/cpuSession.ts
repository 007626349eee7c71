import { elementCount } from '../../graph/dimensions';
import { initialiseParameter } from '../../graph/random';
import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, Session, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';
import { accumulate, adamwScalars, adamwUpdate, clipScale, sumOfSquares } from './adamw';
import { evaluationMetrics, EvaluationSessions } from './evaluationSessions';
import { HostFeeds, type FeedSource } from './hostFeeds';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeTensor } from './runtime';
import { floatsOf, runSession, type Outputs } from './runtimeSession';
import { findEntry, stateEntries, type StateEntry } from './state';
import { StatisticSums, type StatisticMeans } from './statisticMeans';
import { createStepSessions, releaseStepSessions, type StepSessions } from './stepSessions';
import { StepTotals } from './stepTotals';
import { checkBatch, checkMicrobatch, type IndexedOutput } from './trainingGraph';

/** A parameter, or one expert's matrix of it, with its moments: views of the state that one gradient output updates. */
interface Piece {
  readonly gradient: string;
  readonly parameter: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Of the optimiser. */
  readonly group: string;
}

interface State {
  readonly parameters: readonly Float32Array[];
  readonly firstMoments: readonly Float32Array[];
  readonly secondMoments: readonly Float32Array[];
  readonly buffers: readonly Float32Array[];
}

/**
 * Training on the CPU. The state lies in Float32Arrays that the runtime reads in place, experts as views of their stacked tensor;
 * gradients come out of the graph, and accumulation, clipping and AdamW are plain loops over the arrays.
 */
export class CpuSession implements Session {
  private readonly entries: readonly StateEntry[];
  private readonly pieces: readonly Piece[];
  private readonly constantFeeds = new Map<string, RuntimeTensor>();
  private readonly hostFeeds: HostFeeds;
  private readonly evaluations: EvaluationSessions;

  private constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly options: SessionOptions,
    private readonly sessions: StepSessions,
    private readonly state: State,
  ) {
    this.entries = stateEntries(program);
    this.hostFeeds = new HostFeeds(runtime, program, options.seed);
    this.evaluations = new EvaluationSessions(runtime, program, 'cpu', options.threads);
    this.pieces = sessions.training.graph.gradients.flatMap((names, index) => this.piecesOf(index, names));
  }

  static async create(runtime: Runtime, program: Program, options: SessionOptions): Promise<CpuSession> {
    const sessions = await createStepSessions(runtime, program, 'cpu', options);
    const zeros = () => program.parameters.map(({ shape }) => new Float32Array(elementCount(shape)));
    return new CpuSession(runtime, program, options, sessions, {
      parameters: program.parameters.map((parameter) => initialiseParameter(parameter, options.seed)),
      firstMoments: zeros(),
      secondMoments: zeros(),
      buffers: program.buffers.map(({ shape, initial }) => new Float32Array(elementCount(shape)).fill(initial)),
    });
  }

  async step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics> {
    for (const batch of microbatches) checkMicrobatch(batch, this.options);
    const { graph, session } = this.sessions.training;
    const totals = new StepTotals(graph, this.program);
    const statistics = new StatisticSums();
    const known = await this.meansBefore(microbatches, scalars.step);
    let gradients: readonly Float32Array[] = [];
    let buffers = this.state.buffers;
    for (const [microbatch, batch] of microbatches.entries()) {
      const source = { batch, means: known, draw: { step: scalars.step, microbatch } };
      const outputs = await runSession(session, this.feedsFor(graph.feeds, buffers, source));
      totals.add(outputs);
      statistics.add(outputs, graph.statistics);
      buffers = replaced(buffers, outputs, graph.bufferUpdates);
      const fresh = this.pieces.map((piece) => floatsOf(outputs, piece.gradient));
      if (gradients.length === 0) gradients = fresh;
      else gradients.forEach((sum, index) => accumulate(sum, fresh[index] as Float32Array));
    }
    const count = microbatches.length;
    const gradientNorm = Math.sqrt(gradients.reduce((total, gradient) => total + sumOfSquares(gradient), 0)) / count;
    if (totals.lossIsFinite && Number.isFinite(gradientNorm)) {
      const next = await this.updatedBuffers(buffers, new Map([...known, ...statistics.means()]));
      this.update(gradients, clipScale(gradientNorm, this.program.optimiser.clip) / count, scalars);
      this.state.buffers.forEach((buffer, index) => buffer.set(next[index] as Float32Array));
    }
    return totals.metrics(gradientNorm);
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    checkBatch(batch);
    const { graph, session } = await this.evaluations.for(batch);
    const outputs = await runSession(session, this.feedsFor(graph.feeds, this.state.buffers, { batch }));
    return evaluationMetrics(graph, outputs);
  }

  async *exportState(): AsyncIterable<StateTensor> {
    for (const entry of this.entries) {
      yield { kind: entry.kind, name: entry.name, shape: entry.shape, data: this.dataOf(entry).slice() };
    }
  }

  async importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void> {
    for await (const tensor of tensors) this.dataOf(findEntry(this.entries, tensor)).set(tensor.data);
  }

  async dispose(): Promise<void> {
    await releaseStepSessions(this.sessions);
    await this.evaluations.dispose();
  }

  /** The means that the training graph reads, from a forward pass over all microbatches; nothing of it is kept. */
  private async meansBefore(microbatches: readonly Batch[], step: number): Promise<StatisticMeans> {
    const sums = new StatisticSums();
    if (this.sessions.statistics === null) return sums.means();
    const { graph, session } = this.sessions.statistics;
    let buffers = this.state.buffers;
    for (const [microbatch, batch] of microbatches.entries()) {
      const outputs = await runSession(session, this.feedsFor(graph.feeds, buffers, { batch, draw: { step, microbatch } }));
      sums.add(outputs, graph.statistics);
      buffers = replaced(buffers, outputs, graph.bufferUpdates);
    }
    return sums.means();
  }

  /** The buffers after those that are replaced once a step are. */
  private async updatedBuffers(buffers: readonly Float32Array[], means: StatisticMeans): Promise<readonly Float32Array[]> {
    if (this.sessions.bufferUpdate === null) return buffers;
    const { graph, session } = this.sessions.bufferUpdate;
    return replaced(buffers, await runSession(session, this.feedsFor(graph.feeds, buffers, { means })), graph.bufferUpdates);
  }

  private update(gradients: readonly Float32Array[], gradientScale: number, scalars: StepScalars): void {
    this.pieces.forEach(({ parameter, firstMoment, secondMoment, group }, index) => {
      const ofGroup = adamwScalars(this.program.optimiser, group, { ...scalars, gradientScale });
      adamwUpdate(parameter, gradients[index] as Float32Array, firstMoment, secondMoment, ofGroup);
    });
  }

  private piecesOf(index: number, gradients: readonly string[]): readonly Piece[] {
    const [parameter, firstMoment, secondMoment] = [this.state.parameters, this.state.firstMoments, this.state.secondMoments].map(
      (tensors) => tensors[index] as Float32Array,
    ) as [Float32Array, Float32Array, Float32Array];
    const group = this.program.parameters[index]?.group ?? '';
    const size = parameter.length / gradients.length;
    return gradients.map((gradient, part) => {
      const [start, end] = [part * size, (part + 1) * size];
      return {
        gradient,
        parameter: parameter.subarray(start, end),
        firstMoment: firstMoment.subarray(start, end),
        secondMoment: secondMoment.subarray(start, end),
        group,
      };
    });
  }

  private feedsFor(feeds: readonly Feed[], buffers: readonly Float32Array[], source: FeedSource): Record<string, RuntimeTensor> {
    return Object.fromEntries(
      feeds.map((feed) => {
        if (feed.kind === 'parameter') return [feed.name, this.parameterFeed(feed)];
        if (feed.kind !== 'buffer') return [feed.name, this.hostFeeds.tensor(feed, source)];
        const shape = this.program.buffers[feed.index]?.shape ?? [];
        return [feed.name, new this.runtime.Tensor('float32', buffers[feed.index] as Float32Array, shape)];
      }),
    );
  }

  /** Parameters keep their arrays for life, so their tensors are made once. */
  private parameterFeed({ name, index, expert }: Extract<Feed, { kind: 'parameter' }>): RuntimeTensor {
    const existing = this.constantFeeds.get(name);
    if (existing !== undefined) return existing;
    const data = this.state.parameters[index] as Float32Array;
    const shape = this.program.parameters[index]?.shape ?? [];
    const [experts = 1, ...matrix] = shape;
    const size = data.length / experts;
    const view = expert === null ? data : data.subarray(expert * size, (expert + 1) * size);
    const tensor = new this.runtime.Tensor('float32', view, expert === null ? shape : matrix);
    this.constantFeeds.set(name, tensor);
    return tensor;
  }

  private dataOf({ kind, index }: StateEntry): Float32Array {
    const tensors = {
      parameter: this.state.parameters,
      firstMoment: this.state.firstMoments,
      secondMoment: this.state.secondMoments,
      buffer: this.state.buffers,
    };
    return tensors[kind][index] as Float32Array;
  }
}

/** The buffers, with those that a graph replaced as it gave them. */
function replaced(buffers: readonly Float32Array[], outputs: Outputs, updates: readonly IndexedOutput[]): readonly Float32Array[] {
  const next = [...buffers];
  for (const { index, output } of updates) next[index] = floatsOf(outputs, output);
  return next;
}
