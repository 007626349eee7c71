import type { ModelConfig } from '../../../src/config/schema';
import type { Tensor } from '../../../src/graph/builder';
import { ProgramBuilder } from '../../../src/graph/builder';
import { product } from '../../../src/graph/dimensions';
import type { Program, ValueId } from '../../../src/graph/program';
import type { NdArray } from '../../../src/graph/reference/array';
import type { Attended } from '../../../src/models/attention';
import type { BalanceScope } from '../../../src/models/balance';
import type { RoutedOutput } from '../../../src/models/mixtureOfExperts';
import { mixtureOfExperts } from '../../../src/models/mixtureOfExperts';
import { interpret, programOf, randomParameters, scalar, stateFeeds, stepMeans } from '../../support/programs';
import type { HeadRows } from './dynamicOracle';
import type { LayerWeights, Matrix } from './routedLayerOracle';

/** One routed layer as a program; its input x [tokens, d_model] is the parameter `x`. */
export interface RoutedLayerProgram {
  readonly program: Program;
  readonly routed: RoutedOutput;
  readonly x: ValueId;
  /** Rows of the parameters `query` and `key` [tokens, heads * width], which stand for the attention of the layer. */
  readonly attended: { readonly query: ValueId; readonly key: ValueId } | undefined;
  /** Windows that the tokens are. */
  readonly windows: number;
}

const attendedHeads = 2;
const attendedWidth = 3;
const attendedScale = 0.9;

/** Queries and keys of an attention, each row a token of the parameters `query` and `key`. */
function attendedBy(builder: ProgramBuilder, tokens: number, rows: Tensor, causal: boolean) {
  const free = (name: 'query' | 'key'): Tensor =>
    builder.parameter(name, [tokens, attendedHeads * attendedWidth], {
      initialiser: { kind: 'normal', standardDeviation: 1 },
      role: 'embedding',
    });
  const byHead = (table: Tensor): Tensor =>
    builder.transpose(builder.reshape(builder.gatherRows(table, rows), ['batch', 'time', attendedHeads, attendedWidth]), [0, 2, 1, 3]);
  const [query, key] = [free('query'), free('key')];
  const attended: Attended = { query: byHead(query), key: byHead(key), causal, scale: attendedScale };
  return { attended, ids: { query: query.id, key: key.id } };
}

export function routedLayerProgram(
  model: ModelConfig,
  tokens: number,
  { scope = 'micro', windows = 1 }: { readonly scope?: BalanceScope; readonly windows?: number } = {},
): RoutedLayerProgram {
  if (model.moe === undefined) throw new RangeError('The model has no routed layers.');
  const builder = new ProgramBuilder();
  const rows = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), [product(['batch', 'time'])]);
  const x = builder.parameter('x', [tokens, model.d_model], {
    initialiser: { kind: 'normal', standardDeviation: 1 },
    role: 'embedding',
  });
  // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
  const made = model.moe.router.select === 'dynamic' ? attendedBy(builder, tokens, rows, model.objective === 'causal') : undefined;
  const routed = mixtureOfExperts(builder, builder.gatherRows(x, rows), model, model.moe, { scope, attended: made?.attended });
  return { program: programOf(builder, builder.sum(routed.output, [0, 1])), routed, x: x.id, attended: made?.ids, windows };
}

const bindingsOf = (tokens: number, windows: number) => ({ batch: windows, time: tokens / windows });

/** Random weights, state and input for one run of the layer. */
export function layerFeeds(
  { program, windows }: RoutedLayerProgram,
  tokens: number,
  seed: number,
  mode: 'training' | 'evaluation' = 'training',
): Map<ValueId, NdArray> {
  const order: [ValueId, NdArray][] = program.inputs.map(({ value }) => [
    value,
    { shape: [windows, tokens / windows], data: Int32Array.from({ length: tokens }, (_, i) => i) },
  ]);
  return new Map([...randomParameters(program, seed, 0.7), ...stateFeeds(program, bindingsOf(tokens, windows), seed, mode), ...order]);
}

/** Everything that one run of the layer gives. */
export function runLayer(
  { program, routed, windows }: RoutedLayerProgram,
  tokens: number,
  feeds: ReadonlyMap<ValueId, NdArray>,
  mode: 'training' | 'evaluation' = 'training',
) {
  const bindings = bindingsOf(tokens, windows);
  const means = stepMeans(program, bindings, [feeds]);
  const { output, balance, zLoss, entropy, dropRate, layer } = routed;
  const given = [balance?.id, zLoss?.id, entropy?.id, dropRate?.id, layer.dropped, layer.taken].filter(
    (id) => id !== null && id !== undefined,
  );
  const updates = program.buffers.map(({ update }) => update);
  const values = interpret(program, {
    bindings,
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
    entropy: figure(entropy?.id),
    taken: layer.taken === null ? undefined : Array.from(values.get(layer.taken)?.data ?? []),
    dropRate: figure(dropRate?.id),
    dropped: figure(layer.dropped),
    updates: updates.map((id) => Array.from(values.get(id)?.data ?? [])),
  };
}

export function matrixOf({ shape, data }: NdArray): Matrix {
  const columns = shape.at(-1) ?? 0;
  return Array.from({ length: data.length / columns }, (_, row) => Array.from(data.subarray(row * columns, (row + 1) * columns)));
}

/** The attention of a run, as the oracle reads it; undefined where nothing depends on it. */
export function attendedRows({ attended, windows }: RoutedLayerProgram, feeds: ReadonlyMap<ValueId, NdArray>, causal: boolean) {
  if (attended === undefined) return undefined;
  const byHead = (id: ValueId): HeadRows => {
    const rows = matrixOf(feeds.get(id) ?? { shape: [0, 0], data: new Float64Array() });
    const time = rows.length / windows;
    return Array.from({ length: windows }, (_, window) =>
      Array.from({ length: attendedHeads }, (__, head) =>
        rows.slice(window * time, (window + 1) * time).map((row) => row.slice(head * attendedWidth, (head + 1) * attendedWidth)),
      ),
    );
  };
  return { query: byHead(attended.query), key: byHead(attended.key), causal, scale: attendedScale };
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
