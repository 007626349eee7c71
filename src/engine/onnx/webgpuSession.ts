import { elementCount } from '../../graph/dimensions';
import { initialiseParameter } from '../../graph/random';
import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, Session, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';
import { copyBetween, piecesOf, stateEntries, type StateEntry } from '../stateLayout';
import { BufferSet, type BufferPlace } from './buffers';
import { DeviceCopy } from './deviceCopy';
import { checkParameterSizes } from './deviceLimits';
import { DeviceOptimiser, disposeParameter, type DeviceParameter } from './deviceOptimiser';
import { DeviceTables } from './deviceTables';
import { EvaluationSessions } from './evaluationSessions';
import { GraphRunner } from './graphRunner';
import { HostFeeds, type FeedSource } from './hostFeeds';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeTensor } from './runtime';
import type { Outputs } from './runtimeSession';
import { StateReader } from './state';
import { createStepSessions, denseOutputs, releaseStepSessions, type StepSessions } from './stepSessions';
import { checkBatch, checkMicrobatches } from './trainingGraph';

/**
 * Training on a GPU. Parameters, moments, buffers and gradients stay on the device from step to step, and everything between them is graphs
 * there; only losses, the norm, the experts' counts and step statistics come to the host, and noises come from it. Tables whose gradients
 * are rows are another matter: see DeviceTables.
 */
export class WebgpuSession implements Session {
  private readonly entries: readonly StateEntry[];
  private readonly evaluations: EvaluationSessions<RuntimeTensor>;
  private readonly runner: GraphRunner<RuntimeTensor>;
  private readonly hostFeeds: HostFeeds;
  /** Where in `parameters` each of the program's is that has a dense gradient. */
  private readonly places: ReadonlyMap<number, number>;

  private constructor(
    runtime: Runtime,
    private readonly program: Program,
    private readonly options: SessionOptions,
    private readonly sessions: StepSessions,
    private readonly optimiser: DeviceOptimiser,
    private readonly copy: DeviceCopy,
    /** Those with dense gradients. */
    private readonly parameters: DeviceParameter[],
    private readonly tables: DeviceTables,
    private readonly buffers: BufferSet<RuntimeTensor>,
  ) {
    this.entries = stateEntries(program, options);
    this.evaluations = new EvaluationSessions(runtime, program, { device: 'webgpu', threads: 1, place: onDevice(copy) });
    this.runner = new GraphRunner(program, sessions, {
      buffers,
      evaluations: this.evaluations,
      feedsFor: (feeds, buffer, source) => this.feedsFor(feeds, buffer, source),
    });
    this.hostFeeds = new HostFeeds(runtime, program, options.seed);
    const dense = program.parameters.flatMap(({ gradient }, index) => (gradient === 'dense' ? [index] : []));
    this.places = new Map(dense.map((index, place) => [index, place]));
  }

  static async create(runtime: Runtime, program: Program, options: SessionOptions): Promise<WebgpuSession> {
    await checkParameterSizes(runtime, program);
    const sessions = await createStepSessions(runtime, program, 'webgpu', options);
    const copy = await DeviceCopy.create(runtime);
    const parameters: DeviceParameter[] = [];
    const dense = program.parameters.filter(({ gradient }) => gradient === 'dense');
    for (const parameter of dense) {
      const zeros = new Float32Array(elementCount(parameter.shape));
      parameters.push({
        parameter: await copy.upload(initialiseParameter(parameter, options.seed), parameter.shape),
        firstMoment: await copy.upload(zeros, parameter.shape),
        secondMoment: await copy.upload(zeros, parameter.shape),
      });
    }
    const tables = await DeviceTables.create(runtime, program, sessions.training.graph.gradients, { copy, seed: options.seed });
    const buffers = await BufferSet.create(program, options, onDevice(copy));
    const optimiser = await DeviceOptimiser.create(runtime, dense, program.optimiser);
    return new WebgpuSession(runtime, program, options, sessions, optimiser, copy, parameters, tables, buffers);
  }

