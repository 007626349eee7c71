import { bindShape, elementCount } from '../../../src/graph/dimensions';
import { differentiate, valuesOfGradient } from '../../../src/graph/gradients';
import { drawNoise } from '../../../src/graph/noise';
import type { Program, ValueId } from '../../../src/graph/program';
import type { NdArray } from '../../../src/graph/reference/array';
import { denseGradient } from '../../../src/graph/reference/gradientArrays';
import type { Batch, StateTensor } from '../../../src/engine/engine';
import { interpret, scalar } from '../../support/programs';

type Feeds = ReadonlyMap<ValueId, NdArray>;
type Runs = readonly Feeds[];

/** What the reference interpreter says about one step, before clipping and AdamW. */
export interface ReferenceStep {
  readonly loss: number;
  readonly crossEntropy: number;
  readonly balance: number | null;
  readonly zLoss: number | null;
  readonly dropRate: number | null;
  /** Per routed layer, summed over the microbatches. */
  readonly counts: readonly (readonly number[])[];
  /** Per parameter, averaged. */
  readonly gradients: readonly Float64Array[];
  readonly norm: number;
  /** Per buffer, its value after the step: of lane buffers those of all microbatches, one after the other. */
  readonly buffers: readonly Float64Array[];
}

/**
 * A step from `state` by the definition of a program, in float64: first the means of the statistics, then gradients, then buffers of the
 * step.
 */
export function referenceStep(
  program: Program,
  state: readonly StateTensor[],
  microbatches: readonly Batch[],
  { seed, step }: { readonly seed: number; readonly step: number },
): ReferenceStep {
  const { outputs, routedLayers, statistics } = program;
  const differentiated = differentiate(program);
  const parameters = program.parameters.map(({ name, value, shape }): [ValueId, NdArray] => [
    value,
    { shape, data: stateOf(state, 'parameter', name) },
  ]);
  const sizes = { batch: microbatches[0]?.batch ?? 0, time: microbatches[0]?.time ?? 0 };
  const start = program.buffers.flatMap(({ name, value, shape, updated }): [ValueId, NdArray][] =>
    updated === 'lane' ? [] : [[value, { shape: bindShape(shape, sizes), data: stateOf(state, 'buffer', name) }]],
  );
  const shared = program.buffers.filter(({ updated }) => updated === 'microbatch');
  const lanes = program.buffers.filter(({ updated }) => updated === 'lane');
  /** The lane buffers of a microbatch: no other one has to do with them. */
  const lanesOf = (microbatch: number): [ValueId, NdArray][] =>
    lanes.map(({ name, value, shape }) => {
      const bound = bindShape(shape, sizes);
      const size = elementCount(bound);
      return [value, { shape: bound, data: stateOf(state, 'buffer', name).slice(microbatch * size, (microbatch + 1) * size) }];
    });

  /** Runs every microbatch in turn; buffers that microbatches replace go from one to the next. */
  const pass = (nodes: Program, wanted: readonly ValueId[], means: Feeds): { runs: Runs; buffers: Feeds } => {
    let buffers: Feeds = new Map(start);
    const runs = microbatches.map((batch, microbatch) => {
      const bindings = { batch: batch.batch, time: batch.time };
      const noises = program.noises.map((noise): [ValueId, NdArray] => {
        const shape = bindShape(program.values[noise.value]?.shape ?? [], bindings);
        const data = new Float32Array(elementCount(shape));
        drawNoise(noise, data, { seed, step, microbatch });
        return [noise.value, { shape, data: Float64Array.from(data) }];
      });
      const inputs = program.inputs.map(({ name, value }): [ValueId, NdArray] => {
        if (name === 'resets') return [value, { shape: [batch.batch], data: batch.resets ?? new Int32Array() }];
        return [value, { shape: [batch.batch, batch.time], data: name === 'tokens' ? batch.tokens : batch.targets }];
      });
      const feeds = new Map([...inputs, ...parameters, ...buffers, ...lanesOf(microbatch), ...noises, ...means]);
      const run = interpret(nodes, { bindings, mode: 'training', feeds, wanted: [...wanted, ...shared.map(({ update }) => update)] });
      buffers = new Map([...buffers, ...shared.map(({ value, update }): [ValueId, NdArray] => [value, valueIn(run, update)])]);
      return run;
    });
    return { runs, buffers };
  };

  const locals = pass(
    program,
    statistics.map(({ local }) => local),
    new Map(),
  ).runs;
  const means: Feeds = new Map(
    statistics.map(({ local, mean }): [ValueId, NdArray] => [
      mean,
      { shape: valueIn(locals[0], local).shape, data: meanOver(locals, local) },
    ]),
  );
  const figures = [outputs.loss, outputs.crossEntropy, outputs.balance, outputs.zLoss, outputs.dropRate].filter((id) => id !== null);
  const { runs, buffers } = pass(
    differentiated.program,
    [
      ...figures,
      ...routedLayers.map(({ counts }) => counts),
      ...lanes.map(({ update }) => update),
      ...differentiated.gradients.flatMap(valuesOfGradient),
    ],
    means,
  );
  const ofStep = program.buffers.filter(({ updated }) => updated === 'step').map(({ update }) => update);
  const updates = interpret(program, { bindings: {}, mode: 'training', feeds: new Map([...buffers, ...means]), wanted: ofStep });

  const mean = (id: ValueId): number => runs.reduce((sum, run) => sum + scalar(run, id), 0) / runs.length;
  const optional = (id: ValueId | null): number | null => (id === null ? null : mean(id));
  const gradients = differentiated.gradients.map((gradient, index) =>
    meanOf(runs.map((run) => denseGradient(gradient, program.parameters[index]?.shape ?? [], run).data)),
  );
  return {
    loss: mean(outputs.loss),
    crossEntropy: mean(outputs.crossEntropy),
    balance: optional(outputs.balance),
    zLoss: optional(outputs.zLoss),
    dropRate: optional(outputs.dropRate),
    counts: routedLayers.map(({ counts }) => [...meanOver(runs, counts)].map((count) => Math.round(count * runs.length))),
    gradients,
    norm: Math.sqrt(gradients.reduce((sum, gradient) => sum + gradient.reduce((inner, x) => inner + x * x, 0), 0)),
    buffers: program.buffers.map(({ updated, update, value }) => {
      if (updated === 'lane') return Float64Array.from(runs.flatMap((run) => [...valueIn(run, update).data]));
      return Float64Array.from(valueIn(updated === 'step' ? updates : buffers, updated === 'step' ? update : value).data);
    }),
  };
}

export function stateOf(state: readonly StateTensor[], kind: StateTensor['kind'], name: string): Float64Array {
  const tensor = state.find((entry) => entry.kind === kind && entry.name === name);
  if (tensor === undefined) throw new RangeError(`No ${kind} ${name}.`);
  return Float64Array.from(tensor.data);
}

function valueIn(run: Feeds | undefined, id: ValueId): NdArray {
  const value = run?.get(id);
  if (value === undefined) throw new RangeError(`Value ${id} was not computed.`);
  return value;
}

function meanOver(runs: Runs, id: ValueId): Float64Array {
  return meanOf(runs.map((run) => valueIn(run, id).data));
}

function meanOf(arrays: readonly NdArray['data'][]): Float64Array {
  const total = new Float64Array(arrays[0]?.length ?? 0);
  for (const array of arrays) array.forEach((x, i) => (total[i] = (total[i] ?? 0) + x / arrays.length));
  return total;
}
