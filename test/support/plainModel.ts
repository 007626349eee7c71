import type { ModelConfig, MoeConfig } from '../../src/config/schema';
import { attention } from './plainAttention';
import {
  type Context,
  type Matrix,
  type Vector,
  best,
  dot,
  indices,
  linear,
  of,
  plus,
  scaled,
  sigmoid,
  softmax,
  streamNorm,
  times,
} from './plainMath';

/**
 * The language model once more, from its definition alone: nested loops over plain numbers, one token, head and expert at a time. It shares
 * no code with src/models or with the reference interpreter. Routers are linear, top-k.
 */

export interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Parameters by name. */
export type PlainWeights = ReadonlyMap<string, PlainTensor>;

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
  const logits = times(unit, context.matrix(`${scope}.router.weight`));
  const scores = moe.router.score === 'softmax' ? softmax(logits) : logits.map(sigmoid);
  const chosen = best(scores, moe.top_k);
  const sum = chosen.reduce((total, expert) => total + of(scores, expert), 0);
  return chosen
    .map((expert) => {
      const weight = of(scores, expert) / (moe.router.renormalize ? sum : 1);
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

/** What a lane holds when a window begins. */
export interface PlainLane {
  /** By layer, the residual stream that entered it for the window before, [time][d]. */
  readonly caches: readonly Matrix[];
  /** Whether the window goes on from it. */
  readonly seen: boolean;
}

export interface PlainWindow {
  /** [time][vocabulary]. */
  readonly logits: Matrix;
  /** By layer, the residual stream that enters it: the cache for the next window. */
  readonly entering: readonly Matrix[];
}

/** One window of tokens. `routedLayers` are the routed ones, from 0. */
export function plainWindow(
  model: ModelConfig,
  weights: PlainWeights,
  routedLayers: readonly number[],
  tokens: readonly number[],
  lane: PlainLane = { caches: [], seen: false },
): PlainWindow {
  const context = contextOf(model, weights);
  const embedding = context.matrix('embedding');
  const factor = model.scale_embeddings ? Math.sqrt(model.d_model) : 1;
  let x: Matrix = tokens.map((token) => scaled(embedding[token] ?? [], factor));
  const entering: Matrix[] = [];
  for (let layer = 0; layer < model.layers; layer++) {
    const scope = `layers.${layer}`;
    entering.push(x);
    const normed = (tokens: Matrix): Matrix => tokens.map((token) => streamNorm(context, `${scope}.attention.norm`, token));
    const attended = attention(context, `${scope}.attention`, normed(x), lane.seen ? normed(lane.caches[layer] ?? []) : []);
    const h = x.map((token, time) => plus(token, attended[time] ?? []));
    const { moe } = model;
    const part = moe !== undefined && routedLayers.includes(layer) ? `${scope}.moe` : `${scope}.ffn`;
    x = h.map((token) => {
      const input = streamNorm(context, `${part}.norm`, token);
      const answer =
        moe !== undefined && routedLayers.includes(layer)
          ? mixture(context, part, moe, input)
          : feedForward(model, input, (name) => context.matrix(`${part}.${name}`));
      return plus(token, answer);
    });
  }
  const output = model.tie_embeddings ? embedding : context.matrix('output');
  return { logits: x.map((token) => output.map((row) => dot(streamNorm(context, 'norm', token), row))), entering };
}

function contextOf(model: ModelConfig, weights: PlainWeights): Context {
  const parameter = (name: string): PlainTensor => {
    const found = weights.get(name);
    if (found === undefined) throw new RangeError(`There is no parameter ${name}.`);
    return found;
  };
  const rows = ({ data, shape }: PlainTensor, first: number, count: number): Matrix => {
    const width = shape.at(-1) ?? 0;
    return indices(count).map((row) => indices(width).map((i) => data[(first + row) * width + i] ?? NaN));
  };
  return {
    model,
    vector: (name) => Array.from(parameter(name).data),
    matrix: (name) => rows(parameter(name), 0, parameter(name).shape[0] ?? 0),
    expert: (name, index) => {
      const size = parameter(name).shape[1] ?? 0;
      return rows(parameter(name), index * size, size);
    },
  };
}
