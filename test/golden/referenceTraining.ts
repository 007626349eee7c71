import type { Batch, StepScalars } from '../../src/engine/engine';
import { bindShape, elementCount, type Bindings } from '../../src/graph/dimensions';
import { differentiate } from '../../src/graph/gradients';
import type { DifferentiatedProgram, Program, ValueId } from '../../src/graph/program';
import { interpret, type ReferenceRun } from '../../src/graph/reference/interpreter';
import type { NdArray } from '../../src/graph/reference/array';
import { denseGradients } from '../support/programs';
import type { GoldenTensors } from './goldenFiles';

export interface NamedTensor {
  readonly name: string;
  readonly data: Float64Array;
}

export interface ReferenceStep {
  /** Means over the microbatches; null where the program has no such output. */
  readonly figures: Readonly<Record<'loss' | 'crossEntropy' | 'balance' | 'zLoss' | 'dropRate', number | null>>;
  readonly gradientNorm: number;
  /** Per routed layer, summed over the microbatches. */
  readonly expertCounts: readonly Float64Array[];
  /** Averaged over the microbatches. */
  readonly gradients: readonly NamedTensor[];
  /** Of the first microbatch. */
  readonly logits: Float64Array;
}

type State = NdArray & { readonly data: Float64Array };

/** A training session of the reference interpreter: what an engine's session does, in float64 and as plainly as can be. */
export class ReferenceTraining {
  readonly differentiated: DifferentiatedProgram;
  readonly #state = new Map<ValueId, State>();
  readonly #moments: readonly { readonly first: Float64Array; readonly second: Float64Array }[];

