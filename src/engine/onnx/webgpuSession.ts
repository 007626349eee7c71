import { elementCount } from '../../graph/dimensions';
import { initialiseParameter } from '../../graph/random';
import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, Session, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';
import { accumulate, clipScale } from './adamw';
import { DeviceCopy } from './deviceCopy';
import { DeviceOptimiser, disposeParameter, type DeviceParameter } from './deviceOptimiser';
import { EvaluationSessions } from './evaluationSessions';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime';
import { createRuntimeSession, floatsOf, runSession, scalarOf, type Outputs } from './runtimeSession';
import { findEntry, stateEntries, type StateEntry } from './state';
import { checkBatch, checkMicrobatch, inputData, trainingGraph, type TrainingGraph } from './trainingGraph';

/**
 * Training on a GPU. Parameters, moments, buffers and gradients stay on the device from step to step, and everything between them is
 * graphs there; only losses, the norm and the experts' counts come to the host.
 */
export class WebgpuSession implements Session {
  private readonly entries: readonly StateEntry[];
  private readonly evaluations: EvaluationSessions;

  private constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly options: SessionOptions,
    private readonly graph: TrainingGraph,
    private readonly session: RuntimeSession,
    private readonly optimiser: DeviceOptimiser,
    private readonly copy: DeviceCopy,
    private readonly parameters: DeviceParameter[],
    private buffers: readonly RuntimeTensor[],
  ) {
    this.entries = stateEntries(program);
    this.evaluations = new EvaluationSessions(runtime, program, 'webgpu', 1);
  }

  static async create(runtime: Runtime, program: Program, options: SessionOptions): Promise<WebgpuSession> {
    const graph = trainingGraph(program, 'webgpu', { batch: options.batch, time: options.time });
    const session = await createRuntimeSession(runtime, graph.model, {
      device: 'webgpu',
      threads: 1,
      keepOnDevice: [...graph.gradients.flat(), ...graph.bufferUpdates],
    });
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
    return new WebgpuSession(runtime, program, options, graph, session, optimiser, copy, parameters, buffers);
  }

  async step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics> {
    const { graph, program } = this;
    const totals = { loss: 0, crossEntropy: 0, balance: 0 };
    const expertCounts = program.routedLayers.map((layer) => new Float32Array(layer.experts));
    let gradients: readonly RuntimeTensor[] = [];
    let buffers = this.buffers;
    for (const batch of microbatches) {
      checkMicrobatch(batch, this.options);
      const outputs = await runSession(this.session, this.feedsFor(graph.feeds, batch, buffers));
      totals.loss += scalarOf(outputs, graph.loss);
      totals.crossEntropy += scalarOf(outputs, graph.crossEntropy);
      if (graph.balance !== null) totals.balance += scalarOf(outputs, graph.balance);
      graph.expertCounts.forEach((name, layer) => accumulate(expertCounts[layer] as Float32Array, floatsOf(outputs, name)));
      if (buffers !== this.buffers) disposeAll(buffers);
      buffers = graph.bufferUpdates.map((name) => tensorOf(outputs, name));
      const fresh = graph.gradients.map(([name = '']) => tensorOf(outputs, name));
      gradients = gradients.length === 0 ? fresh : await this.optimiser.accumulate(gradients, fresh);
    }
    const count = microbatches.length;
    const gradientNorm = Math.sqrt(await this.optimiser.sumOfSquares(gradients)) / count;
    const finite = Number.isFinite(totals.loss) && Number.isFinite(gradientNorm);
    if (finite) {
      const gradientScale = clipScale(gradientNorm, program.optimiser.clip) / count;
      await this.optimiser.update(this.parameters, gradients, { ...scalars, gradientScale });
    }
    disposeAll(gradients);
    if (buffers !== this.buffers) {
      disposeAll(finite ? this.buffers : buffers);
      if (finite) this.buffers = buffers;
    }
    return {
      loss: totals.loss / count,
      crossEntropy: totals.crossEntropy / count,
      balance: graph.balance === null ? null : totals.balance / count,
      gradientNorm,
      expertCounts,
    };
  }

  async evaluate(batch: Batch): Promise<EvaluationMetrics> {
    checkBatch(batch);
    const { graph, session } = await this.evaluations.for(batch);
    const outputs = await runSession(session, this.feedsFor(graph.feeds, batch, this.buffers));
    return {
      negativeLogLikelihood: scalarOf(outputs, graph.negativeLogLikelihood),
      expertCounts: graph.expertCounts.map((name) => floatsOf(outputs, name)),
    };
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
    await this.session.release();
    await this.evaluations.dispose();
    await this.optimiser.dispose();
    await this.copy.dispose();
  }

  private feedsFor(feeds: readonly Feed[], batch: Batch, buffers: readonly RuntimeTensor[]): Record<string, RuntimeTensor> {
    const { Tensor } = this.runtime;
    return Object.fromEntries(
      feeds.map((feed) => {
        if (feed.kind === 'input') return [feed.name, new Tensor('int32', inputData(batch, feed.name), [batch.batch, batch.time])];
        if (feed.kind === 'buffer') return [feed.name, buffers[feed.index] as RuntimeTensor];
        return [feed.name, (this.parameters[feed.index] as DeviceParameter).parameter];
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
