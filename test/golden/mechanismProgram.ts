import { experimentSchema } from '../../src/config/schema';
import { ProgramBuilder, type Tensor } from '../../src/graph/builder';
import { product } from '../../src/graph/dimensions';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { attention } from '../../src/models/attention';
import { feedForward } from '../../src/models/feedForward';
import { initialisation } from '../../src/models/initialisation';
import { mixtureOfExperts } from '../../src/models/mixtureOfExperts';
import { rmsNorm } from '../../src/models/norm';
import { router } from '../../src/models/router';
import { denseGradients, programOf } from '../support/programs';
import { bindings, type MechanismCase } from './goldenFiles';

/** A value of a program and what the vectors say about it. */
export interface Expectation {
  readonly value: ValueId;
  readonly what: string;
  readonly data: readonly number[];
}

export interface MechanismProgram {
  /** With its gradients. */
  readonly program: Program;
  readonly feeds: ReadonlyMap<ValueId, NdArray & { readonly data: Float64Array | Int32Array }>;
  readonly expectations: readonly Expectation[];
}

function mechanism(builder: ProgramBuilder, { name, model: config }: MechanismCase, x: Tensor): Readonly<Record<string, Tensor | null>> {
  const { model } = experimentSchema.parse({ model: config });
  const { d_model: width, moe, ffn } = model;
  if (name === 'rotary') return { y: builder.rotary(x, model.attention.rope_base) };
  if (name === 'rms-norm') return { y: rmsNorm(builder, 'norm', x, width) };
  if (name.startsWith('quantise-activation')) return { y: builder.quantiseActivation(x) };
  if (name.startsWith('quantise-weight-ternary')) return { y: builder.quantiseWeight(x, 'ternary') };
  if (name.startsWith('quantise-weight-binary')) return { y: builder.quantiseWeight(x, 'binary') };
  if (name.startsWith('attention-')) return { y: attention(builder, x, model).output };
  if (name.startsWith('feed-forward-'))
    return { y: feedForward(builder, x, { ...ffn, inputs: width, role: 'ffn', initialisation: initialisation(model) }) };
  if (moe === undefined) throw new RangeError(`There is no mechanism "${name}".`);
  const { experts, top_k: k, router: routing } = moe;
  if (name.startsWith('expert-choice')) return { y: choiceMask(builder, builder.expertChoice(x, k), x) };
  if (name.startsWith('capacity-')) {
    const order = routing.capacity_priority === 'first_choice' ? 'choice' : 'unit';
    return { y: builder.withinCapacity(builder.topK(x, k), experts, routing.capacity_factor ?? Number.NaN, order) };
  }
  if (name.startsWith('router')) {
    const spec = { config: routing, width, experts, k, most: k, unitsPerToken: 1, initialisation: initialisation(model) };
    const { weights, balance, zLoss } = router(builder, x, spec, { scope: 'micro' });
    return { y: weights, balance, zLoss };
  }
  const { output, balance } = mixtureOfExperts(builder, x, model, moe, { scope: 'micro' });
  return { y: output, balance };
}

/** Chosen units [experts, C] -> 1 where an expert chose a unit, else 0 [units, experts]. */
function choiceMask(builder: ProgramBuilder, indices: Tensor, { shape: [units = 0] }: Tensor): Tensor {
  return builder.transpose(builder.scatterAlongLast(indices, builder.greaterEqual(indices, 0), units), [1, 0]);
}

/**
 * The case's mechanism with x and the cotangents as parameters, so that they have gradients and are fed by name like the weights; the loss is the
 * sum of every output times its cotangent.
 */
export function mechanismProgram(golden: MechanismCase): MechanismProgram {
  const builder = new ProgramBuilder();
  const input = builder.input('tokens', ['batch', 'time'], 'int32');
  const tokens = builder.reshape(input, [product(['batch', 'time'])]);
  const given = (name: string, shape: readonly number[] = []): Tensor => {
    const parameter = builder.parameter(name, shape, { initialiser: { kind: 'constant', value: 0 }, role: 'embedding' });
    // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
    return shape.length === 2 ? builder.gatherRows(parameter, tokens) : parameter;
  };
  const outputs = Object.entries(mechanism(builder, golden, given('x', golden.inputs['x']?.shape))).flatMap(([name, output]) =>
    output === null ? [] : [[name, output] as const],
  );
  const cotangentName = (output: string): string => `cotangent.${output}`;
  const products = outputs.map(([name, output]) => {
    const weighted = builder.multiply(output, given(cotangentName(name), golden.cotangents[name]?.shape));
    return builder.sum(
      weighted,
      weighted.shape.map((_, axis) => axis),
    );
  });
  const loss = products.reduce((sum, next) => builder.add(sum, next));
  const differentiated = differentiate(programOf(builder, loss));
  const { program } = differentiated;
  const gradients = denseGradients(differentiated);

  const tensors = {
    ...golden.inputs,
    ...Object.fromEntries(Object.entries(golden.cotangents).map(([name, tensor]) => [cotangentName(name), tensor])),
  };
  const feeds = new Map<ValueId, NdArray & { readonly data: Float64Array | Int32Array }>([
    [input.id, { shape: [bindings.batch, bindings.time], data: Int32Array.from(Array(bindings.batch * bindings.time).keys()) }],
  ]);
  for (const { name, shape, value } of program.parameters) {
    const tensor = tensors[name];
    if (String(tensor?.shape) !== String(shape)) throw new RangeError(`${name} is [${shape}], in the vectors [${tensor?.shape}].`);
    feeds.set(value, { shape, data: Float64Array.from(tensor?.data ?? []) });
  }
  const forward = outputs.map(([name, { id }]) => ({ value: id, what: name, data: golden.outputs[name]?.data ?? [] }));
  const backward = program.parameters.flatMap(({ name }, index) => {
    const [value, gradient] = [gradients[index], golden.gradients[name]];
    return value === undefined || gradient === undefined ? [] : [{ value, what: `gradient of ${name}`, data: gradient.data }];
  });
  if (forward.length !== Object.keys(golden.outputs).length || backward.length !== Object.keys(golden.inputs).length) {
    throw new RangeError(`${golden.name}: the program lacks an output or an input of the vectors.`);
  }
  return { program, feeds, expectations: [...forward, ...backward] };
}
