import type { BitnetConfig, ModelConfig, MoeConfig } from '../../src/config/schema';

/**
 * The language model once more, from its definition alone: nested loops over plain numbers, one token, head and expert at a time. It shares
 * no code with src/models or with the reference interpreter. Routers are linear, softmax, top-k.
 */

type Vector = readonly number[];
type Matrix = readonly Vector[];

export interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Parameters by name. */
export type PlainWeights = ReadonlyMap<string, PlainTensor>;

interface Context {
  readonly model: ModelConfig;
  vector(name: string): Vector;
  matrix(name: string): Matrix;
  /** The matrix of one expert. */
  expert(name: string, index: number): Matrix;
}

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const of = (x: Vector, i: number): number => x[i] ?? NaN;
const dot = (a: Vector, b: Vector): number => a.reduce((sum, element, i) => sum + element * of(b, i), 0);
const plus = (a: Vector, b: Vector): Vector => a.map((element, i) => element + of(b, i));
const scaled = (a: Vector, factor: number): Vector => a.map((element) => element * factor);
const columns = (w: Matrix): Matrix => indices(w[0]?.length ?? 0).map((column) => w.map((row) => of(row, column)));
const times = (x: Vector, w: Matrix): Vector => columns(w).map((column) => dot(x, column));

function softmax(x: Vector): Vector {
  const exponentials = x.map((element) => Math.exp(element - Math.max(...x)));
  return scaled(exponentials, 1 / exponentials.reduce((a, b) => a + b));
}

function rmsNorm(x: Vector, gain?: Vector): Vector {
  const root = Math.sqrt(dot(x, x) / x.length + 1e-6);
  return x.map((element, i) => (element / root) * (gain === undefined ? 1 : of(gain, i)));
}

function roundHalfToEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

function quantisedMatrix(w: Matrix, levels: 'ternary' | 'binary'): Matrix {
  const all = w.flat();
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const scale = Math.max(all.reduce((a, b) => a + Math.abs(b), 0) / all.length, 1e-5);
  const level = (element: number): number =>
    levels === 'binary' ? (element - mean > 0 ? 1 : -1) : Math.max(-1, Math.min(1, roundHalfToEven(element / scale)));
  return w.map((row) => row.map((element) => scale * level(element)));
}

function eightBits(x: Vector): Vector {
  const largest = Math.max(1e-5, ...x.map(Math.abs));
  return x.map((element) => (largest / 127) * Math.max(-128, Math.min(127, roundHalfToEven((127 * element) / largest))));
}

/** x W, as a BitLinear where the config says so. */
function linear(x: Vector, w: Matrix, bitnet: BitnetConfig | undefined): Vector {
  if (bitnet === undefined) return times(x, w);
  const normed = bitnet.norm === 'rms' ? rmsNorm(x) : x;
  return times(bitnet.activation_bits === 8 ? eightBits(normed) : normed, quantisedMatrix(w, bitnet.weights));
}

/** Rotates channel i with channel i + width/2. */
function rotated(x: Vector, position: number, base: number): Vector {
  const half = x.length / 2;
  return x.map((element, i) => {
    const angle = position * base ** ((-2 * (i % half)) / x.length);
    const other = i < half ? -of(x, i + half) : of(x, i - half);
    return element * Math.cos(angle) + other * Math.sin(angle);
  });
}

/** Self-attention of one window, x [time][d]. */
function attention(context: Context, scope: string, x: Matrix): Matrix {
  const { model } = context;
  const { heads, position, rope_base: base, qk_norm: qkNorm } = model.attention;
  const kvHeads = model.attention.kv_heads ?? heads;
  const width = model.attention.head_width ?? model.d_model / heads;
  const headsOf = (name: 'query' | 'key', token: Vector, time: number, count: number): Matrix => {
    const projected = linear(token, context.matrix(`${scope}.${name}`), model.bitnet);
    const whole = qkNorm === 'full' ? rmsNorm(projected, context.vector(`${scope}.${name}_norm`)) : projected;
    return indices(count).map((head) => {
      const slice = whole.slice(head * width, (head + 1) * width);
      const normed = qkNorm === 'head' ? rmsNorm(slice, context.vector(`${scope}.${name}_norm`)) : slice;
      return position === 'rope' ? rotated(normed, time, base) : normed;
    });
  };
  const queries = x.map((token, time) => headsOf('query', token, time, heads));
  const keys = x.map((token, time) => headsOf('key', token, time, kvHeads));
  const values = x.map((token) => linear(token, context.matrix(`${scope}.value`), model.bitnet));
  return x.map((_, time) => {
    const seen = indices(model.objective === 'causal' ? time + 1 : x.length);
    const mixed = indices(heads).flatMap((head) => {
      const shared = Math.floor(head / (heads / kvHeads));
      const scores = seen.map((other) => dot(queries[time]?.[head] ?? [], keys[other]?.[shared] ?? []) / Math.sqrt(width));
      const probabilities = softmax(scores);
      return indices(width).map((i) =>
        seen.reduce((sum, other) => sum + of(probabilities, other) * of(values[other] ?? [], shared * width + i), 0),
      );
    });
    return linear(mixed, context.matrix(`${scope}.output`), model.bitnet);
  });
}

