import { nearestDivisors, nearestMultiples } from './divisibility';
import { atKey, atValue } from './pathFinding';
import type { PathFinding, Spot } from './pathFinding';
import type { Experiment } from './schema';

/** What is wrong with values that are each right by themselves. A rule is pure: it sees the experiment with its defaults filled in. */
type Rule = (experiment: Experiment) => PathFinding | undefined;

/** Their order is the order in which findings of one place are shown. */
const rules: readonly Rule[] = [
  attentionHeads,
  oddHeadWidth,
  moeHeads,
  headsWithoutMhMoe,
  topK,
  noRoutedLayer,
  vocabulary,
  batchTokens,
  warmup,
  minimumLearningRate,
];

export function semanticFindings(experiment: Experiment): PathFinding[] {
  return rules.flatMap((rule) => rule(experiment) ?? []);
}

function error(code: string, message: string, ...spots: Spot[]): PathFinding {
  return { spots, severity: 'error', code, message };
}

function warning(code: string, message: string, ...spots: Spot[]): PathFinding {
  return { spots, severity: 'warning', code, message };
}

function attentionHeads({ model }: Experiment): PathFinding | undefined {
  const heads = model.attention.heads;
  if (model.d_model % heads === 0) return undefined;
  return error(
    'attention-heads',
    `\`model.d_model\` ${model.d_model} is not divisible by \`attention.heads\` ${heads}; use ${nearestDivisors(model.d_model, heads)} heads, or a width of ${nearestMultiples(model.d_model, heads)}.`,
    atValue('model', 'attention', 'heads'),
    atValue('model', 'd_model'),
  );
}

/** RoPE turns pairs of channels. */
function oddHeadWidth({ model }: Experiment): PathFinding | undefined {
  const { heads, position } = model.attention;
  const width = model.d_model / heads;
  if (position !== 'rope' || !Number.isInteger(width) || width % 2 === 0) return undefined;
  return error(
    'odd-head-width',
    `The head width \`d_model / attention.heads\` = ${model.d_model} / ${heads} = ${width} is odd, but rope turns pairs of channels; use an even head width or \`position: none\`.`,
    atValue('model', 'attention', 'heads'),
    atValue('model', 'd_model'),
  );
}

function moeHeads({ model }: Experiment): PathFinding | undefined {
  const moe = model.moe;
  if (moe?.kind !== 'mh-moe' || model.d_model % moe.heads === 0) return undefined;
  return error(
    'moe-heads',
    `\`model.d_model\` ${model.d_model} is not divisible by \`moe.heads\` ${moe.heads}, so a token cannot be split into that many sub-tokens; use ${nearestDivisors(model.d_model, moe.heads)} heads, or a width of ${nearestMultiples(model.d_model, moe.heads)}.`,
    atValue('model', 'moe', 'heads'),
    atValue('model', 'd_model'),
  );
}

function headsWithoutMhMoe({ model }: Experiment): PathFinding | undefined {
  const moe = model.moe;
  if (moe?.kind !== 'smoe') return undefined;
  const set = [
    ...(moe.heads === 1 ? [] : [{ key: 'heads', value: moe.heads }]),
    ...(moe.head_layer ? [] : [{ key: 'head_layer', value: false }]),
    ...(moe.merge_layer ? [] : [{ key: 'merge_layer', value: false }]),
  ];
  if (set.length === 0) return undefined;
  return warning(
    'only-for-mh-moe',
    `${set.map(({ key, value }) => `\`moe.${key}: ${value}\``).join(' and ')} ${set.length > 1 ? 'have' : 'has'} no effect, because \`kind: smoe\` routes whole tokens; use \`kind: mh-moe\`, or remove ${set.length > 1 ? 'them' : 'it'}.`,
    ...set.map(({ key }) => atKey('model', 'moe', key)),
    atValue('model', 'moe', 'kind'),
  );
}

function topK({ model }: Experiment): PathFinding | undefined {
  const moe = model.moe;
  if (!moe || moe.top_k <= moe.experts) return undefined;
  return error(
    'top-k',
    `\`moe.top_k\` ${moe.top_k} is more than the ${moe.experts} experts there are; use at most ${moe.experts}.`,
    atValue('model', 'moe', 'top_k'),
    atValue('model', 'moe', 'experts'),
  );
}

/** Layers every-1, 2 every-1, ... are routed, counted from 0. */
function noRoutedLayer({ model }: Experiment): PathFinding | undefined {
  const moe = model.moe;
  if (moe?.every === undefined || moe.every <= model.layers) return undefined;
  return warning(
    'no-routed-layer',
    `\`moe.every\` ${moe.every} is more than the ${model.layers} layers there are, so no layer is routed; use at most ${model.layers}, or remove \`moe\`.`,
    atValue('model', 'moe', 'every'),
    atValue('model', 'layers'),
  );
}

function vocabulary({ model, data }: Experiment): PathFinding | undefined {
  if (data?.tokenizer !== 'bytes' || model.vocabulary >= 256) return undefined;
  return error(
    'vocabulary',
    `\`model.vocabulary\` ${model.vocabulary} is too small for \`tokenizer: bytes\`, which has 256 tokens; use at least 256.`,
    atValue('model', 'vocabulary'),
    atValue('data', 'tokenizer'),
  );
}

function batchTokens({ model, train }: Experiment): PathFinding | undefined {
  if (!train) return undefined;
  const microbatch = train.micro_batch * model.context;
  if (train.batch_tokens % microbatch === 0) return undefined;
  return error(
    'batch-tokens',
    `\`train.batch_tokens\` ${train.batch_tokens} is not divisible by \`micro_batch * context\` = ${train.micro_batch} * ${model.context} = ${microbatch}; use ${nearestMultiples(train.batch_tokens, microbatch)}.`,
    atValue('train', 'batch_tokens'),
    atValue('train', 'micro_batch'),
    atValue('model', 'context'),
  );
}

function warmup({ train }: Experiment): PathFinding | undefined {
  if (!train || train.warmup < train.steps) return undefined;
  return warning(
    'warmup',
    `\`train.warmup\` ${train.warmup} covers all ${train.steps} steps, so the learning rate never reaches its peak and its schedule; use less than ${train.steps}.`,
    atValue('train', 'warmup'),
    atValue('train', 'steps'),
  );
}

function minimumLearningRate({ train }: Experiment): PathFinding | undefined {
  if (!train || train.min_learning_rate <= train.learning_rate) return undefined;
  return error(
    'min-learning-rate',
    `\`train.min_learning_rate\` ${train.min_learning_rate} is above \`learning_rate\` ${train.learning_rate}; use at most ${train.learning_rate}.`,
    atValue('train', 'min_learning_rate'),
    atValue('train', 'learning_rate'),
  );
}
