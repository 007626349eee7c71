import type { BitnetConfig, ModelConfig, MoeConfig } from '../../../src/config/schema';
import { budgetChoices, importanceOracle, ownChoices } from './dynamicOracle';
import type { AttendedRows } from './dynamicOracle';

/**
 * A routed layer in plain loops over numbers, written from the papers: every expert on every unit, masked by a gate. It shares nothing with
 * the models or the graph, neither primitives nor order of computation.
 */

export type Matrix = readonly (readonly number[])[];

export interface LayerWeights {
  /** [in][out] by the parameter's name within the layer; vectors are matrices of one row. */
  readonly matrix: (name: string) => Matrix;
  /** [expert][in][out]. */
  readonly stacked: (name: string) => readonly Matrix[];
}

export interface LayerRun {
  readonly training: boolean;
  /** The loss-free bias. */
  readonly bias?: readonly number[];
  /** The noise that multiplies what the router sees. */
  readonly jitter?: Matrix;
  /** Uniform numbers in [-rate, 1 - rate): an expert below 0 is passed over. */
  readonly expertDropout?: Matrix;
  /** The attention of the layer, for `select: dynamic`. */
  readonly attended?: AttendedRows;
}

export interface LayerAnswer {
  readonly output: Matrix;
  /** gate[unit][expert], 0 where not chosen or dropped. */
  readonly gate: Matrix;
  readonly counts: readonly number[];
  readonly dropped: number;
  /** Undefined where the config has no balance loss. */
  readonly balance: number | undefined;
  readonly zLoss: number;
  /** Mean entropy of softmax(z) over the units. */
  readonly entropy: number;
  readonly nextBias: readonly number[];
  /** How many units take at least 1, 2, ... experts. */
  readonly taken: readonly number[];
}

const sum = (xs: readonly number[]): number => xs.reduce((total, x) => total + x, 0);
const cell = (m: Matrix, row: number, column: number): number => m[row]?.[column] ?? NaN;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const times = (x: readonly number[], w: Matrix): number[] =>
  range(w[0]?.length ?? 0).map((column) => sum(x.map((element, row) => element * cell(w, row, column))));

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

function quantisedInput(x: readonly number[], bitnet: BitnetConfig | undefined): readonly number[] {
  if (bitnet === undefined) return x;
  const root = bitnet.norm === 'rms' ? Math.sqrt(sum(x.map((e) => e * e)) / x.length + 1e-6) : 1;
  const normed = x.map((e) => e / root);
  if (bitnet.activation_bits !== 8) return normed;
  const largest = Math.max(1e-5, ...normed.map(Math.abs));
  return normed.map((e) => (largest / 127) * Math.min(127, Math.max(-128, roundHalfEven((127 * e) / largest))));
}

function quantisedWeight(w: Matrix, bitnet: BitnetConfig | undefined): Matrix {
  if (bitnet === undefined) return w;
  const all = w.flat();
  const size = Math.max(1e-5, sum(all.map(Math.abs)) / all.length);
  const mean = sum(all) / all.length;
  const level = (e: number): number =>
    bitnet.weights === 'binary' ? (e > mean ? 1 : -1) : Math.min(1, Math.max(-1, roundHalfEven(e / size)));
  return w.map((row) => row.map((e) => size * level(e)));
}

function project(x: readonly number[], w: Matrix, bitnet: BitnetConfig | undefined): number[] {
  return times(quantisedInput(x, bitnet), quantisedWeight(w, bitnet));
}

/** erf by its Maclaurin series, which cancels for large arguments, and there by the continued fraction of erfc. */
function erf(x: number): number {
  if (Math.abs(x) > 2) {
    let fraction = 0;
    for (let n = 100; n > 0; n--) fraction = n / 2 / (Math.abs(x) + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (Math.abs(x) + fraction)));
  }
  let [term, total] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

interface Network {
  readonly w1: Matrix;
  readonly w3: Matrix | undefined;
  readonly w2: Matrix;
}

function feedForward(x: readonly number[], { w1, w3, w2 }: Network, { ffn, bitnet }: ModelConfig): number[] {
  const linear = project(x, w1, bitnet);
  const gates = w3 === undefined ? [] : project(x, w3, bitnet);
  const hidden = linear.map((e, i) => {
    if (ffn.activation === 'relu') return Math.max(0, e);
    if (ffn.activation === 'gelu') return (e / 2) * (1 + erf(e / Math.SQRT2));
    const gate = gates[i] ?? NaN;
    return gate * sigmoid(gate) * e;
  });
  return project(hidden, w2, bitnet);
}

function softmax(z: readonly number[]): number[] {
  const largest = Math.max(...z);
  const exps = z.map((e) => Math.exp(e - largest));
  return exps.map((e) => e / sum(exps));
}

