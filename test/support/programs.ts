import type { Bindings } from '../../src/graph/dimensions';
import { bindShape, elementCount } from '../../src/graph/dimensions';
import type { ProgramBuilder, Tensor } from '../../src/graph/builder';
import type { Primitive } from '../../src/graph/primitives';
import type { DifferentiatedProgram, Program, ValueId } from '../../src/graph/program';
import { RandomStream } from '../../src/graph/random';
import type { NdArray } from '../../src/graph/reference/array';
import { denseGradient } from '../../src/graph/reference/gradientArrays';
import { interpret } from '../../src/graph/reference/interpreter';

/** A program around whatever `builder` holds, with `loss` as its loss: enough for the interpreter and for gradients. */
export function programOf(builder: ProgramBuilder, loss: Tensor): Program {
  return builder.finish({
    name: 'test',
    outputs: { loss, negativeLogLikelihood: loss, crossEntropy: loss },
    optimiser: {
      kind: 'adamw',
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      clip: 1,
      groups: { decayed: { weightDecay: 0.1, rateScale: 1 }, undecayed: { weightDecay: 0, rateScale: 1 } },
    },
  });
}

export function normals(shape: readonly number[], seed: number, scale = 1): Float64Array {
  const data = new Float64Array(elementCount(shape));
  new RandomStream(seed, 'test').fillNormal(data, scale);
  return data;
}

/** Random parameters (float64) around `scale`, with gains and the like left near their initial constant. */
export function randomParameters(program: Program, seed: number, scale = 0.5): Map<ValueId, NdArray> {
  return new Map(
    program.parameters.map((parameter, index) => {
      const data = normals(parameter.shape, seed * 1000 + index, scale);
      if (parameter.initialiser.kind === 'constant') {
        const { value } = parameter.initialiser;
        data.forEach((element, i) => (data[i] = value + 0.2 * element));
      }
      return [parameter.value, { shape: parameter.shape, data }];
    }),
  );
}

export function uniformIntegers(count: number, limit: number, seed: number): Int32Array {
  const stream = new RandomStream(seed, 'integers');
  return Int32Array.from({ length: count }, (_, index) => Math.floor(stream.uniform(index) * limit));
}

/**
 * Random tokens and targets for a language model program; some targets are ignored. Where lanes have a cache, some windows do not continue
 * it.
 */
export function randomTokens(program: Program, bindings: Bindings, vocabulary: number, seed: number): Map<ValueId, NdArray> {
  return new Map(
    program.inputs.map((input, index) => {
      const shape = bindShape(program.values[input.value]?.shape ?? [], bindings);
      const data = uniformIntegers(elementCount(shape), input.name === 'resets' ? 2 : vocabulary, seed * 10 + index);
      if (input.name === 'targets' && data.length > 2) data[1] = -1;
      return [input.value, { shape, data }];
    }),
  );
}

export function scalar(values: ReadonlyMap<ValueId, NdArray>, id: ValueId): number {
  const value = values.get(id)?.data[0];
  if (value === undefined) throw new RangeError(`Value ${id} is not a computed scalar.`);
  return value;
}

/** Buffers a little away from their start, and noises: drawn in training, at their evaluation value in evaluation. */
export function stateFeeds(program: Program, bindings: Bindings, seed: number, mode: 'training' | 'evaluation' = 'training') {
  const noises = program.noises.map(({ value, low, high, evaluation }, index): [ValueId, NdArray] => {
    const stream = new RandomStream(seed, `noise ${index}`);
    const shape = bindShape(program.values[value]?.shape ?? [], bindings);
    const element = (_: unknown, i: number): number => (mode === 'training' ? low + (high - low) * stream.uniform(i) : evaluation);
    return [value, { shape, data: Float64Array.from({ length: elementCount(shape) }, element) }];
  });
  const buffers = program.buffers.map((buffer, index): [ValueId, NdArray] => {
    const shape = bindShape(buffer.shape, bindings);
    // What a lane keeps starts at 0 and is then as large as what it keeps.
    const scale = buffer.updated === 'lane' ? 0.5 : 0.1;
    return [buffer.value, { shape, data: normals(shape, seed * 77 + index, scale).map((element) => buffer.initial + element) }];
  });
  return new Map([...buffers, ...noises]);
}

/** The gradients of a program without row-sparse tables, in the order of its parameters. */
export function denseGradients({ gradients, program }: DifferentiatedProgram): ValueId[] {
  return gradients.map((gradient, index) => {
    if (gradient.kind !== 'dense') throw new RangeError(`The gradient of ${program.parameters[index]?.name} is row-sparse.`);
    return gradient.value;
  });
}

/** The means of the step statistics over microbatches with these feeds. */
export function stepMeans(program: Program, bindings: Bindings, microbatches: readonly ReadonlyMap<ValueId, NdArray>[]) {
  const wanted = program.statistics.map(({ local }) => local);
  const runs = microbatches.map((feeds) => interpret(program, { bindings, feeds, wanted }));
  return new Map(
    program.statistics.map(({ local, mean }): [ValueId, NdArray] => {
      const locals = runs.map((run) => run.get(local) as NdArray);
      const [first] = locals;
      if (first === undefined) throw new RangeError('A step has at least one microbatch.');
      const data = Float64Array.from(first.data, (_, i) => locals.reduce((sum, { data: own }) => sum + (own[i] ?? NaN), 0) / locals.length);
      return [mean, { shape: first.shape, data }];
    }),
  );
}

/** What chooses, and passes no gradient to what it chooses by. */
const choosing: ReadonlySet<Primitive> = new Set([
  'topK',
  'expertChoice',
  'productKeys',
  'attentionImportance',
  'allocateChoices',
  'countUntil',
  'firstChoices',
]);

/** The routing decisions of a run: who chose whom, to be fed again so that routing is frozen. */
export function routingDecisions(program: Program, values: ReadonlyMap<ValueId, NdArray>): Map<ValueId, NdArray> {
  const frozen = new Map<ValueId, NdArray>();
  for (const node of program.nodes) {
    if (!choosing.has(node.op)) continue;
    for (const output of node.outputs) {
      const value = values.get(output);
      if (value !== undefined) frozen.set(output, value);
    }
  }
  return frozen;
}

/** The gradients of a differentiated program that was run with `valuesOfGradient` wanted, each as an array of its parameter's shape. */
export function gradientArrays({ program, gradients }: DifferentiatedProgram, values: ReadonlyMap<ValueId, NdArray>): NdArray[] {
  return program.parameters.map((parameter, index) => {
    const gradient = gradients[index];
    if (gradient === undefined) throw new RangeError(`${parameter.name} has no gradient.`);
    return denseGradient(gradient, parameter.shape, values);
  });
}

export { interpret };
