import { elementCount } from '../../graph/dimensions';
import { initialiseParameter } from '../../graph/random';
import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, Session, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';
import { copyBetween, piecesOf, stateEntries, type StateEntry } from '../stateLayout';
import { accumulate, adamwScalars, adamwUpdate, sumOfSquares } from './adamw';
import { BufferSet, type BufferPlace } from './buffers';
import { EvaluationSessions } from './evaluationSessions';
import { GraphRunner } from './graphRunner';
import { HostFeeds, type FeedSource } from './hostFeeds';
import { rowStateOf } from './lazyAdamw';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeTensor } from './runtime';
import { RowTables } from './rowTables';
import { floatsOf } from './runtimeSession';
import { StateReader } from './state';
import { createStepSessions, releaseStepSessions, type StepSessions } from './stepSessions';
import { checkBatch, checkMicrobatches } from './trainingGraph';

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
  /** Null but for tables whose gradient is rows. */
  readonly rowStates: readonly (Float32Array | null)[];
}

/** Arrays are replaced, never written into, so nothing need be freed. */
const onHost: BufferPlace<Float32Array> = { put: (data) => data, keep: floatsOf, free: () => undefined };

/**
 * Training on the CPU. The state lies in Float32Arrays that the runtime reads in place, experts as views of their stacked tensor;
 * gradients come out of the graph, and accumulation, clipping and AdamW are plain loops over the arrays.
 */
export class CpuSession implements Session {
  private readonly entries: readonly StateEntry[];
  private readonly pieces: readonly Piece[];
  private readonly tables: RowTables;
  private readonly constantFeeds = new Map<string, RuntimeTensor>();
  private readonly hostFeeds: HostFeeds;
  private readonly evaluations: EvaluationSessions<Float32Array>;
  private readonly runner: GraphRunner<Float32Array>;

  private constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly options: SessionOptions,
    private readonly sessions: StepSessions,
    private readonly state: State,
    private readonly buffers: BufferSet<Float32Array>,
  ) {
    this.entries = stateEntries(program, options);
    this.hostFeeds = new HostFeeds(runtime, program, options.seed);
    this.evaluations = new EvaluationSessions(runtime, program, { device: 'cpu', threads: options.threads, place: onHost });
    this.runner = new GraphRunner(program, sessions, {
      buffers,
      evaluations: this.evaluations,
      feedsFor: (feeds, buffer, source) => this.feedsFor(feeds, buffer, source),
    });
    this.pieces = sessions.training.graph.gradients.flatMap((gradient, index) =>
      gradient.kind === 'dense' ? this.piecesOf(index, gradient.outputs) : [],
    );
    this.tables = new RowTables(program, sessions.training.graph.gradients, (index) => ({
      width: program.parameters[index]?.shape[1] ?? 0,
      parameter: state.parameters[index] as Float32Array,
      firstMoment: state.firstMoments[index] as Float32Array,
      secondMoment: state.secondMoments[index] as Float32Array,
      rowState: state.rowStates[index] as Float32Array,
    }));
  }

  static async create(runtime: Runtime, program: Program, options: SessionOptions): Promise<CpuSession> {
    const sessions = await createStepSessions(runtime, program, 'cpu', options);
    const zeros = () => program.parameters.map(({ shape }) => new Float32Array(elementCount(shape)));
    const state = {
      parameters: program.parameters.map((parameter) => initialiseParameter(parameter, options.seed)),
      firstMoments: zeros(),
      secondMoments: zeros(),
      rowStates: program.parameters.map(({ gradient, shape }) => (gradient === 'rows' ? rowStateOf(shape[0] ?? 0) : null)),
    };
    return new CpuSession(runtime, program, options, sessions, state, await BufferSet.create(program, options, onHost));
  }

  async step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics> {
    checkMicrobatches(this.program, microbatches, this.options);
    let gradients: readonly Float32Array[] = [];
    const rows = this.tables.begin();
    return this.runner.step(microbatches, scalars.step, {
      add: (outputs) => {
        const fresh = this.pieces.map((piece) => floatsOf(outputs, piece.gradient));
        if (gradients.length === 0) gradients = fresh;
        else gradients.forEach((sum, index) => accumulate(sum, fresh[index] as Float32Array));
        rows.add(outputs);
      },
      sumOfSquares: () => gradients.reduce((total, gradient) => total + sumOfSquares(gradient), rows.sumOfSquares()),
      update: (gradientScale) => {
        rows.update(scalars, gradientScale);
        this.update(gradients, gradientScale, scalars);
      },
    });
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    checkBatch(batch);
    return this.runner.evaluate(batch);
  }

  async *exportState(): AsyncIterable<StateTensor> {
    for (const entry of this.entries) yield* piecesOf(entry, this.partsOf(entry));
  }

  async importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void> {
    const reader = new StateReader(this.entries);
    for await (const piece of tensors) {
      const { entry } = reader.take(piece);
      copyBetween([piece.data], 0, this.partsOf(entry), piece.offset, piece.data.length);
    }
    reader.end();
  }

  async dispose(): Promise<void> {
    await releaseStepSessions(this.sessions);
    await this.evaluations.dispose();
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

  private feedsFor(feeds: readonly Feed[], buffer: (index: number) => Float32Array, source: FeedSource): Record<string, RuntimeTensor> {
    return Object.fromEntries(
      feeds.map((feed) => {
        if (feed.kind === 'parameter') return [feed.name, this.parameterFeed(feed)];
        if (feed.kind !== 'buffer') return [feed.name, this.hostFeeds.tensor(feed, source)];
        return [feed.name, new this.runtime.Tensor('float32', buffer(feed.index), feed.shape)];
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

  /** The arrays that hold a tensor of the state, one after the other. */
  private partsOf({ kind, index }: StateEntry): readonly Float32Array[] {
    if (kind === 'buffer') return this.buffers.copiesOf(index);
    const { parameters, firstMoments, secondMoments, rowStates } = this.state;
    const whole = { parameter: parameters, firstMoment: firstMoments, secondMoment: secondMoments, rowState: rowStates }[kind][index];
    return whole ? [whole] : [];
  }
}