  async step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics> {
    checkMicrobatches(this.program, microbatches, this.options);
    let gradients: readonly RuntimeTensor[] = [];
    const rows = this.tables.begin();
    const outputNames = denseOutputs(this.sessions.training.graph);
    const metrics = await this.runner.step(microbatches, scalars.step, {
      add: async (outputs) => {
        const fresh = outputNames.map((name) => tensorOf(outputs, name));
        gradients = gradients.length === 0 ? fresh : await this.optimiser.accumulate(gradients, fresh);
        rows.add(outputs);
      },
      sumOfSquares: async () => (await this.optimiser.sumOfSquares(gradients)) + rows.sumOfSquares(),
      update: async (gradientScale) => {
        await this.tables.update(rows, scalars, gradientScale);
        await this.optimiser.update(this.parameters, gradients, { ...scalars, gradientScale });
      },
    });
    disposeAll(gradients);
    return metrics;
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    checkBatch(batch);
    return this.runner.evaluate(batch);
  }

  async *exportState(): AsyncIterable<StateTensor> {
    for (const entry of this.entries) {
      const onHost = this.tables.arrayOf(entry);
      const parts: Float32Array[] = onHost === undefined ? [] : [onHost];
      for (const tensor of this.tensorsOf(entry)) parts.push(await this.copy.download(tensor));
      yield* piecesOf(entry, parts);
    }
  }

  /** A tensor is put together on the host before it goes to the device: nothing here writes into a part of a tensor there. */
  async importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void> {
    const reader = new StateReader(this.entries);
    let parts: readonly Float32Array[] = [];
    for await (const piece of tensors) {
      const { entry, last } = reader.take(piece);
      const onHost = this.tables.arrayOf(entry);
      if (onHost !== undefined) parts = [onHost];
      else if (piece.offset === 0) parts = this.tensorsOf(entry).map(({ dims }) => new Float32Array(elementCount(dims)));
      copyBetween([piece.data], 0, parts, piece.offset, piece.data.length);
      if (last) await (onHost === undefined ? this.replaceTensors(entry, parts) : this.tables.written(entry));
    }
    reader.end();
  }

  async dispose(): Promise<void> {
    this.parameters.forEach(disposeParameter);
    await this.tables.dispose();
    this.buffers.dispose();
    await releaseStepSessions(this.sessions);
    await this.evaluations.dispose();
    await this.optimiser.dispose();
    await this.copy.dispose();
  }

  private feedsFor(feeds: readonly Feed[], buffer: (index: number) => RuntimeTensor, source: FeedSource): Record<string, RuntimeTensor> {
    return Object.fromEntries(
      feeds.map((feed) => {
        if (feed.kind === 'parameter') return [feed.name, this.tables.tensor(feed.index) ?? this.parameterAt(feed.index).parameter];
        return [feed.name, feed.kind === 'buffer' ? buffer(feed.index) : this.hostFeeds.tensor(feed, source)];
      }),
    );
  }

  /** A parameter with a dense gradient, by its index in the program. */
  private parameterAt(index: number): DeviceParameter {
    return this.parameters[this.places.get(index) ?? -1] as DeviceParameter;
  }

  /** The tensors that hold one of the state, one after the other; none where the host has it. */
  private tensorsOf(entry: StateEntry): readonly RuntimeTensor[] {
    const { kind, index } = entry;
    if (kind === 'buffer') return this.buffers.copiesOf(index);
    return kind === 'rowState' || this.tables.arrayOf(entry) !== undefined ? [] : [this.parameterAt(index)[kind]];
  }

  private async replaceTensors(entry: StateEntry, parts: readonly Float32Array[]): Promise<void> {
    const { kind, index } = entry;
    const old = this.tensorsOf(entry);
    const uploaded: RuntimeTensor[] = [];
    for (const [place, part] of parts.entries()) uploaded.push(await this.copy.upload(part, old[place]?.dims ?? []));
    if (kind === 'buffer') return this.buffers.set(index, uploaded);
    this.parameters[this.places.get(index) ?? -1] = { ...this.parameterAt(index), [kind]: uploaded[0] };
    disposeAll(old);
  }
}

function onDevice(copy: DeviceCopy): BufferPlace<RuntimeTensor> {
  return { put: (data, shape) => copy.upload(data, shape), keep: tensorOf, free: (tensor) => tensor.dispose() };
}

function tensorOf(outputs: Outputs, name: string): RuntimeTensor {
  return outputs[name] as RuntimeTensor;
}

function disposeAll(tensors: readonly RuntimeTensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}
