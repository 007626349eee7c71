import { experimentSchema, type ModelConfig, type MoeConfig } from '../../src/config/schema';
import { ProgramBuilder, type Tensor } from '../../src/graph/builder';
import { bindShape, elementCount, product } from '../../src/graph/dimensions';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { headWidth } from '../../src/config/attentionShape';
import { mostChoices } from '../../src/config/moeShape';
import { attention, type Attended } from '../../src/models/attention';
import { feedForward } from '../../src/models/feedForward';
import { initialisation } from '../../src/models/initialisation';
import { rotateHeads, splitHeads } from '../../src/models/heads';
import { mixtureOfExperts } from '../../src/models/mixtureOfExperts';
import { residualNorm, rmsNorm } from '../../src/models/norm';
import { productKeys } from '../../src/models/productKeys';
import { type Memory, seenWindows } from '../../src/models/relativePositions';
import { router } from '../../src/models/router';
import { denseGradients, programOf } from '../support/programs';
import { bindings, type MechanismCase } from './goldenFiles';

const tokens = product(['batch', 'time']);

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

/** An input of the case by name. */
type Given = (name: string) => Tensor;

function mechanism(builder: ProgramBuilder, golden: MechanismCase, given: Given): Readonly<Record<string, Tensor | null>> {
  const { name } = golden;
  const { model } = experimentSchema.parse({ model: golden.model });
  const { d_model: width, moe, ffn, product_keys: keys } = model;
  if (name === 'rotary') return { y: builder.rotary(given('x'), model.attention.rope_base) };
  if (name.startsWith('rotary-')) return { y: rotateHeads(builder, given('x'), model) };
  if (name === 'rms-norm') return { y: rmsNorm(builder, 'norm', given('x'), width) };
  if (name === 'layer-norm') return { y: residualNorm(builder, 'norm', model)(given('x')) };
  if (name.startsWith('quantise-activation')) return { y: builder.quantiseActivation(given('x')) };
  if (name.startsWith('quantise-weight-ternary')) return { y: builder.quantiseWeight(given('x'), 'ternary') };
  if (name.startsWith('quantise-weight-binary')) return { y: builder.quantiseWeight(given('x'), 'binary') };
  if (name.startsWith('attention-')) return { y: attention(builder, given('x'), model, memoryOf(builder, golden, given)).output };
  if (name.startsWith('feed-forward-'))
    return { y: feedForward(builder, given('x'), { ...ffn, inputs: width, role: 'ffn', initialisation: initialisation(model) }) };
  if (name === 'product-keys-order' || name === 'product-keys-ties') return { y: ranks(builder, keys?.top_k ?? Number.NaN, given) };
  if (keys !== undefined) return { y: productKeys(builder, given('x'), model, keys).output };
  if (moe === undefined) throw new RangeError(`There is no mechanism "${name}".`);
  return routing(builder, name, model, moe, given);
}

/** What chooses experts, and layers of them. */
function routing(
  builder: ProgramBuilder,
  name: string,
  model: ModelConfig,
  moe: MoeConfig,
  given: Given,
): Readonly<Record<string, Tensor | null>> {
  const { experts, top_k: k, router: config } = moe;
  const most = mostChoices(model, moe);
  if (name.startsWith('importance-')) {
    const { query, key, causal, scale } = attendedOf(builder, model, given);
    const important = builder.attentionImportance(query, key, { statistic: config.importance, causal, scale });
    return { y: builder.reshape(important, [tokens, 1]) };
  }
  if (name.startsWith('allocate')) {
    const r = builder.reshape(given('r'), ['batch', 'time']);
    return { y: firstOnes(builder, builder.allocateChoices(r, { mean: k, least: config.k_min, most, budget: config.budget }), most) };
  }
  if (name.startsWith('count-until')) {
    const scores = given('scores');
    const best = builder.takeAlongLast(scores, builder.topK(scores, most));
    return { y: firstOnes(builder, builder.countUntil(best, config.top_p), most) };
  }
  const x = given('x');
  if (name.startsWith('expert-choice')) return { y: choiceMask(builder, builder.expertChoice(x, k), x) };
  if (name.startsWith('capacity-')) {
    const order = config.capacity_priority === 'first_choice' ? 'choice' : 'unit';
    return { y: builder.withinCapacity(builder.topK(x, k), experts, config.capacity_factor ?? Number.NaN, order) };
  }
  const attended = config.select === 'dynamic' ? attendedOf(builder, model, given) : undefined;
  const context = { scope: 'micro', attended } as const;
  if (name.startsWith('router')) {
    const spec = { config, width: model.d_model, experts, k, most, unitsPerToken: 1, initialisation: initialisation(model) };
    const { weights, balance, zLoss, entropy } = router(builder, x, spec, context);
    return { y: weights, balance, zLoss, entropy };
  }
  const { output, balance, entropy } = mixtureOfExperts(builder, x, model, moe, context);
  return { y: output, balance, entropy };
}