function logits(x: readonly number[], { router }: MoeConfig, weights: LayerWeights): number[] {
  if (router.type === 'linear') return times(x, weights.matrix('router.weight'));
  const length = (v: readonly number[]): number => Math.sqrt(sum(v.map((e) => e * e)) + 1e-12);
  const reduced = times(x, weights.matrix('router.projection'));
  const vectors = weights.matrix('router.experts');
  const logScale = cell(weights.matrix('router.log_scale'), 0, 0);
  return range(vectors[0]?.length ?? 0).map((expert) => {
    const vector = vectors.map((row) => row[expert] ?? NaN);
    const dot = sum(reduced.map((e, i) => e * (vector[i] ?? NaN)));
    return (dot / (length(reduced) * length(vector))) * Math.exp(logScale);
  });
}

/** The indices of the n largest, largest first, ties to the lower index. */
const largest = (xs: readonly number[], n: number): number[] =>
  range(xs.length)
    .sort((a, b) => (xs[b] ?? NaN) - (xs[a] ?? NaN) || a - b)
    .slice(0, n);

/**
 * Which (unit, choice) pairs stay, by walking all pairs in order of priority and filling the experts. Units may have different numbers of
 * choices.
 */
function kept(chosen: Matrix, experts: number, { router, top_k: k }: MoeConfig): boolean[][] {
  const stays = chosen.map((choices) => choices.map(() => true));
  if (router.capacity_factor === undefined) return stays;
  const room = Array<number>(experts).fill(Math.ceil((router.capacity_factor * k * chosen.length) / experts));
  const units = range(chosen.length);
  const most = Math.max(...chosen.map((choices) => choices.length));
  const order =
    router.capacity_priority === 'position'
      ? units.flatMap((unit) => range(most).map((choice) => [unit, choice] as const))
      : range(most).flatMap((choice) => units.map((unit) => [unit, choice] as const));
  for (const [unit, choice] of order.filter(([unit, choice]) => choice < (chosen[unit]?.length ?? 0))) {
    const expert = cell(chosen, unit, choice);
    const row = stays[unit];
    if (row === undefined) throw new RangeError('No such unit.');
    row[choice] = (room[expert] ?? 0) > 0;
    room[expert] = (room[expert] ?? 0) - 1;
  }
  return stays;
}

interface Routed {
  readonly gate: Matrix;
  readonly counts: readonly number[];
  readonly dropped: number;
  readonly balance: number | undefined;
  readonly nextBias: readonly number[];
  readonly taken: readonly number[];
}

const columnMeans = (m: Matrix): number[] => range(m[0]?.length ?? 0).map((e) => sum(m.map((row) => row[e] ?? NaN)) / m.length);

function balanceOf(z: Matrix, s: Matrix, chosen: Matrix, { router }: MoeConfig): number | undefined {
  const experts = s[0]?.length ?? 0;
  const mean = columnMeans(s.map((row) => row.map((e) => e / sum(row))));
  const share = (choices: number): number[] => {
    const made = chosen.flatMap((row) => row.slice(0, choices));
    return range(experts).map((e) => made.filter((c) => c === e).length / made.length);
  };
  const product = (f: readonly number[]): number => experts * sum(f.map((e, i) => e * (mean[i] ?? NaN)));
  if (router.balance === 'switch' || router.balance === 'gshard_first') return product(share(1));
  if (router.balance === 'top_k') return product(share(experts));
  if (router.balance === 'entropy') return sum(columnMeans(z.map(softmax)).map((p) => p * Math.log(p)));
  return undefined;
}

/** How many experts a unit takes for the fewest of the scores `best`, best first, that add up to top_p. */
function enough(best: readonly number[], topP: number): number {
  const last = range(best.length).find((n) => sum(best.slice(0, n + 1)) >= topP);
  return last === undefined ? best.length : last + 1;
}

/** How many experts each unit takes by the attention of its layer. */
function allocated(units: number, most: number, { router, top_k: k }: MoeConfig, { attended }: LayerRun): number[] {
  if (attended === undefined) throw new RangeError('Dynamic allocation needs attention.');
  const bounds = { mean: k, least: router.k_min, most };
  const choices = router.budget ? budgetChoices : ownChoices;
  const perToken = importanceOracle(attended, router.importance).flatMap((r) => choices(r, bounds));
  return range(units).map((unit) => perToken[Math.floor((unit * perToken.length) / units)] ?? NaN);
}

function mostChoices({ router, top_k: k }: MoeConfig, experts: number): number {
  if (router.select === 'dynamic') return router.k_max ?? Math.min(2 * k, experts);
  return router.select === 'top_p' ? (router.k_max ?? experts) : k;
}

