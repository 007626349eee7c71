import { experimentSchema } from '../../src/config/schema';
import { ProgramBuilder, type Tensor } from '../../src/graph/builder';
import { product } from '../../src/graph/dimensions';
import type { Program, ValueId } from '../../src/graph/program';
import { attention } from '../../src/models/attention';
import { feedForward } from '../../src/models/feedForward';
import { mixtureOfExperts } from '../../src/models/mixtureOfExperts';
import { rmsNorm } from '../../src/models/norm';
import { router } from '../../src/models/router';
import { programOf } from '../support/programs';
import type { MechanismCase } from './goldenFiles';

export interface MechanismProgram {
  readonly program: Program;
  /** The mechanism's outputs by their golden names. */
  readonly outputs: Readonly<Record<string, ValueId>>;
}

/** The parameter that holds the cotangent of an output. */
export const cotangentName = (output: string): string => `cotangent.${output}`;

function mechanism(builder: ProgramBuilder, { name, model: config }: MechanismCase, x: Tensor): Readonly<Record<string, Tensor>> {
  const { model } = experimentSchema.parse({ model: config });
  const { d_model: width, moe, ffn } = model;
  if (name === 'rotary') return { y: builder.rotary(x, model.attention.rope_base) };
  if (name === 'rms-norm') return { y: rmsNorm(builder, 'norm', x, width) };
  if (name.startsWith('attention-')) return { y: attention(builder, x, model) };
  if (name.startsWith('feed-forward-')) return { y: feedForward(builder, x, { ...ffn, inputs: width, layers: model.layers, role: 'ffn' }) };
  if (moe === undefined) throw new RangeError(`There is no mechanism "${name}".`);
  if (name.startsWith('router')) {
    const { weights, balance } = router(builder, x, width, moe);
    return { y: weights, balance };
  }
  const { output, balance } = mixtureOfExperts(builder, x, model, moe);
  return { y: output, balance };
}

/** The case's mechanism with x and the cotangents as parameters, so that they have gradients and are fed by name like the weights. */
export function mechanismProgram(golden: MechanismCase): MechanismProgram {
  const builder = new ProgramBuilder();
  const tokens = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), [product(['batch', 'time'])]);
  const given = (name: string, shape: readonly number[] = []): Tensor => {
    const parameter = builder.parameter(name, shape, { initialiser: { kind: 'constant', value: 0 }, role: 'embedding' });
    // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
    return shape.length === 2 ? builder.gatherRows(parameter, tokens) : parameter;
  };
  const outputs = mechanism(builder, golden, given('x', golden.inputs['x']?.shape));
  const products = Object.entries(outputs).map(([name, output]) => {
    const weighted = builder.multiply(output, given(cotangentName(name), golden.cotangents[name]?.shape));
    return builder.sum(
      weighted,
      weighted.shape.map((_, axis) => axis),
    );
  });
  const loss = products.reduce((sum, next) => builder.add(sum, next));
  return {
    program: programOf(builder, loss),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { id }]) => [name, id])),
  };
}