const silu = (x: number): number => x / (1 + Math.exp(-x));

function feedForward(model: ModelConfig, x: Vector, matrix: (name: string) => Matrix): Vector {
  const inner = linear(x, matrix('w1'), model.bitnet);
  if (model.ffn.activation === 'gelu') throw new RangeError('The plain model has swiglu and relu.');
  const hidden =
    model.ffn.activation === 'relu'
      ? inner.map((element) => Math.max(0, element))
      : linear(x, matrix('w3'), model.bitnet).map((gate, i) => silu(gate) * of(inner, i));
  return linear(hidden, matrix('w2'), model.bitnet);
}

/** One unit through its experts. */
function routed(context: Context, scope: string, moe: MoeConfig, unit: Vector): Vector {
  const probabilities = softmax(times(unit, context.matrix(`${scope}.router.weight`)));
  const chosen = indices(probabilities.length)
    .sort((a, b) => of(probabilities, b) - of(probabilities, a) || a - b)
    .slice(0, moe.top_k);
  const sum = chosen.reduce((total, expert) => total + of(probabilities, expert), 0);
  return chosen
    .map((expert) => {
      const weight = of(probabilities, expert) / (moe.router.renormalize ? sum : 1);
      return scaled(
        feedForward(context.model, unit, (name) => context.expert(`${scope}.experts.${name}`, expert)),
        weight,
      );
    })
    .reduce(plus);
}

/** A routed layer on one token. */
function mixture(context: Context, scope: string, moe: MoeConfig, token: Vector): Vector {
  const { model } = context;
  const multiHead = moe.kind === 'mh-moe';
  const heads = multiHead ? moe.heads : 1;
  const bitnet = model.bitnet?.quantize_head_merge === true ? model.bitnet : undefined;
  const projected = (name: 'head' | 'merge', x: Vector): Vector => {
    const y = linear(x, context.matrix(`${scope}.${name}.weight`), bitnet);
    return moe.projection_bias ? plus(y, context.vector(`${scope}.${name}.bias`)) : y;
  };
  const width = model.d_model / heads;
  const split = multiHead && moe.head_layer ? projected('head', token) : token;
  const joined = indices(heads).flatMap((head) => {
    const subToken = split.slice(head * width, (head + 1) * width);
    const answer = routed(context, scope, moe, subToken);
    return multiHead && moe.inner_residual ? plus(answer, subToken) : answer;
  });
  const merged = multiHead && moe.merge_layer ? projected('merge', joined) : joined;
  return moe.shared_width === 0
    ? merged
    : plus(
        merged,
        feedForward(model, token, (name) => context.matrix(`${scope}.shared.${name}`)),
      );
}

/** Logits [time][vocabulary] of one window of tokens. `routedLayers` are the routed ones, from 0. */
export function plainLogits(model: ModelConfig, weights: PlainWeights, routedLayers: readonly number[], tokens: readonly number[]): Matrix {
  const parameter = (name: string): PlainTensor => {
    const found = weights.get(name);
    if (found === undefined) throw new RangeError(`There is no parameter ${name}.`);
    return found;
  };
  const rows = ({ data, shape }: PlainTensor, first: number, count: number): Matrix => {
    const width = shape.at(-1) ?? 0;
    return indices(count).map((row) => indices(width).map((i) => data[(first + row) * width + i] ?? NaN));
  };
  const context: Context = {
    model,
    vector: (name) => Array.from(parameter(name).data),
    matrix: (name) => rows(parameter(name), 0, parameter(name).shape[0] ?? 0),
    expert: (name, index) => {
      const size = parameter(name).shape[1] ?? 0;
      return rows(parameter(name), index * size, size);
    },
  };
  const embedding = context.matrix('embedding');
  let x: Matrix = tokens.map((token) => embedding[token] ?? []);
  for (let layer = 0; layer < model.layers; layer++) {
    const scope = `layers.${layer}`;
    const normed = x.map((token) => rmsNorm(token, context.vector(`${scope}.attention.norm`)));
    const attended = attention(context, `${scope}.attention`, normed);
    const h = x.map((token, time) => plus(token, attended[time] ?? []));
    const { moe } = model;
    const part = moe !== undefined && routedLayers.includes(layer) ? `${scope}.moe` : `${scope}.ffn`;
    x = h.map((token) => {
      const input = rmsNorm(token, context.vector(`${part}.norm`));
      const answer =
        moe !== undefined && routedLayers.includes(layer)
          ? mixture(context, part, moe, input)
          : feedForward(model, input, (name) => context.matrix(`${part}.${name}`));
      return plus(token, answer);
    });
  }
  const output = model.tie_embeddings ? embedding : context.matrix('output');
  return x.map((token) => output.map((row) => dot(rmsNorm(token, context.vector('norm')), row)));
}
