import type { Dimension, Shape } from './dimensions';
import type { ActivationKind, DType, Primitive, PrimitiveAttributes } from './primitives';
import type {
  Buffer,
  Initialiser,
  Noise,
  Parameter,
  ParameterRole,
  Program,
  ProgramInput,
  ProgramNode,
  StepStatistic,
  Value,
  ValueId,
} from './program';
import { ShapeError, shapeRules } from './shapes';
import type { ShapeRule } from './shapes';

/** A value while the program is built: its id with its shape at hand. */
export interface Tensor {
  readonly id: ValueId;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface ParameterOptions {
  readonly initialiser: Initialiser;
  readonly role: ParameterRole;
  readonly group?: string;
  readonly shardAxis?: number;
  readonly activeFraction?: number;
  /** See Parameter.gradient; dense where absent. */
  readonly gradient?: Parameter['gradient'];
}

/** What relativeAttention reads; see primitives.ts for shapes. */
export interface RelativeAttentionOperands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly memoryKeys: Tensor;
  readonly memoryValues: Tensor;
  readonly positions: Tensor;
  readonly seen: Tensor;
}

/** What makes a program of nodes: its outputs, where null or absent is none, and how it is trained. */
export interface ProgramEnd extends Pick<Program, 'name' | 'optimiser'>, Partial<Pick<Program, 'routedLayers' | 'retrievals'>> {
  readonly outputs: Readonly<Record<'loss' | 'negativeLogLikelihood' | 'crossEntropy', Tensor>> & {
    readonly [Auxiliary in 'balance' | 'zLoss' | 'dropRate']?: Tensor | null;
  };
}

/** Routed rows of one layer, as `route` lays them out. */
export interface Routing {
  readonly slots: Tensor;
  readonly order: Tensor;
  readonly counts: Tensor;
}

/**
 * Builds a program node by node, checking shapes. Constants are shared; scopes nest with `inScope`.
 * Methods are named like the primitives of primitives.ts, where their semantics stand.
 */
export class ProgramBuilder {
  readonly values: Value[] = [];
  readonly nodes: ProgramNode[] = [];
  readonly inputs: ProgramInput[] = [];
  readonly parameters: Parameter[] = [];
  readonly buffers: Buffer[] = [];
  readonly statistics: StepStatistic[] = [];
  readonly noises: Noise[] = [];
  readonly #constants = new Map<string, Tensor>();
  #scope: string;

  /** `existing` continues a program (its backward pass) instead of starting an empty one. */
  constructor(existing?: { readonly values: readonly Value[]; readonly nodes: readonly ProgramNode[] }, scope = '') {
    if (existing !== undefined) {
      this.values.push(...existing.values);
      this.nodes.push(...existing.nodes);
    }
    this.#scope = scope;
  }

  get scope(): string {
    return this.#scope;
  }

  inScope<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === '' ? name : `${outer}.${name}`;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  tensor(id: ValueId): Tensor {
    const value = this.values[id];
    if (value === undefined) throw new ShapeError(`There is no value ${id}.`);
    return { id, ...value };
  }

  /** Appends a node of any primitive and returns its outputs. */
  node<P extends Primitive>(op: P, attributes: PrimitiveAttributes[P], inputs: readonly Tensor[]): Tensor[] {
    let outputs: Value[];
    try {
      // The table is total and keyed by op, so the rule found fits the attributes; TypeScript cannot correlate the two.
      outputs = (shapeRules[op] as ShapeRule<P>)(attributes, inputs);
    } catch (error) {
      if (error instanceof ShapeError) throw new ShapeError(`${this.#scope}: ${op}: ${error.message}`, { cause: error });
      throw error;
    }
    const tensors = outputs.map((value) => this.#value(value));
    this.nodes.push({
      op,
      attributes,
      inputs: inputs.map((input) => input.id),
      outputs: tensors.map((tensor) => tensor.id),
      scope: this.#scope,
    } as ProgramNode);
    return tensors;
  }

  #one<P extends Primitive>(op: P, attributes: PrimitiveAttributes[P], inputs: readonly Tensor[]): Tensor {
    const [output] = this.node(op, attributes, inputs);
    if (output === undefined) throw new ShapeError(`${op} has no output.`);
    return output;
  }

