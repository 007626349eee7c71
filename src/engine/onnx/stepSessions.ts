import type { Program } from '../../graph/program';
import type { Device, SessionOptions } from '../engine';
import type { Runtime, RuntimeSession } from './runtime';
import { createRuntimeSession } from './runtimeSession';
import {
  stepGraphs,
  type BufferUpdateGraph,
  type FedGraph,
  type IndexedOutput,
  type StatisticsGraph,
  type TrainingGraph,
} from './trainingGraph';

export interface CompiledGraph<G extends FedGraph> {
  readonly graph: G;
  readonly session: RuntimeSession;
}

/** The graphs of a step, compiled: what `StepGraphs` says of each. */
export interface StepSessions {
  readonly statistics: CompiledGraph<StatisticsGraph> | null;
  readonly training: CompiledGraph<TrainingGraph>;
  readonly bufferUpdate: CompiledGraph<BufferUpdateGraph> | null;
}

/** Dense gradients and buffers stay on a device that has memory of its own; figures, statistics and rows of tables come to the host. */
export async function createStepSessions(
  runtime: Runtime,
  program: Program,
  device: Device,
  options: SessionOptions,
): Promise<StepSessions> {
  const { statistics, training, bufferUpdate } = stepGraphs(program, device, { batch: options.batch, time: options.time });
  const compile = async <G extends FedGraph>(graph: G, kept: readonly string[]): Promise<CompiledGraph<G>> => ({
    graph,
    session: await createRuntimeSession(runtime, graph.model, {
      device,
      threads: device === 'cpu' ? options.threads : 1,
      ...(device === 'cpu' ? {} : { keepOnDevice: kept }),
    }),
  });
  return {
    statistics: statistics && (await compile(statistics, names(statistics.bufferUpdates))),
    training: await compile(training, [...denseOutputs(training), ...names(training.bufferUpdates)]),
    bufferUpdate: bufferUpdate && (await compile(bufferUpdate, names(bufferUpdate.bufferUpdates))),
  };
}

export async function releaseStepSessions({ statistics, training, bufferUpdate }: StepSessions): Promise<void> {
  await statistics?.session.release();
  await training.session.release();
  await bufferUpdate?.session.release();
}

export function denseOutputs({ gradients }: TrainingGraph): readonly string[] {
  return gradients.flatMap((gradient) => (gradient.kind === 'dense' ? gradient.outputs : []));
}

function names(outputs: readonly IndexedOutput[]): readonly string[] {
  return outputs.map(({ output }) => output);
}