  /** The tensors' names and shapes must be those of the program. */
  constructor(
    readonly program: Program,
    readonly bindings: Bindings,
    parameters: GoldenTensors,
    buffers: GoldenTensors,
  ) {
    this.differentiated = differentiate(program);
    const bound = program.buffers.map(({ name, shape, value }) => ({ name, value, shape: bindShape(shape, bindings) }));
    const checked: readonly (readonly [
      readonly { readonly name: string; readonly value: ValueId; readonly shape: readonly number[] }[],
      GoldenTensors,
    ])[] = [
      [program.parameters, parameters],
      [bound, buffers],
    ];
    for (const [list, tensors] of checked) {
      const [wanted, given] = [list, Object.entries(tensors).map(([name, { shape }]) => ({ name, shape }))].map(described);
      if (wanted !== given) throw new RangeError(`The program has\n${wanted}\nand the vectors\n${given}`);
      for (const { name, shape, value } of list) this.#state.set(value, { shape, data: Float64Array.from(tensors[name]?.data ?? []) });
    }
    this.#moments = program.parameters.map(({ shape }) => ({
      first: new Float64Array(elementCount(shape)),
      second: new Float64Array(elementCount(shape)),
    }));
  }

  get parameters(): readonly NamedTensor[] {
    return this.program.parameters.map(({ name, value }) => ({ name, data: this.#stateOf(value) }));
  }

  get buffers(): readonly NamedTensor[] {
    return this.program.buffers.map(({ name, value }) => ({ name, data: this.#stateOf(value) }));
  }

  /** What each microbatch of a step is computed from: its tokens, the present state and the means of the step. */
  feeds(microbatches: readonly Batch[]): readonly ReadonlyMap<ValueId, NdArray>[] {
    if (this.program.noises.length > 0) throw new RangeError('The reference draws no noise.');
    const means = this.#stepMeans(microbatches);
    return microbatches.map((batch) => new Map([...this.#feeds(batch), ...means]));
  }

  step(microbatches: readonly Batch[], scalars: StepScalars): ReferenceStep {
    const { outputs, routedLayers, buffers } = this.program;
    const gradients = denseGradients(this.differentiated);
    const logits = logitsOf(this.program);
    const scalarIds = [outputs.loss, outputs.crossEntropy, outputs.balance, outputs.zLoss, outputs.dropRate];
    const counts = routedLayers.map((layer) => layer.counts);
    const wanted = [...scalarIds.filter((id) => id !== null), ...counts, ...gradients, logits];
    const feeds = this.feeds(microbatches);
    const runs = feeds.map((fed) => this.#run({ wanted, mode: 'training', feeds: fed }));

    const [loss, crossEntropy, balance, zLoss, dropRate] = scalarIds.map((id) => (id === null ? null : (meanOf(runs, id)[0] ?? null)));
    const averaged = gradients.map((id) => meanOf(runs, id));
    const gradientNorm = Math.sqrt(averaged.reduce((total, gradient) => gradient.reduce((sum, x) => sum + x * x, total), 0));
    this.#update(averaged, gradientNorm, scalars);
    const updates = buffers.map(({ update, updated, name }) => {
      if (updated !== 'step') throw new RangeError(`${name}: the reference replaces buffers once a step only.`);
      return update;
    });
    const replaced = this.#run({ wanted: updates, mode: 'training', feeds: feeds[0] ?? new Map() });
    for (const { value, update } of buffers) this.#stateOf(value).set(floats(replaced.get(update)));
    return {
      figures: {
        loss: loss ?? null,
        crossEntropy: crossEntropy ?? null,
        balance: balance ?? null,
        zLoss: zLoss ?? null,
        dropRate: dropRate ?? null,
      },
      gradientNorm,
      expertCounts: counts.map((id) => meanOf(runs, id).map((count) => count * runs.length)),
      gradients: this.program.parameters.map(({ name }, index) => ({ name, data: averaged[index] ?? new Float64Array() })),
      logits: floats(runs[0]?.get(logits)),
    };
  }

  /** One batch in evaluation mode. */
  evaluate(batch: Batch) {
    const { outputs, routedLayers, noises, values } = this.program;
    const still = noises.map(({ value, evaluation }): [ValueId, NdArray] => {
      const shape = bindShape(values[value]?.shape ?? [], this.bindings);
      return [value, { shape, data: new Float64Array(elementCount(shape)).fill(evaluation) }];
    });
    const wanted = [
      outputs.negativeLogLikelihood,
      ...(outputs.dropRate === null ? [] : [outputs.dropRate]),
      ...routedLayers.map((layer) => layer.counts),
    ];
    const found = this.#run({ wanted, mode: 'evaluation', feeds: new Map([...this.#feeds(batch), ...still]) });
    return {
      negativeLogLikelihood: floats(found.get(outputs.negativeLogLikelihood))[0] ?? Number.NaN,
      dropRate: outputs.dropRate === null ? null : (floats(found.get(outputs.dropRate))[0] ?? Number.NaN),
      expertCounts: routedLayers.map((layer) => floats(found.get(layer.counts))),
    };
  }

  /** AdamW, 1711.05101 Algorithm 2, on gradients scaled down to the clipping norm. */
  #update(gradients: readonly Float64Array[], norm: number, { step, learningRate }: StepScalars): void {
    const { beta1, beta2, epsilon, clip, groups } = this.program.optimiser;
    const scale = clip !== null && norm > clip ? clip / norm : 1;
    this.program.parameters.forEach(({ value, group }, index) => {
      const [weights, moments, gradient] = [this.#stateOf(value), this.#moments[index], gradients[index]];
      const decay = groups[group]?.weightDecay;
      if (moments === undefined || gradient === undefined || decay === undefined) throw new RangeError(`Parameter ${index} is incomplete.`);
      const { first, second } = moments;
      gradient.forEach((raw, i) => {
        const g = raw * scale;
        const m = (first[i] = beta1 * (first[i] ?? 0) + (1 - beta1) * g);
        const v = (second[i] = beta2 * (second[i] ?? 0) + (1 - beta2) * g * g);
        const direction = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
        const weight = weights[i] ?? Number.NaN;
        weights[i] = weight - learningRate * (direction + decay * weight);
      });
    });
  }

  #stepMeans(microbatches: readonly Batch[]): Map<ValueId, NdArray> {
    const { statistics } = this.program;
    const locals = statistics.map(({ local }) => local);
    const runs = microbatches.map((batch) => this.#run({ wanted: locals, mode: 'training', feeds: new Map(this.#feeds(batch)) }));
    return new Map(
      statistics.map(({ local, mean }) => [mean, { shape: runs[0]?.get(local)?.shape ?? [], data: meanOf(runs, local) }] as const),
    );
  }

  #feeds(batch: Batch): [ValueId, NdArray][] {
    const inputs = this.program.inputs.map(({ name, value }): [ValueId, NdArray] => [
      value,
      { shape: [batch.batch, batch.time], data: name === 'tokens' ? batch.tokens : batch.targets },
    ]);
    return [...inputs, ...this.#state];
  }

  #run(run: Omit<ReferenceRun, 'bindings'>): ReadonlyMap<ValueId, NdArray> {
    return interpret(this.differentiated.program, { bindings: this.bindings, ...run });
  }

  #stateOf(value: ValueId): Float64Array {
    const state = this.#state.get(value);
    if (state === undefined) throw new RangeError(`Value ${value} is no state.`);
    return state.data;
  }
}

export function logitsOf({ nodes }: Program): ValueId {
  const logits = nodes.find(({ op }) => op === 'crossEntropy')?.inputs[0];
  if (logits === undefined) throw new RangeError('The program has no cross-entropy.');
  return logits;
}

function described(tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]): string {
  return tensors
    .map(({ name, shape }) => `${name} [${shape}]`)
    .sort()
    .join('\n');
}

function floats(array: { readonly data: ArrayLike<number> } | undefined): Float64Array {
  return Float64Array.from(array?.data ?? []);
}

/** The mean over runs of a value of each. */
export function meanOf<Key>(runs: readonly ReadonlyMap<Key, { readonly data: ArrayLike<number> }>[], id: Key): Float64Array {
  const all = runs.map((run) => floats(run.get(id)));
  return (all[0] ?? new Float64Array()).map((_, i) => all.reduce((sum, data) => sum + (data[i] ?? Number.NaN), 0) / all.length);
}
