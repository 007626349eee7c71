import { experimentSchema, modelSchema, type RunnableExperiment } from '../../src/config/schema';
import type { Corpora } from '../../src/training/prepare';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';
import { encodeBytes } from '../../src/data/byteTokenizer';

/** A routed model that trains a step in milliseconds; `changes` replace keys of `train`. */
export function tinyExperiment(changes: Readonly<Record<string, unknown>> = {}): RunnableExperiment {
  const { train, data, ...rest } = experimentSchema.parse({
    name: 'tiny',
    model: {
      d_model: 24,
      layers: 2,
      context: 32,
      attention: { heads: 2 },
      ffn: { width: 48 },
      moe: { kind: 'mh-moe', heads: 2, experts: 6, top_k: 2, expert_width: 16 },
    },
    train: { steps: 20, batch_tokens: 256, micro_batch: 4, warmup: 5, learning_rate: 0.01, min_learning_rate: 0.001, seed: 3, ...changes },
    data: { train: ['prose.txt'], validation: { prose: ['prose.txt'], lists: ['lists.txt'] } },
    evaluate: { every: 5 },
    checkpoint: { every: 10 },
    engine: { threads: 1 },
  });
  if (train === undefined || data === undefined) throw new Error('The tiny experiment can be run.');
  return { ...rest, train, data };
}

/** The same with a router that has everything a step must remember or know beforehand: buffers, noise, means of the step, capacity. */
export function richlyRoutedExperiment(changes: Readonly<Record<string, unknown>> = {}): RunnableExperiment {
  const plain = tinyExperiment(changes);
  if (plain.model.moe === undefined) throw new Error('The tiny experiment is routed.');
  const router = {
    ...plain.model.moe.router,
    select: 'top_k_biased',
    balance: 'top_k',
    balance_scope: 'global',
    bias_rate: 0.01,
    z_loss_weight: 0.01,
    jitter: 0.1,
    capacity_factor: 1,
  } as const;
  return { ...plain, model: { ...plain.model, moe: { ...plain.model.moe, router } } };
}

/**
 * The same with everything that a step leaves for the next one: lanes with a cache, experts of attention, a retrieval with running means of
 * its queries and a table whose rows are updated when they are used, and units that take different numbers of experts.
 */
export function rememberingExperiment(changes: Readonly<Record<string, unknown>> = {}): RunnableExperiment {
  const plain = tinyExperiment(changes);
  const model = modelSchema.parse({
    d_model: 24,
    layers: 3,
    context: 32,
    norm: 'layer',
    attention: { heads: 2, head_width: 8, position: 'xl', moe: { experts: 3, top_k: 2, expert_dropout: 0.1 } },
    ffn: { width: 48 },
    moe: {
      kind: 'smoe',
      layers: [0],
      experts: 6,
      top_k: 2,
      expert_width: 16,
      router: { select: 'top_p', top_p: 0.5, expert_dropout: 0.1 },
    },
    product_keys: { experts: 64, heads: 2, top_k: 3, key_width: 8, layers: [1] },
  });
  return { ...plain, model };
}

/** Corpora without files: what `prepareCorpora` would give for the sample text. */
export function tinyCorpora(): Corpora {
  const { files } = generateSampleCorpus(5, 1 << 14);
  const corpus = (name: string, path: string) => {
    const tokens = encodeBytes(files.find((file) => file.path === path)?.text ?? '');
    return { name, files: [path], tokens, sha256: '', largestToken: 127 };
  };
  return {
    train: corpus('train', 'corpus/train/prose.txt'),
    validation: {
      prose: corpus('validation.prose', 'corpus/validation/prose.txt'),
      lists: corpus('validation.lists', 'corpus/validation/lists.txt'),
    },
  };
}
