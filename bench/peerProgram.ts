import { experimentSchema } from '../src/config/schema';
import type { Batch } from '../src/engine/engine';
import { ProgramBuilder } from '../src/graph/builder';
import type { Program } from '../src/graph/program';
import { RandomStream } from '../src/graph/random';
import { productKeys, TABLES_GROUP } from '../src/models/productKeys';

export const width = 256;
export const tokens = 512;
const heads = 8;
const choices = 16;
export const retrieved = heads * choices;

/** So many that the tokens of a batch differ: each has queries of its own. */
const vocabulary = 2 ** 14;
const classes = 256;

/** One PEER layer between an embedding and a softmax of 256 classes: as little else as gives it queries and gradients. */
export function peerProgram(experts: number): Program {
  const { model } = experimentSchema.parse({
    model: {
      vocabulary,
      d_model: width,
      layers: 1,
      context: tokens,
      attention: { heads: 4 },
      ffn: { width },
      product_keys: { layers: [0], experts, heads, top_k: choices },
    },
  });
  if (model.product_keys === undefined) throw new Error('The model has product keys.');
  const { product_keys: keys } = model;
  const builder = new ProgramBuilder();
  const flat = (name: string) => builder.reshape(builder.input(name, ['batch', 'time'], 'int32'), ['batch*time']);
  const [words, targets] = [flat('tokens'), flat('targets')];
  const normal = (standardDeviation: number) => ({
    initialiser: { kind: 'normal', standardDeviation } as const,
    role: 'embedding' as const,
  });
  const x = builder.gatherRows(builder.parameter('embedding', [vocabulary, width], normal(1)), words);
  const { output, retrieval } = builder.inScope('product_keys', () => productKeys(builder, x, model, keys));
  const logits = builder.matmul(builder.add(x, output), builder.parameter('output', [width, classes], normal(0.02)));
  const nats = builder.sum(builder.crossEntropy(logits, targets), [0]);
  const loss = builder.multiply(nats, builder.constant(1, [], ['batch*time']));
  const group = { weightDecay: 0.1, rateScale: 1 };
  return builder.finish({
    name: `PEER ${experts}`,
    outputs: { loss, negativeLogLikelihood: nats, crossEntropy: loss },
    retrievals: [retrieval],
    optimiser: {
      kind: 'adamw',
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      clip: 1,
      groups: { decayed: group, undecayed: { ...group, weightDecay: 0 }, [TABLES_GROUP]: group },
    },
  });
}

/** Tokens that hardly ever come twice. */
export function peerBatch(seed: number): Batch {
  const stream = new RandomStream(seed, 'benchmark');
  const draw = (offset: number, limit: number) =>
    Int32Array.from({ length: tokens }, (_, index) => Math.floor(stream.uniform(offset + index) * limit));
  return { batch: 1, time: tokens, tokens: draw(0, vocabulary), targets: draw(tokens, classes) };
}