/** The chunk before, in cases that have one. */
function memoryOf(builder: ProgramBuilder, { resets }: MechanismCase, given: Given): Memory | undefined {
  if (resets === undefined) return undefined;
  return { states: given('memory'), seen: seenWindows(builder, builder.input('resets', ['batch'], 'int32')) };
}

function attendedOf(builder: ProgramBuilder, model: ModelConfig, given: Given): Attended {
  const { heads } = model.attention;
  const [query, key] = [splitHeads(builder, given('query'), heads, model), splitHeads(builder, given('key'), heads, model)];
  return { query, key, causal: model.objective === 'causal', scale: 1 / Math.sqrt(headWidth(model)) };
}

/** The given number of its place for each of the k experts with the largest sums of scores, else 0: [tokens, experts]. */
function ranks(builder: ProgramBuilder, k: number, given: Given): Tensor {
  const [first, second] = [given('first'), given('second')];
  const size = Number(first.shape[1]) * Number(second.shape[1]);
  return builder.scatterAlongLast(builder.productKeys(first, second, k).indices, given('ranks'), size);
}

/** taken int32 [tokens, 1] -> [tokens, most], as many ones. */
function firstOnes(builder: ProgramBuilder, taken: Tensor, most: number): Tensor {
  const any = builder.topK(builder.constant(0, [tokens, most]), most);
  return builder.firstChoices(any, taken, most).kept;
}

/** Chosen units [experts, C] -> 1 where an expert chose a unit, else 0 [units, experts]. */
function choiceMask(builder: ProgramBuilder, indices: Tensor, { shape: [units = 0] }: Tensor): Tensor {
  return builder.transpose(builder.scatterAlongLast(indices, builder.greaterEqual(indices, 0), units), [1, 0]);
}

/**
 * The case's mechanism with x and the cotangents as parameters, so that they have gradients and are fed by name like the weights; the loss
 * is the sum of every output times its cotangent.
 */
export function mechanismProgram(golden: MechanismCase): MechanismProgram {
  const builder = new ProgramBuilder();
  const input = builder.input('tokens', ['batch', 'time'], 'int32');
  const rows = builder.reshape(input, [tokens]);
  const parameter = (name: string, shape: readonly number[] = []): Tensor => {
    const made = builder.parameter(name, shape, { initialiser: { kind: 'constant', value: 0 }, role: 'embedding' });
    // Rows of tokens have symbolic dimensions in a model: they come in as an embedding does.
    return shape.length === 2 ? builder.gatherRows(made, rows) : made;
  };
  const outputs = Object.entries(mechanism(builder, golden, (name) => parameter(name, golden.inputs[name]?.shape))).flatMap(
    ([name, output]) => (output === null ? [] : [[name, output] as const]),
  );
  const cotangentName = (output: string): string => `cotangent.${output}`;
  const products = outputs.map(([name, output]) => {
    const weighted = builder.multiply(output, parameter(cotangentName(name), golden.cotangents[name]?.shape));
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
  const resets = program.inputs.find(({ name }) => name === 'resets');
  if (resets !== undefined && golden.resets !== undefined) {
    feeds.set(resets.value, { shape: golden.resets.shape, data: Int32Array.from(golden.resets.data) });
  }
  for (const { shape, value, initial } of program.buffers) {
    const bound = bindShape(shape, bindings);
    feeds.set(value, { shape: bound, data: new Float64Array(elementCount(bound)).fill(initial) });
  }
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
