import { elementCount } from '../../graph/dimensions';
import type { AdamW, Parameter } from '../../graph/program';
import { accumulateGraph, adamwGraph, adamwScalarFeeds, parameterGroups, sumOfSquaresGraph, type DeviceGraph } from './optimiserGraphs';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime';
import { createRuntimeSession, runSession, scalarOf } from './runtimeSession';

/** A parameter with its moments on the device. Replaced as a whole by every step. */
export interface DeviceParameter {
  readonly parameter: RuntimeTensor;
  readonly firstMoment: RuntimeTensor;
  readonly secondMoment: RuntimeTensor;
}

interface Compiled extends DeviceGraph {
  readonly session: RuntimeSession;
}

interface Group {
  /** Indices into the optimiser's parameters. */
  readonly parameters: readonly number[];
  readonly accumulate: Compiled;
  readonly sumOfSquares: Compiled;
  readonly adamw: Compiled;
}

/** Elements in a group of parameters: while one is updated its old and new state are both there, six times this many floats. */
export const GROUP_ELEMENTS = 2 ** 24;

/**
 * Accumulation, norm and AdamW of parameters with dense gradients on the device, by groups so that memory for old and new state is bounded.
 * Lists of state and gradients are in the order of the parameters that it was made for.
 */
export class DeviceOptimiser {
  private constructor(
    private readonly runtime: Runtime,
    private readonly optimiser: AdamW,
    private readonly groups: readonly Group[],
  ) {}

  static async create(runtime: Runtime, all: readonly Parameter[], optimiser: AdamW): Promise<DeviceOptimiser> {
    const compile = async (graph: DeviceGraph, onDevice: boolean): Promise<Compiled> => ({
      ...graph,
      session: await createRuntimeSession(runtime, graph.model, {
        device: 'webgpu',
        threads: 1,
        keepOnDevice: onDevice ? graph.outputs : [],
      }),
    });
    const sizes = all.map(({ shape }) => elementCount(shape));
    const groups: Group[] = [];
    for (const indices of parameterGroups(sizes, GROUP_ELEMENTS)) {
      const parameters = all.filter((_, index) => indices.includes(index));
      groups.push({
        parameters: indices,
        accumulate: await compile(accumulateGraph(parameters), true),
        sumOfSquares: await compile(sumOfSquaresGraph(parameters), false),
        adamw: await compile(adamwGraph(parameters, optimiser), true),
      });
    }
    return new DeviceOptimiser(runtime, optimiser, groups);
  }

  /** sums[i] + gradients[i]; both are freed. */
  async accumulate(sums: readonly RuntimeTensor[], gradients: readonly RuntimeTensor[]): Promise<readonly RuntimeTensor[]> {
    const results = [...sums];
    for (const { parameters, accumulate } of this.groups) {
      const outputs = await runSession(accumulate.session, {
        ...named('sum', parameters, (index) => sums[index]),
        ...named('gradient', parameters, (index) => gradients[index]),
      });
      parameters.forEach((index, place) => {
        sums[index]?.dispose();
        gradients[index]?.dispose();
        results[index] = outputs[accumulate.outputs[place] ?? ''] as RuntimeTensor;
      });
    }
    return results;
  }

  /** Over all its gradients; the only number of them that comes to the host before the update. */
  async sumOfSquares(gradients: readonly RuntimeTensor[]): Promise<number> {
    let total = 0;
    for (const { parameters, sumOfSquares } of this.groups) {
      const outputs = await runSession(
        sumOfSquares.session,
        named('gradient', parameters, (index) => gradients[index]),
      );
      total += scalarOf(outputs, sumOfSquares.outputs[0] ?? '');
    }
    return total;
  }

  /** Replaces `state[i]` by its next value and frees the old one. */
  async update(
    state: DeviceParameter[],
    gradients: readonly RuntimeTensor[],
    scalars: { readonly step: number; readonly learningRate: number; readonly gradientScale: number },
  ): Promise<void> {
    const { step, learningRate, gradientScale } = scalars;
    const feeds = adamwScalarFeeds(this.optimiser, step, learningRate, gradientScale);
    for (const { parameters, adamw } of this.groups) {
      const outputs = await runSession(adamw.session, {
        ...Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, new this.runtime.Tensor('float32', [value], [])])),
        ...named('parameter', parameters, (index) => state[index]?.parameter),
        ...named('firstMoment', parameters, (index) => state[index]?.firstMoment),
        ...named('secondMoment', parameters, (index) => state[index]?.secondMoment),
        ...named('gradient', parameters, (index) => gradients[index]),
      });
      parameters.forEach((index, place) => {
        const [parameter, firstMoment, secondMoment] = adamw.outputs.slice(place * 3, place * 3 + 3).map((name) => outputs[name]) as [
          RuntimeTensor,
          RuntimeTensor,
          RuntimeTensor,
        ];
        disposeParameter(state[index]);
        state[index] = { parameter, firstMoment, secondMoment };
      });
    }
  }

  async dispose(): Promise<void> {
    for (const { accumulate, sumOfSquares, adamw } of this.groups) {
      await accumulate.session.release();
      await sumOfSquares.session.release();
      await adamw.session.release();
    }
  }
}

export function disposeParameter(parameter: DeviceParameter | undefined): void {
  parameter?.parameter.dispose();
  parameter?.firstMoment.dispose();
  parameter?.secondMoment.dispose();
}

/** Feeds `role0`, `role1`, ... for a group's parameters. */
function named(
  role: string,
  parameters: readonly number[],
  tensor: (index: number) => RuntimeTensor | undefined,
): Record<string, RuntimeTensor> {
  return Object.fromEntries(parameters.map((index, place) => [`${role}${place}`, tensor(index) as RuntimeTensor]));
}
