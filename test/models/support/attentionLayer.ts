import type { ModelConfig } from '../../../src/config/schema';
import type { Tensor } from '../../../src/graph/builder';
import { ProgramBuilder } from '../../../src/graph/builder';
import { product } from '../../../src/graph/dimensions';
import { differentiate } from '../../../src/graph/gradients';
import type { Program, ValueId } from '../../../src/graph/program';
import type { NdArray } from '../../../src/graph/reference/array';
import type { Attended } from '../../../src/models/attention';
import { seenWindows, type Memory } from '../../../src/models/relativePositions';
import { denseGradients, interpret, normals, programOf } from '../../support/programs';
import { tinyExperiment } from '../../support/experiments';

/** Builds one layer's attention on x [tokens, d_model], with or without the cached chunk. */
export type AttentionLayer = (
  builder: ProgramBuilder,
  x: Tensor,
  model: ModelConfig,
  memory?: Memory,
) => { readonly output: Tensor; readonly attended?: Attended };

export const layerBindings = { batch: 2, time: 5 };

/**
 * One layer of attention as a program whose loss weighs every output differently; x, and the cached states with `position: xl`, are
 * parameters, so that their gradients come out too. The second window does not see its cache.
 */
export function attentionProgram(layer: AttentionLayer, attention: Record<string, unknown>): Program {
  const { model } = tinyExperiment({ attention });
  const { batch, time } = layerBindings;
  const builder = new ProgramBuilder();
  const order = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), [product(['batch', 'time'])]);
  // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
  const rows = (name: string): Tensor => {
    const table = builder.parameter(name, [batch * time, model.d_model], {
      initialiser: { kind: 'normal', standardDeviation: 1 },
      role: 'embedding',
    });
    return builder.gatherRows(table, order);
  };
  const x = rows('x');
  const memory =
    model.attention.position === 'xl'
      ? { states: rows('memory'), seen: seenWindows(builder, builder.input('resets', ['batch'], 'int32')) }
      : undefined;
  const { output } = layer(builder, x, model, memory);
  const weighted = builder.multiply(output, rows('weights of the loss'));
  return programOf(builder, builder.sum(weighted, [0, 1]));
}

/** The output's weighted sum and the gradients by parameter, in training. Parameters of one name get the same numbers in every program. */
export function attentionRun(
  program: Program,
  scale = 0.6,
): { readonly loss: number; readonly gradients: ReadonlyMap<string, Float64Array> } {
  const differentiated = differentiate(program);
  const gradients = denseGradients(differentiated);
  const feeds = attentionFeeds(program, scale);
  const values = interpret(differentiated.program, { bindings: layerBindings, feeds, wanted: [program.outputs.loss, ...gradients] });
  const data = (id: ValueId | undefined): Float64Array => Float64Array.from(values.get(id ?? -1)?.data ?? []);
  return {
    loss: data(program.outputs.loss)[0] ?? NaN,
    gradients: new Map(program.parameters.map(({ name }, index) => [name, data(gradients[index])])),
  };
}

/** Every parameter's numbers depend on its name alone. */
export function attentionFeeds(program: Program, scale = 0.6): Map<ValueId, NdArray> {
  const seed = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7);
  const { batch, time } = layerBindings;
  return new Map<ValueId, NdArray>([
    ...program.parameters.map(({ name, value, shape }): [ValueId, NdArray] => [value, { shape, data: normals(shape, seed(name), scale) }]),
    ...program.inputs.map(({ name, value }): [ValueId, NdArray] =>
      name === 'resets'
        ? [value, { shape: [batch], data: Int32Array.of(0, 1) }]
        : [value, { shape: [batch, time], data: Int32Array.from({ length: batch * time }, (_, i) => i) }],
    ),
  ]);
}
