import type { ProductKeysConfig } from '../../../src/config/schema';
import { productKeysSchema } from '../../../src/config/productKeysSchema';
import { experimentSchema } from '../../../src/config/schema';
import type { Tensor } from '../../../src/graph/builder';
import { ProgramBuilder } from '../../../src/graph/builder';
import { product } from '../../../src/graph/dimensions';
import type { Program, Retrieval, ValueId } from '../../../src/graph/program';
import type { NdArray } from '../../../src/graph/reference/array';
import { productKeys } from '../../../src/models/productKeys';
import { interpret, normals, programOf, stateFeeds } from '../../support/programs';
import type { ProductKeysRun } from './productKeysOracle';
import { matrixOf } from './routedLayer';

export type KeysInput = Partial<ProductKeysConfig>;

export const keysConfig = (keys: KeysInput = {}): ProductKeysConfig =>
  productKeysSchema.parse({ experts: 64, heads: 2, top_k: 3, key_width: 6, ...keys });

/**
 * One layer of product keys as a program; its input x [tokens, d_model] is the parameter `x`, its loss the sum of output times the
 * parameter `g`.
 */
export interface KeysProgram {
  readonly program: Program;
  readonly config: ProductKeysConfig;
  readonly output: Tensor;
  readonly retrieval: Retrieval;
  readonly x: ValueId;
}

export function keysProgram(config: ProductKeysConfig, tokens: number, d: number): KeysProgram {
  const { model } = experimentSchema.parse({
    model: { d_model: d, layers: 1, context: tokens, attention: { heads: 1 }, ffn: { width: 4 }, product_keys: config },
  });
  const builder = new ProgramBuilder();
  const rows = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), [product(['batch', 'time'])]);
  const free = (name: string): Tensor =>
    builder.parameter(name, [tokens, d], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'embedding' });
  const [x, g] = [free('x'), free('g')];
  const { output, retrieval } = productKeys(builder, builder.gatherRows(x, rows), model, config);
  const loss = builder.sum(builder.multiply(output, builder.gatherRows(g, rows)), [0, 1]);
  return { program: programOf(builder, loss), config, output, retrieval, x: x.id };
}

const bindingsOf = (tokens: number) => ({ batch: 1, time: tokens });

export function keysFeeds({ program }: KeysProgram, tokens: number, seed: number): Map<ValueId, NdArray> {
  const order = { shape: [1, tokens], data: Int32Array.from({ length: tokens }, (_, i) => i) };
  const weights = program.parameters.map(({ value, shape }, i): [ValueId, NdArray] => [
    value,
    { shape, data: normals(shape, seed * 1000 + i, 0.8) },
  ]);
  return new Map([
    ...weights,
    ...stateFeeds(program, bindingsOf(tokens), seed),
    ...program.inputs.map(({ value }) => [value, order] as const),
  ]);
}

export function runKeys(built: KeysProgram, tokens: number, feeds: ReadonlyMap<ValueId, NdArray>, mode: 'training' | 'evaluation') {
  const { program, output, retrieval } = built;
  const wanted = [output.id, retrieval.indices, retrieval.weights, program.outputs.loss];
  const values = interpret(program, { bindings: bindingsOf(tokens), mode, feeds, wanted });
  const read = (id: ValueId): NdArray => {
    const value = values.get(id);
    if (value === undefined) throw new RangeError(`Value ${id} was not computed.`);
    return value;
  };
  return { output: matrixOf(read(output.id)), chosen: matrixOf(read(retrieval.indices)), weights: matrixOf(read(retrieval.weights)) };
}

/** The weights and running statistics of a run, as the oracle reads them. */
export function oracleRun({ program }: KeysProgram, feeds: ReadonlyMap<ValueId, NdArray>, mode: 'training' | 'evaluation'): ProductKeysRun {
  const vector = (suffix: string): number[] | undefined => {
    const buffer = program.buffers.find(({ name }) => name.endsWith(suffix));
    return buffer && Array.from(feeds.get(buffer.value)?.data ?? []);
  };
  const [mean, variance] = [vector('query_mean'), vector('query_variance')];
  const matrices = new Map(
    program.parameters.map(({ name, value }) => [name, matrixOf(feeds.get(value) ?? { shape: [0, 0], data: new Float64Array() })]),
  );
  return {
    matrix: (name) => {
      const found = matrices.get(name);
      if (found === undefined) throw new RangeError(`The layer has no parameter ${name}.`);
      return found;
    },
    running: mode === 'evaluation' && mean !== undefined && variance !== undefined ? { mean, variance } : undefined,
  };
}
