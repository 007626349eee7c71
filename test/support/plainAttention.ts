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
  rmsNorm,
  scaled,
  sigmoid,
  softmax,
  times,
} from './plainMath';

/** Self-attention in plain loops: dense or with experts, rotary or relative positions. It shares no code with src/models. */

type Projection = 'query' | 'key' | 'value' | 'output';

/** Rotates channel i with channel i + width/2. */
function rotated(x: Vector, position: number, base: number): Vector {
  const half = x.length / 2;
  return x.map((element, i) => {
    const angle = position * base ** ((-2 * (i % half)) / x.length);
    const other = i < half ? -of(x, i + half) : of(x, i - half);
    return element * Math.cos(angle) + other * Math.sin(angle);
  });
}

/** The first channels of a head, as many as turn, rotated. */
function positioned({ model }: Context, x: Vector, time: number): Vector {
  const { position, rope_base: base, rope_share: share } = model.attention;
  if (position !== 'rope') return x;
  const count = 2 * Math.floor((share * x.length) / 2);
  return [...rotated(x.slice(0, count), time, base), ...x.slice(count)];
}

/** The sinusoid of a distance, of `width` channels. */
function sinusoid(distance: number, width: number): Vector {
  const half = width / 2;
  return indices(width).map((i) => {
    const angle = distance * 10000 ** ((-2 * (i % half)) / width);
    return i < half ? Math.sin(angle) : Math.cos(angle);
  });
}

/** The experts that a token chooses in one head, with their scores (2312.07987). */
function selected(context: Context, scope: string, side: 'source' | 'destination', token: Vector, head: number): [number, number][] {
  const { moe } = context.model.attention;
  if (moe === undefined) throw new RangeError('Attention has no experts.');
  const used = (names: readonly Projection[]): boolean => moe.projections.some((name) => names.includes(name));
  const both = used(['query', 'output']) && used(['key', 'value']);
  const selector = context.matrix(`${scope}.${moe.shared_selection && both ? 'destination' : side}.router.weight`);
  const scores = times(token, selector)
    .slice(head * moe.experts, (head + 1) * moe.experts)
    .map(sigmoid);
  return best(scores, moe.top_k).map((expert) => [head * moe.experts + expert, of(scores, expert)]);
}

/** x through the chosen experts of one head. */
function byExperts(context: Context, name: string, chosen: readonly (readonly [number, number])[], x: Vector): Vector {
  return chosen.map(([expert, score]) => scaled(times(x, context.expert(name, expert)), score)).reduce(plus);
}

/** Self-attention of one window, x [time][d], which sees the cached tokens `memory` [time or none][d] before it. */
export function attention(context: Context, scope: string, x: Matrix, memory: Matrix): Matrix {
  const { model } = context;
  const { heads, position, qk_norm: qkNorm, moe } = model.attention;
  const kvHeads = model.attention.kv_heads ?? heads;
  const width = model.attention.head_width ?? model.d_model / heads;
  const hasExperts = (name: Projection): boolean => moe?.projections.includes(name) === true;
  const headsOf = (name: 'query' | 'key' | 'value', token: Vector, time: number): Matrix => {
    const count = name === 'query' ? heads : kvHeads;
    const side = name === 'query' ? 'destination' : 'source';
    const projected = hasExperts(name)
      ? indices(count).flatMap((head) => byExperts(context, `${scope}.${name}`, selected(context, scope, side, token, head), token))
      : linear(token, context.matrix(`${scope}.${name}`), model.bitnet);
    const norm = name === 'value' ? 'none' : qkNorm;
    const whole = norm === 'full' ? rmsNorm(projected, context.vector(`${scope}.${name}_norm`)) : projected;
    return indices(count).map((head) => {
      const slice = whole.slice(head * width, (head + 1) * width);
      const normed = norm === 'head' ? rmsNorm(slice, context.vector(`${scope}.${name}_norm`)) : slice;
      return name === 'value' ? normed : positioned(context, normed, time);
    });
  };
  const all = [...memory, ...x];
  const queries = x.map((token, time) => headsOf('query', token, time));
  const keys = all.map((token, time) => headsOf('key', token, time));
  const values = all.map((token) => headsOf('value', token, 0));
  const byDistance = indices(position === 'xl' ? all.length : 0).map((n) =>
    times(sinusoid(n, model.d_model), context.matrix(`${scope}.position`)),
  );

  return x.map((token, time) => {
    const place = memory.length + time;
    const seen = indices(model.objective === 'causal' ? place + 1 : all.length);
    const mixed = indices(heads).map((head) => {
      const shared = Math.floor(head / (heads / kvHeads));
      const query = queries[time]?.[head] ?? [];
      const scores = seen.map((other) => {
        const distance = byDistance[place - other]?.slice(head * width, (head + 1) * width);
        const key = keys[other]?.[shared] ?? [];
        return dot(query, distance === undefined ? key : plus(key, distance)) / Math.sqrt(width);
      });
      const probabilities = softmax(scores);
      return indices(width).map((i) =>
        seen.reduce((sum, other) => sum + of(probabilities, other) * of(values[other]?.[shared] ?? [], i), 0),
      );
    });
    if (!hasExperts('output')) return linear(mixed.flat(), context.matrix(`${scope}.output`), model.bitnet);
    return mixed
      .map((head, index) => byExperts(context, `${scope}.output`, selected(context, scope, 'destination', token, index), head))
      .reduce(plus);
  });
}
