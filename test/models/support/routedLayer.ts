import type { ModelConfig } from '../../../src/config/schema';
import { ProgramBuilder } from '../../../src/graph/builder';
import { product } from '../../../src/graph/dimensions';
import type { Program, ValueId } from '../../../src/graph/program';
import type { NdArray } from '../../../src/graph/reference/array';
import type { BalanceScope } from '../../../src/models/balance';
import type { RoutedOutput } from '../../../src/models/mixtureOfExperts';
import { mixtureOfExperts } from '../../../src/models/mixtureOfExperts';
import { interpret, programOf, randomParameters, scalar, stateFeeds, stepMeans } from '../../support/programs';
import type { LayerWeights, Matrix } from './routedLayerOracle';

/** One routed layer as a program; its input x [tokens, d_model] is the parameter `x`. */
export interface RoutedLayerProgram {
  readonly program: Program;
  readonly routed: RoutedOutput;
  readonly x: ValueId;
}

export function routedLayerProgram(model: ModelConfig, tokens: number, scope: BalanceScope = 'micro'): RoutedLayerProgram {
  if (model.moe === undefined) throw new RangeError('The model has no routed layers.');
  const builder = new ProgramBuilder();
  const rows = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), [product(['batch', 'time'])]);
  const x = builder.parameter('x', [tokens, model.d_model], {
    initialiser: { kind: 'normal', standardDeviation: 1 },
    role: 'embedding',
  });
  // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
  const routed = mixtureOfExperts(builder, builder.gatherRows(x, rows), model, model.moe, { scope });
  return { program: programOf(builder, builder.sum(routed.output, [0, 1])), routed, x: x.id };
}

const bindingsOf = (tokens: number) => ({ batch: 1, time: tokens });

/** Random weights, state and input for one run of the layer. */
export function layerFeeds(
  { program }: RoutedLayerProgram,
  tokens: number,
  seed: number,
  mode: 'training' | 'evaluation' = 'training',
): Map<ValueId, NdArray> {
  const order: [ValueId, NdArray][] = program.inputs.map(({ value }) => [
    value,
    { shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) },
  ]);
  return new Map([...randomParameters(program, seed, 0.7), ...stateFeeds(program, bindingsOf(tokens), seed, mode), ...order]);
}

/** Everything that one run of the layer gives. */
export function runLayer(
  { program, routed }: RoutedLayerProgram,
  tokens: number,
  feeds: ReadonlyMap<ValueId, NdArray>,
  mode: 'training' | 'evaluation' = 'training',
) {
  const means = stepMeans(program, bindingsOf(tokens), [feeds]);
  const { output, balance, zLoss, dropRate, layer } = routed;
  const given = [balance?.id, zLoss?.id, dropRate?.id, layer.dropped].filter((id) => id !== null && id !== undefined);
  const updates = program.buffers.map(({ update }) => update);
  const values = interpret(program, {
    bindings: bindingsOf(tokens),
    mode,
    feeds: new Map([...means, ...feeds]),
    wanted: [output.id, layer.counts, ...given, ...updates],
  });
  const figure = (id: ValueId | null | undefined): number | undefined => (id === null || id === undefined ? undefined : scalar(values, id));
  return {
    output: Array.from(values.get(output.id)?.data ?? []),
    counts: Array.from(values.get(layer.counts)?.data ?? []),
    balance: figure(balance?.id),
    zLoss: figure(zLoss?.id),
    dropRate: figure(dropRate?.id),
    dropped: figure(layer.dropped),
    updates: updates.map((id) => Array.from(values.get(id)?.data ?? [])),
  };
}

export function matrixOf({ shape, data }: NdArray): Matrix {
  const columns = shape.at(-1) ?? 0;
  return Array.from({ length: data.length / columns }, (_, row) => Array.from(data.subarray(row * columns, (row + 1) * columns)));
}

/** The weights of a run by name, as the oracle reads them. */
export function oracleWeights({ program }: RoutedLayerProgram, feeds: ReadonlyMap<ValueId, NdArray>): LayerWeights {
  const find = (name: string): NdArray => {
    const value = feeds.get(program.parameters.find((parameter) => parameter.name === name)?.value ?? -1);
    if (value === undefined) throw new RangeError(`The layer has no parameter ${name}.`);
    return value;
  };
  return {
    matrix: (name) => matrixOf(find(name)),
    stacked: (name) => {
      const { shape, data } = find(name);
      const [experts = 0, inputs = 0, outputs = 0] = shape;
      const size = inputs * outputs;
      return Array.from({ length: experts }, (_, e) =>
        matrixOf({ shape: [inputs, outputs], data: data.subarray(e * size, (e + 1) * size) }),
      );
    },
  };
}