function unitsChoose(z: Matrix, s: Matrix, moe: MoeConfig, run: LayerRun): Routed {
  const { router } = moe;
  const experts = s[0]?.length ?? 0;
  const most = mostChoices(moe, experts);
  const byImportance = router.select === 'dynamic' ? allocated(s.length, most, moe, run) : undefined;
  const bias = run.bias ?? Array<number>(experts).fill(0);
  const biased = router.select === 'top_k_biased';
  const chosen = s.map((row, unit) => {
    const passedOver = (expert: number): boolean => run.expertDropout !== undefined && cell(run.expertDropout, unit, expert) < 0;
    const best = largest(
      row.map((e, i) => (passedOver(i) ? Number.NEGATIVE_INFINITY : e + (biased ? (bias[i] ?? NaN) : 0))),
      most,
    );
    if (router.select === 'top_p')
      return best.slice(
        0,
        enough(
          best.map((e) => row[e] ?? NaN),
          router.top_p,
        ),
      );
    return best.slice(0, byImportance?.[unit] ?? most);
  });
  const capped = run.training || router.capacity_in_evaluation;
  const stays = kept(chosen, experts, moe);
  const gate = s.map((row, unit) => {
    const mine = chosen[unit] ?? [];
    const scale = router.renormalize ? sum(mine.map((e) => row[e] ?? NaN)) : 1;
    return row.map((e, expert) => {
      const choice = mine.indexOf(expert);
      return choice < 0 || (capped && stays[unit]?.[choice] !== true) ? 0 : e / scale;
    });
  });
  const counts = range(experts).map((e) => chosen.flat().filter((c) => c === e).length);
  const mean = sum(counts) / experts;
  const nextBias = bias.map((b, e) => {
    const missing = mean - (counts[e] ?? NaN);
    return b + router.bias_rate * (router.bias_update === 'sign' ? Math.sign(missing) : missing / mean);
  });
  const dropped = capped ? stays.flat().filter((stay) => !stay).length : 0;
  const taken = range(most).map((n) => chosen.filter((choices) => choices.length > n).length);
  return { gate, counts, dropped, balance: balanceOf(z, s, chosen, moe), nextBias, taken };
}

function expertsChoose(s: Matrix, { top_k: k }: MoeConfig): Routed {
  const experts = s[0]?.length ?? 0;
  const each = Math.max(1, Math.floor((k * s.length) / experts));
  const takes = range(experts).map((e) =>
    largest(
      s.map((row) => row[e] ?? NaN),
      each,
    ),
  );
  const gate = s.map((row, unit) => row.map((score, e) => (takes[e]?.includes(unit) === true ? score : 0)));
  return { gate, counts: range(experts).map(() => each), dropped: 0, balance: undefined, nextBias: [], taken: [] };
}

/** x [token][d_model] through the layer. The numbers of experts are those of the weights. */
export function routedLayerOracle(x: Matrix, model: ModelConfig, moe: MoeConfig, weights: LayerWeights, run: LayerRun): LayerAnswer {
  const multiHead = moe.kind === 'mh-moe';
  const heads = multiHead ? moe.heads : 1;
  const width = model.d_model / heads;
  const bitnet = model.bitnet?.quantize_head_merge === true ? model.bitnet : undefined;
  const square = (rows: Matrix, name: 'head' | 'merge'): Matrix => {
    const bias = moe.projection_bias ? weights.matrix(`${name}.bias`)[0] : undefined;
    return rows.map((row) => project(row, weights.matrix(`${name}.weight`), bitnet).map((e, i) => e + (bias?.[i] ?? 0)));
  };
  const gated = model.ffn.activation === 'swiglu';
  const network = (of: (name: string) => Matrix, prefix: string): Network => ({
    w1: of(`${prefix}.w1`),
    w3: gated ? of(`${prefix}.w3`) : undefined,
    w2: of(`${prefix}.w2`),
  });

  const projected = multiHead && moe.head_layer ? square(x, 'head') : x;
  const units = projected.flatMap((row) => range(heads).map((h) => row.slice(h * width, (h + 1) * width)));
  const seen = units.map((row, u) => row.map((e, i) => e * (run.jitter === undefined ? 1 : cell(run.jitter, u, i))));
  const z = seen.map((row) => logits(row, moe, weights));
  const s = z.map((row) => (moe.router.score === 'softmax' ? softmax(row) : row.map(sigmoid)));
  const routed = moe.router.select === 'expert_choice' ? expertsChoose(s, moe) : unitsChoose(z, s, moe, run);

  const answers = units.map((unit, u) => {
    const total = unit.map((e) => (multiHead && moe.inner_residual ? e : 0));
    (routed.gate[u] ?? []).forEach((gate, expert) => {
      const own = network((name) => weights.stacked(name)[expert] ?? [], 'experts');
      feedForward(unit, own, model).forEach((e, i) => (total[i] = (total[i] ?? NaN) + gate * e));
    });
    return total;
  });
  const joined = x.map((_, token) => answers.slice(token * heads, (token + 1) * heads).flat());
  const merged = multiHead && moe.merge_layer ? square(joined, 'merge') : joined;
  const output = merged.map((row, token) => {
    if (moe.shared_width === 0) return row;
    const shared = feedForward(x[token] ?? [], network(weights.matrix, 'shared'), model);
    return row.map((e, i) => e + (shared[i] ?? NaN));
  });
  const zLoss = sum(z.map((row) => Math.log(sum(row.map(Math.exp))) ** 2)) / z.length;
  const entropy = sum(z.map((row) => -sum(softmax(row).map((p) => p * Math.log(p))))) / z.length;
  return { ...routed, output, zLoss, entropy };
}
