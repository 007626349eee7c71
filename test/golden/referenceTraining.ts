import type { Batch, StepScalars } from '../../src/engine/engine';
import { bindShape, elementCount, type Bindings } from '../../src/graph/dimensions';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import type { Buffer, DifferentiatedProgram, Program, ValueId } from '../../src/graph/program';
import { denseGradient } from '../../src/graph/reference/gradientArrays';
import { interpret, type ReferenceRun } from '../../src/graph/reference/interpreter';
import type { NdArray } from '../../src/graph/reference/array';
import type { FoundUse } from './closeness';
import type { GoldenTensors } from './goldenFiles';
import { ReferenceAdamw } from './referenceAdamw';

export interface NamedTensor {
  readonly name: string;
  readonly data: Float64Array;
}

export interface ReferenceStep extends FoundUse {
  /** Means over the microbatches; null where the program has no such output. */
  readonly figures: Readonly<Record<'loss' | 'crossEntropy' | 'balance' | 'zLoss' | 'dropRate', number | null>>;
  readonly gradientNorm: number;
  /** Averaged over the microbatches. */
  readonly gradients: readonly NamedTensor[];
  /** Of the first microbatch. */
  readonly logits: Float64Array;
}

type State = NdArray & { readonly data: Float64Array };
type Run = ReadonlyMap<ValueId, NdArray>;

/** A training session of the reference interpreter: what an engine's session does, in float64 and as plainly as can be. */
export class ReferenceTraining {
  readonly differentiated: DifferentiatedProgram;
  readonly #microbatches: number;
  readonly #bindings: Bindings;
  readonly #parameters = new Map<ValueId, State>();
  /** Of lane buffers [microbatches, ...shape]. */
  readonly #buffers = new Map<ValueId, State>();
  /** The lane buffers of evaluation. */
  readonly #evaluationLanes = new Map<ValueId, NdArray>();
  readonly #adamw: readonly ReferenceAdamw[];