  #value(value: Value): Tensor {
    this.values.push({ shape: value.shape, dtype: value.dtype });
    return { id: this.values.length - 1, shape: value.shape, dtype: value.dtype };
  }

  input(name: string, shape: Shape, dtype: DType): Tensor {
    const tensor = this.#value({ shape, dtype });
    this.inputs.push({ name, value: tensor.id });
    return tensor;
  }

  /** A trained tensor, named after the scope it is made in. */
  parameter(name: string, shape: readonly number[], options: ParameterOptions): Tensor {
    const tensor = this.#value({ shape, dtype: 'float32' });
    this.parameters.push({
      name: this.#named(name),
      value: tensor.id,
      shape,
      initialiser: options.initialiser,
      group: options.group ?? 'decayed',
      gradient: options.gradient ?? 'dense',
      shardAxis: options.shardAxis ?? null,
      activeFraction: options.activeFraction ?? 1,
      role: options.role,
    });
    return tensor;
  }

  /** State that is not a parameter, named after the scope it is made in; `update` makes its next value out of it. */
  buffer(
    name: string,
    shape: Shape,
    options: { readonly initial: number; readonly updated: Buffer['updated']; readonly update: (current: Tensor) => Tensor },
  ): Tensor {
    const tensor = this.#value({ shape, dtype: 'float32' });
    const { initial, updated } = options;
    this.buffers.push({ name: this.#named(name), value: tensor.id, shape, initial, updated, update: options.update(tensor).id });
    return tensor;
  }

  /** The mean of `local` over the microbatches of a step, without gradient. */
  stepMean(name: string, local: Tensor): Tensor {
    const mean = this.#value({ shape: local.shape, dtype: local.dtype });
    this.statistics.push({ name: this.#named(name), local: local.id, mean: mean.id });
    return mean;
  }

  /** Uniform noise in [low, high) while training, `evaluation` everywhere in evaluation. */
  noise(name: string, shape: Shape, range: { readonly low: number; readonly high: number; readonly evaluation: number }): Tensor {
    const tensor = this.#value({ shape, dtype: 'float32' });
    this.noises.push({ name: this.#named(name), value: tensor.id, ...range });
    return tensor;
  }

  #named(name: string): string {
    return this.#scope === '' ? name : `${this.#scope}.${name}`;
  }

  /** `value / product(divideBy)` everywhere; equal constants are one node. */
  constant(value: number, shape: Shape = [], divideBy: Shape = []): Tensor {
    const key = JSON.stringify([value, shape, divideBy]);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.#one('constant', { value, shape, divideBy }, []);
    this.#constants.set(key, made);
    return made;
  }

  add = (a: Tensor, b: Tensor): Tensor => this.#one('add', {}, [a, b]);
  subtract = (a: Tensor, b: Tensor): Tensor => this.#one('subtract', {}, [a, b]);
  multiply = (a: Tensor, b: Tensor): Tensor => this.#one('multiply', {}, [a, b]);
  divide = (a: Tensor, b: Tensor): Tensor => this.#one('divide', {}, [a, b]);
  negate = (x: Tensor): Tensor => this.#one('negate', {}, [x]);
  exp = (x: Tensor): Tensor => this.#one('exp', {}, [x]);
  log = (x: Tensor): Tensor => this.#one('log', {}, [x]);
  sqrt = (x: Tensor): Tensor => this.#one('sqrt', {}, [x]);
  sigmoid = (x: Tensor): Tensor => this.#one('sigmoid', {}, [x]);
  tanh = (x: Tensor): Tensor => this.#one('tanh', {}, [x]);
  activation = (kind: ActivationKind, x: Tensor): Tensor => this.#one('activation', { kind }, [x]);
  activationGradient = (kind: ActivationKind, x: Tensor, g: Tensor): Tensor => this.#one('activationGradient', { kind }, [x, g]);
  greaterEqual = (x: Tensor, value: number): Tensor => this.#one('greaterEqual', { value }, [x]);
  trainingMode = (): Tensor => this.#one('trainingMode', {}, []);
  sign = (x: Tensor): Tensor => this.#one('sign', {}, [x]);
  stopGradient = (x: Tensor): Tensor => this.#one('stopGradient', {}, [x]);
  reshape = (x: Tensor, shape: Shape): Tensor => this.#one('reshape', { shape }, [x]);
  transpose = (x: Tensor, permutation: readonly number[]): Tensor => this.#one('transpose', { permutation }, [x]);
  expand = (x: Tensor, shape: Shape): Tensor => this.#one('expand', { shape }, [x]);
  slice = (x: Tensor, axis: number, start: number, end: number): Tensor => this.#one('slice', { axis, start, end }, [x]);
  pad = (x: Tensor, axis: number, before: number, after: number): Tensor => this.#one('pad', { axis, before, after }, [x]);
  concat = (parts: readonly Tensor[], axis: number): Tensor => this.#one('concat', { axis }, parts);
  sum = (x: Tensor, axes: readonly number[], keepDimensions = false): Tensor => this.#one('sum', { axes, keepDimensions }, [x]);
  softmax = (x: Tensor): Tensor => this.#one('softmax', {}, [x]);
  logSumExp = (x: Tensor): Tensor => this.#one('logSumExp', {}, [x]);
  rmsNorm = (x: Tensor, gain: Tensor, epsilon: number): Tensor => this.#one('rmsNorm', { epsilon }, [x, gain]);
  rotary = (x: Tensor, base: number, inverse = false): Tensor => this.#one('rotary', { base, inverse }, [x]);
  attention = (q: Tensor, k: Tensor, v: Tensor, causal: boolean, scale: number): Tensor =>
    this.#one('attention', { causal, scale }, [q, k, v]);
  gatherRows = (table: Tensor, indices: Tensor): Tensor => this.#one('gatherRows', {}, [table, indices]);
  scatterRows = (indices: Tensor, values: Tensor, rows: Dimension): Tensor => this.#one('scatterRows', { rows }, [indices, values]);
  crossEntropy = (logits: Tensor, targets: Tensor): Tensor => this.#one('crossEntropy', {}, [logits, targets]);
  sinusoid = (rows: Dimension, width: number): Tensor => this.#one('sinusoid', { rows, width }, []);
  relativeAttention = (operands: RelativeAttentionOperands, scale: number): Tensor => {
    const { q, k, v, memoryKeys, memoryValues, positions, seen } = operands;
    return this.#one('relativeAttention', { scale }, [q, k, v, memoryKeys, memoryValues, positions, seen]);
  };
  attentionImportance = (q: Tensor, k: Tensor, attributes: PrimitiveAttributes['attentionImportance']): Tensor =>
    this.#one('attentionImportance', attributes, [q, k]);
  topK = (x: Tensor, k: number, groups = 1): Tensor => this.#one('topK', { k, groups }, [x]);
  rowDot = (table: Tensor, indices: Tensor, x: Tensor): Tensor => this.#one('rowDot', {}, [table, indices, x]);
  rowSum = (table: Tensor, indices: Tensor, weights: Tensor): Tensor => this.#one('rowSum', {}, [table, indices, weights]);
  rowOuter = (indices: Tensor, coefficients: Tensor, vectors: Tensor, rows: Dimension): Tensor =>
    this.#one('rowOuter', { rows }, [indices, coefficients, vectors]);
  allocateChoices = (r: Tensor, attributes: PrimitiveAttributes['allocateChoices']): Tensor =>
    this.#one('allocateChoices', attributes, [r]);
  countUntil = (x: Tensor, threshold: number): Tensor => this.#one('countUntil', { threshold }, [x]);
  takeAlongLast = (x: Tensor, indices: Tensor): Tensor => this.#one('takeAlongLast', {}, [x, indices]);
  scatterAlongLast = (indices: Tensor, values: Tensor, size: Dimension): Tensor =>
    this.#one('scatterAlongLast', { size }, [indices, values]);
  countChoices = (indices: Tensor, experts: number, choices: number): Tensor => this.#one('countChoices', { experts, choices }, [indices]);
  withinCapacity = (indices: Tensor, experts: number, factor: number, order: 'choice' | 'unit'): Tensor =>
    this.#one('withinCapacity', { experts, factor, order }, [indices]);
  permute = (x: Tensor, routing: Routing): Tensor => this.#one('permute', {}, [x, routing.slots, routing.order]);
  unpermute = (y: Tensor, routing: Routing): Tensor => this.#one('unpermute', {}, [y, routing.slots, routing.order]);
  combine = (y: Tensor, weights: Tensor, routing: Routing): Tensor => this.#one('combine', {}, [y, weights, routing.slots, routing.order]);

  quantiseWeight = (w: Tensor, levels: 'ternary' | 'binary'): Tensor => this.#one('quantiseWeight', { levels }, [w]);
  quantiseActivation = (x: Tensor): Tensor => this.#one('quantiseActivation', {}, [x]);

  /** The k largest sums of one element of `a` and one of `b`: where they are in the product, in `a` and in `b`. */
  productKeys(a: Tensor, b: Tensor, k: number): { readonly indices: Tensor; readonly first: Tensor; readonly second: Tensor } {
    const [indices, first, second] = this.node('productKeys', { k }, [a, b]);
    if (indices === undefined || first === undefined || second === undefined) throw new ShapeError('productKeys has three outputs.');
    return { indices, first, second };
  }

  /** The first `taken` choices of each unit, the others as nowhere, and the mask of which is which. */
  firstChoices(indices: Tensor, taken: Tensor, experts: number): { readonly indices: Tensor; readonly kept: Tensor } {
    const [limited, kept] = this.node('firstChoices', { experts }, [indices, taken]);
    if (limited === undefined || kept === undefined) throw new ShapeError('firstChoices has two outputs.');
    return { indices: limited, kept };
  }

  /** The units that each expert chooses, int32 [E, C]; C is a dimension of its own, named after the scope. */
  expertChoice(scores: Tensor, k: number): Tensor {
    return this.#one('expertChoice', { k, capacity: `capacity/${this.#scope}` }, [scores]);
  }

  matmul(a: Tensor, b: Tensor, flags: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor {
    return this.#one('matmul', { transposeA: flags.transposeA ?? false, transposeB: flags.transposeB ?? false }, [a, b]);
  }

  expertMatmul(x: Tensor, weight: Tensor, routing: Routing, transposeWeight = false): Tensor {
    return this.#one('expertMatmul', { transposeWeight }, [x, weight, routing.counts]);
  }

  /** Sorts (unit, choice) pairs by expert; the routed rows are a dimension of their own, named after the scope. */
  route(indices: Tensor, experts: number, share = 1): Routing {
    const rows: Dimension = `routed/${this.#scope}`;
    const [slots, order, counts] = this.node('route', { experts, rows, share }, [indices]);
    if (slots === undefined || order === undefined || counts === undefined) throw new ShapeError('route has three outputs.');
    return { slots, order, counts };
  }

  /** The mean over `axes`, also of symbolic dimensions. */
  mean(x: Tensor, axes: readonly number[], keepDimensions = false): Tensor {
    const sizes = axes.map((axis) => x.shape[axis] ?? 1);
    return this.multiply(this.sum(x, axes, keepDimensions), this.constant(1, [], sizes));
  }

  /** The program of all that was built. */
  finish({ name, outputs, routedLayers = [], retrievals = [], optimiser }: ProgramEnd): Program {
    return {
      schemaVersion: 1,
      name,
      values: this.values,
      inputs: this.inputs,
      parameters: this.parameters,
      buffers: this.buffers,
      statistics: this.statistics,
      noises: this.noises,
      nodes: this.nodes,
      outputs: {
        loss: outputs.loss.id,
        negativeLogLikelihood: outputs.negativeLogLikelihood.id,
        crossEntropy: outputs.crossEntropy.id,
        balance: outputs.balance?.id ?? null,
        zLoss: outputs.zLoss?.id ?? null,
        dropRate: outputs.dropRate?.id ?? null,
      },
      routedLayers,
      retrievals,
      optimiser,
    };
  }
}
