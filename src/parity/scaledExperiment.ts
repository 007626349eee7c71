import { headWidth } from '../config/attentionShape';
import { DEFAULT_EVERY } from '../config/placement';
import type { Experiment, ModelConfig, TrainConfig } from '../config/schema';

/** By how much a model is scaled, and what both models of a pair must have in common. */
export interface Scale {
  /** Of widths: 0.125 makes 768 to 96. */
  readonly width: number;
  /** The width of the residual stream is a multiple of this. */
  readonly widthUnit: number;
  /**
   * The number of layers is a multiple of this, so that every second or third of them is still routed; undefined where all of them stay.
   */
  readonly layerUnit: number | undefined;
  /** Halvings of the context. */
  readonly halvings: number;
}

/** Narrower models learn next to nothing that can be compared. */
const LEAST_WIDTH = 64;
const LEAST_HEAD_WIDTH = 16;
const LEAST_CONTEXT = 128;
/** Steps that a schedule needs to be one. */
const LEAST_STEPS = 200;

/**
 * What two models must have in common to be scaled together: divisible by sub-tokens of both, and by 8; whole periods of routed layers.
 * Where one of them lists its layers one by one, both keep all of theirs.
 */
export function unitsOf(models: readonly ModelConfig[]): Pick<Scale, 'widthUnit' | 'layerUnit'> {
  return {
    widthUnit: models.map(({ moe }) => moe?.heads ?? 1).reduce(leastMultiple, 8),
    layerUnit: models.some(({ moe, product_keys: keys }) => moe?.layers !== undefined || keys?.layers !== undefined)
      ? undefined
      : models
          .map(({ moe }) => (moe === undefined || moe.layers !== undefined ? 1 : (moe.every ?? DEFAULT_EVERY)))
          .reduce(leastMultiple, 1),
  };
}

/** Scales to be tried, largest first: one for each width of the residual stream. */
export function scalesOf({ d_model: width }: ModelConfig, units: ReturnType<typeof unitsOf>, halvesContext: boolean): readonly Scale[] {
  const { widthUnit } = units;
  const largest = Math.max(1, Math.floor(width / widthUnit)) * widthUnit;
  // One that is narrower already stays as it is.
  const least = Math.min(largest, Math.ceil(LEAST_WIDTH / widthUnit) * widthUnit);
  const widths: number[] = [];
  for (let tried = largest; tried >= least; tried -= Math.max(widthUnit, Math.floor(tried / 32 / widthUnit) * widthUnit))
    widths.push(tried);
  return widths.map((tried) => ({ ...units, width: tried / width, halvings: halvesContext ? Math.floor(Math.log2(width / tried)) : 0 }));
}

/** The same architecture, smaller: widths by the scale, layers by its root; family, experts, choices and placement as they are. */
export function scaledModel(model: ModelConfig, scale: Scale): ModelConfig {
  const { width: ratio, widthUnit } = scale;
  if (ratio === 1) return model;
  const d = Math.max(widthUnit, Math.round((model.d_model * ratio) / widthUnit) * widthUnit);
  const narrowed = (width: number): number => Math.max(8, Math.round((width * ratio) / 8) * 8);
  const { moe, product_keys: keys } = model;
  return {
    ...model,
    d_model: d,
    layers: scaledLayers(model, scale),
    context: scaledContext(model.context, scale.halvings),
    attention: scaledAttention(model, d, ratio),
    ffn: { ...model.ffn, width: narrowed(model.ffn.width) },
    ...(moe && {
      moe: { ...moe, expert_width: narrowed(moe.expert_width), shared_width: moe.shared_width === 0 ? 0 : narrowed(moe.shared_width) },
    }),
    ...(keys && { product_keys: scaledKeys(keys, ratio) }),
  };
}

function scaledLayers({ layers }: ModelConfig, { width, layerUnit }: Scale): number {
  if (layerUnit === undefined) return layers;
  return Math.min(layers, Math.max(1, Math.round((layers * Math.sqrt(width)) / layerUnit)) * layerUnit);
}

function scaledContext(context: number, halvings: number): number {
  let scaled = context;
  for (let halved = 0; halved < halvings && scaled % 2 === 0 && scaled / 2 >= LEAST_CONTEXT; halved++) scaled /= 2;
  return scaled;
}

function scaledAttention(model: ModelConfig, d: number, ratio: number): ModelConfig['attention'] {
  const { attention } = model;
  if (attention.head_width !== undefined)
    return { ...attention, head_width: Math.max(8, 2 * Math.round((attention.head_width * ratio) / 2)) };
  const least = Math.min(headWidth(model), LEAST_HEAD_WIDTH);
  // Heads as wide as they need be, and even, as positions turn pairs.
  const heads = divisors(attention.heads).find((count) => d % (2 * count) === 0 && d / count >= least) ?? 1;
  const shared = attention.kv_heads;
  if (shared === undefined) return { ...attention, heads };
  return { ...attention, heads, kv_heads: divisors(heads).find((count) => count <= (shared * heads) / attention.heads) ?? 1 };
}

/** As many neurons for each one of a feed-forward network as there were; those have their number fall with the width. */
function scaledKeys(keys: NonNullable<ModelConfig['product_keys']>, ratio: number): NonNullable<ModelConfig['product_keys']> {
  const root = Math.max(keys.top_k, Math.round(Math.sqrt(keys.experts * ratio)));
  return { ...keys, experts: root ** 2, key_width: Math.max(16, 2 * Math.round((keys.key_width * ratio) / 2)) };
}

/** Largest first. */
function divisors(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => count - index).filter((divisor) => count % divisor === 0);
}

/**
 * Training on so many tokens: both the number of steps and their size fall by the root of what is left of the tokens, as small models train
 * best in smaller steps, though not below a microbatch while enough of them are left.
 */
export function scaledTraining<E extends Experiment>(experiment: E, train: TrainConfig, context: number, tokens: number): E {
  const left = Math.sqrt(tokens / (train.steps * train.batch_tokens));
  const inMicrobatches = Math.floor(tokens / (train.micro_batch * context));
  const steps = Math.max(Math.min(train.steps, LEAST_STEPS), Math.min(inMicrobatches, Math.round(train.steps * Math.min(1, left))));
  const window = Math.max(1, Math.min(train.micro_batch, Math.floor(tokens / steps / context)));
  const micro = window * context;
  const batch = Math.max(1, Math.floor(Math.min(train.batch_tokens, tokens / steps) / micro)) * micro;
  const count = Math.max(1, Math.min(Math.ceil((train.steps * train.batch_tokens) / batch), Math.floor(tokens / batch)));
  // At the same parts of it, but not so often that they take the time, nor in fewer steps than a warm-up needs.
  const scaled = (all: number, most: number): number =>
    Math.max(1, Math.round((all * count) / train.steps), Math.min(all, Math.round(count / most)));
  return {
    ...experiment,
    train: {
      ...train,
      steps: count,
      batch_tokens: batch,
      micro_batch: window,
      warmup: train.warmup === 0 ? 0 : Math.min(count - 1, scaled(train.warmup, 50)),
    },
    evaluate: { ...experiment.evaluate, every: scaled(experiment.evaluate.every, 20) },
    checkpoint: { ...experiment.checkpoint, every: scaled(experiment.checkpoint.every, 4) },
  };
}

/** The fewest tokens that a scaled training may have. */
export function leastTokens({ steps }: TrainConfig, context: number): number {
  return Math.min(steps, LEAST_STEPS) * context;
}

function leastMultiple(one: number, other: number): number {
  let [larger, smaller] = [one, other];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return (one / larger) * other;
}