  /** The tensors' names and shapes must be those of the program; lane buffers are [microbatches, ...shape]. */
  constructor(
    readonly program: Program,
    { microbatches, ...bindings }: Bindings & { readonly microbatches: number },
    parameters: GoldenTensors,
    buffers: GoldenTensors,
  ) {
    this.differentiated = differentiate(program);
    this.#microbatches = microbatches;
    this.#bindings = bindings;
    const bound = program.buffers.map((buffer) => ({ ...buffer, shape: this.#wholeShape(buffer) }));
    for (const [list, tensors, state] of [
      [program.parameters, parameters, this.#parameters],
      [bound, buffers, this.#buffers],
    ] as const) {
      const [wanted, given] = [list, Object.entries(tensors).map(([name, { shape }]) => ({ name, shape }))].map(described);
      if (wanted !== given) throw new RangeError(`The program has\n${wanted}\nand the vectors\n${given}`);
      for (const { name, shape, value } of list) state.set(value, { shape, data: Float64Array.from(tensors[name]?.data ?? []) });
    }
    for (const { value, shape, initial } of this.#lanes()) {
      const own = bindShape(shape, bindings);
      this.#evaluationLanes.set(value, { shape: own, data: new Float64Array(elementCount(own)).fill(initial) });
    }
    this.#adamw = program.parameters.map((parameter) => new ReferenceAdamw(parameter, program.optimiser));
  }

  get parameters(): readonly NamedTensor[] {
    return this.program.parameters.map(({ name, value }) => ({ name, data: stateIn(this.#parameters, value).data }));
  }

  get buffers(): readonly NamedTensor[] {
    return this.program.buffers.map(({ name, value }) => ({ name, data: stateIn(this.#buffers, value).data }));
  }

  /** What each microbatch of a step is computed from: its tokens, the present state and the means of the step. */
  feeds(microbatches: readonly Batch[]): readonly Run[] {
    const means = this.#stepMeans(microbatches);
    return microbatches.map((batch, index) => this.#feeds(batch, index, means));
  }

  step(microbatches: readonly Batch[], scalars: StepScalars): ReferenceStep {
    const { outputs, routedLayers, retrievals, buffers } = this.program;
    const logits = logitsOf(this.program);
    const scalarIds = [outputs.loss, outputs.crossEntropy, outputs.balance, outputs.zLoss, outputs.dropRate];
    const ofMicrobatch = buffers.filter(({ updated }) => updated !== 'step');
    const wanted = [
      ...scalarIds.filter((id) => id !== null),
      ...useValues(this.program),
      ...this.differentiated.gradients.flatMap(valuesOfGradient),
      ...ofMicrobatch.map(({ update }) => update),
      logits,
    ];
    const means = this.#stepMeans(microbatches);
    const runs = microbatches.map((batch, index) => {
      const run = this.#run({ wanted, mode: 'training', feeds: this.#feeds(batch, index, means) });
      for (const { value, update, updated } of ofMicrobatch) {
        const replacing = floats(run.get(update));
        stateIn(this.#buffers, value).data.set(replacing, updated === 'lane' ? index * replacing.length : 0);
      }
      return run;
    });

    const [loss, crossEntropy, balance, zLoss, dropRate] = scalarIds.map((id) => (id === null ? null : (meanOf(runs, id)[0] ?? null)));
    const gradients = averagedGradients(this.differentiated, runs);
    const gradientNorm = Math.sqrt(gradients.reduce((total, { data }) => data.reduce((sum, x) => sum + x * x, total), 0));
    this.#update(gradients, runs, gradientNorm, scalars);
    this.#replaceOnceAStep(microbatches, means);
    return {
      figures: {
        loss: loss ?? null,
        crossEntropy: crossEntropy ?? null,
        balance: balance ?? null,
        zLoss: zLoss ?? null,
        dropRate: dropRate ?? null,
      },
      gradientNorm,
      ...useOf({ routedLayers, retrievals }, runs),
      gradients,
      logits: floats(runs[0]?.get(logits)),
    };
  }

  /** One batch in evaluation mode, which goes on where the last one ended if attention remembers. */
  evaluate(batch: Batch) {
    const { outputs, noises, values } = this.program;
    const still = noises.map(({ value, evaluation }): [ValueId, NdArray] => {
      const shape = bindShape(values[value]?.shape ?? [], this.#bindings);
      return [value, { shape, data: new Float64Array(elementCount(shape)).fill(evaluation) }];
    });
    const lanes = this.#lanes();
    const wanted = [
      outputs.negativeLogLikelihood,
      ...(outputs.dropRate === null ? [] : [outputs.dropRate]),
      ...useValues(this.program),
      ...lanes.map(({ update }) => update),
    ];
    const shared = [...this.#buffers].filter(([value]) => !this.#evaluationLanes.has(value));
    const feeds = new Map([...this.#inputs(batch), ...this.#parameters, ...shared, ...this.#evaluationLanes, ...still]);
    const found = this.#run({ wanted, mode: 'evaluation', feeds });
    for (const { value, update } of lanes) {
      const next = found.get(update);
      if (next !== undefined) this.#evaluationLanes.set(value, next);
    }
    return {
      negativeLogLikelihood: floats(found.get(outputs.negativeLogLikelihood))[0] ?? Number.NaN,
      dropRate: outputs.dropRate === null ? null : (floats(found.get(outputs.dropRate))[0] ?? Number.NaN),
      ...useOf(this.program, [found]),
    };
  }

  #update(gradients: readonly NamedTensor[], runs: readonly Run[], norm: number, scalars: StepScalars): void {
    const { clip } = this.program.optimiser;
    const scale = clip !== null && norm > clip ? clip / norm : 1;
    gradients.forEach(({ data }, index) => {
      const [{ value } = { value: -1 }, adamw, gradient] = [
        this.program.parameters[index],
        this.#adamw[index],
        this.differentiated.gradients[index],
      ];
      if (adamw === undefined || gradient === undefined) throw new RangeError(`Parameter ${index} is incomplete.`);
      const clipped = data.map((element) => element * scale);
      const { data: weights } = stateIn(this.#parameters, value);
      if (gradient.kind === 'dense') adamw.step(weights, clipped, scalars);
      else {
        const read = runs.flatMap((run) => gradient.parts.flatMap(({ indices }) => Array.from(run.get(indices)?.data ?? [])));
        adamw.stepRows(weights, clipped, new Set(read), scalars);
      }
    });
  }

  #replaceOnceAStep(microbatches: readonly Batch[], means: Run): void {
    const replaced = this.program.buffers.filter(({ updated }) => updated === 'step');
    const [first] = microbatches;
    if (replaced.length === 0 || first === undefined) return;
    const wanted = replaced.map(({ update }) => update);
    const run = this.#run({ wanted, mode: 'training', feeds: this.#feeds(first, 0, means) });
    for (const { value, update } of replaced) stateIn(this.#buffers, value).data.set(floats(run.get(update)));
  }

  #stepMeans(microbatches: readonly Batch[]): Run {
    const { statistics, noises } = this.program;
    if (noises.length > 0) throw new RangeError('The reference draws no noise.');
    const wanted = statistics.map(({ local }) => local);
    const runs = microbatches.map((batch, index) => this.#run({ wanted, mode: 'training', feeds: this.#feeds(batch, index, new Map()) }));
    return new Map(
      statistics.map(({ local, mean }) => [mean, { shape: runs[0]?.get(local)?.shape ?? [], data: meanOf(runs, local) }] as const),
    );
  }

  #feeds(batch: Batch, microbatch: number, means: Run): Run {
    const buffers = this.program.buffers.map(({ value, updated }): [ValueId, NdArray] => {
      const whole = stateIn(this.#buffers, value);
      if (updated !== 'lane') return [value, whole];
      const size = whole.data.length / this.#microbatches;
      return [value, { shape: whole.shape.slice(1), data: whole.data.slice(microbatch * size, (microbatch + 1) * size) }];
    });
    return new Map([...this.#inputs(batch), ...this.#parameters, ...buffers, ...means]);
  }

  #inputs({ batch, time, tokens, targets, resets }: Batch): [ValueId, NdArray][] {
    return this.program.inputs.map(({ name, value }) => {
      if (name !== 'resets') return [value, { shape: [batch, time], data: name === 'tokens' ? tokens : targets }];
      if (resets === undefined) throw new RangeError('The batch does not say which windows go on.');
      return [value, { shape: [batch], data: resets }];
    });
  }

  #lanes(): readonly Buffer[] {
    return this.program.buffers.filter(({ updated }) => updated === 'lane');
  }

  #wholeShape({ shape, updated }: Buffer): readonly number[] {
    const bound = bindShape(shape, this.#bindings);
    return updated === 'lane' ? [this.#microbatches, ...bound] : bound;
  }

  #run(run: Omit<ReferenceRun, 'bindings'>): Run {
    return interpret(this.differentiated.program, { bindings: this.#bindings, ...run });
  }
}

function stateIn(state: ReadonlyMap<ValueId, State>, value: ValueId): State {
  const found = state.get(value);
  if (found === undefined) throw new RangeError(`Value ${value} is no state.`);
  return found;
}

/** What `useOf` reads. */
function useValues({ routedLayers, retrievals }: Program): ValueId[] {
  return [
    ...routedLayers.flatMap(({ counts, taken }) => (taken === null ? [counts] : [counts, taken])),
    ...retrievals.flatMap(({ indices, weights }) => [indices, weights]),
  ];
}

function useOf({ routedLayers, retrievals }: Pick<Program, 'routedLayers' | 'retrievals'>, runs: readonly Run[]): FoundUse {
  const summed = (id: ValueId): Float64Array => meanOf(runs, id).map((mean) => mean * runs.length);
  return {
    expertCounts: routedLayers.map(({ counts }) => summed(counts)),
    taken: routedLayers.map(({ taken }) => (taken === null ? null : summed(taken))),
    retrievals: retrievals.map(({ experts, indices, weights }) => {
      const [counts, sums] = [new Float64Array(experts), new Float64Array(experts)];
      for (const run of runs) {
        const weighed = floats(run.get(weights));
        floats(run.get(indices)).forEach((expert, i) => {
          counts[expert] = (counts[expert] ?? Number.NaN) + 1;
          sums[expert] = (sums[expert] ?? Number.NaN) + (weighed[i] ?? Number.NaN);
        });
      }
      const chosen = Array.from(counts.keys()).filter((expert) => counts[expert] !== 0);
      const of = (all: Float64Array): number[] => chosen.map((expert) => all[expert] ?? Number.NaN);
      return { experts: chosen, counts: of(counts), weights: of(sums) };
    }),
  };
}

/** By the runs of the microbatches of a step; of a table with rows as if it were dense. */
export function averagedGradients({ program, gradients }: DifferentiatedProgram, runs: readonly Run[]): readonly NamedTensor[] {
  return program.parameters.map(({ name, shape }, index) => {
    const gradient = gradients[index];
    if (gradient === undefined) throw new RangeError(`${name} has no gradient.`);
    const each = runs.map((run): [number, NdArray][] => [[index, denseGradient(gradient, shape, run)]]);
    return {
      name,
      data: meanOf(
        each.map((entries) => new Map(entries)),
        index,
      ),
    };
  });
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
function meanOf<Key>(runs: readonly ReadonlyMap<Key, { readonly data: ArrayLike<number> }>[], id: Key): Float64Array {
  const all = runs.map((run) => floats(run.get(id)));
  return (all[0] ?? new Float64Array()).map((_, i) => all.reduce((sum, data) => sum + (data[i] ?? Number.NaN), 0) / all.length);
}
