import type { Tensor } from '../graph/builder';
import { ProgramBuilder } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { AdamW, Program } from '../graph/program';
import type { Experiment, ModelConfig, TrainConfig } from '../config/schema';
import { trainSchema } from '../config/schema';
import { attention } from './attention';
import { feedForward } from './feedForward';
import { INITIAL_STANDARD_DEVIATION, rmsNorm } from './linear';
import type { RoutedOutput } from './mixtureOfExperts';
import { mixtureOfExperts } from './mixtureOfExperts';

/** Whether layer `index` (from 0) is routed: with every = 2 these are layers 1, 3, 5, ... */
export function isRoutedLayer(model: ModelConfig, index: number): boolean {
  return model.moe !== undefined && (index + 1) % model.moe.every === 0;
}

function optimiser(train: TrainConfig): AdamW {
  return {
    kind: 'adamw',
    beta1: train.betas[0],
    beta2: train.betas[1],
    epsilon: train.epsilon,
    clip: train.clip === 0 ? null : train.clip,
    groups: { decayed: { weightDecay: train.weight_decay }, undecayed: { weightDecay: 0 } },
  };
}

/** The decoder's layers: h = x + attention(norm(x)); x = h + ffn(norm(h)). Residual stream x [tokens, d_model]. */
function layers(builder: ProgramBuilder, embedded: Tensor, model: ModelConfig): { readonly x: Tensor; readonly routed: RoutedOutput[] } {
  const routed: RoutedOutput[] = [];
  let x = embedded;
  for (let index = 0; index < model.layers; index++) {
    x = builder.inScope(`layers.${index}`, () => {
      const attended = builder.inScope('attention', () => attention(builder, rmsNorm(builder, 'norm', x, model.d_model), model));
      const h = builder.add(x, attended);
      if (model.moe !== undefined && isRoutedLayer(model, index)) {
        const config = model.moe;
        const output = builder.inScope('moe', () => mixtureOfExperts(builder, rmsNorm(builder, 'norm', h, model.d_model), model, config));
        routed.push(output);
        return builder.add(h, output.output);
      }
      return builder.inScope('ffn', () => {
        const normed = rmsNorm(builder, 'norm', h, model.d_model);
        const { width, activation } = model.ffn;
        return builder.add(
          h,
          feedForward(builder, normed, { inputs: model.d_model, width, activation, layers: model.layers, role: 'ffn' }),
        );
      });
    });
  }
  return { x, routed };
}

/**
 * The training program of an experiment: a pre-norm decoder with RMSNorm and embeddings tied to the output layer.
 * Inputs `tokens` and `targets` int32 [batch, time]; a target below 0 is not scored. The loss is the mean cross-entropy of the scored
 * targets (nats per token) plus balance_weight times the sum of the routed layers' balance losses.
 */
export function buildLanguageModel(experiment: Experiment): Program {
  const { model } = experiment;
  const builder = new ProgramBuilder();
  const tokens = builder.input('tokens', ['batch', 'time'], 'int32');
  const targets = builder.input('targets', ['batch', 'time'], 'int32');
  const count = product(['batch', 'time']);
  const embedding = builder.parameter('embedding', [model.vocabulary, model.d_model], {
    initialiser: { kind: 'normal', standardDeviation: INITIAL_STANDARD_DEVIATION },
    role: 'embedding',
  });
  const embedded = builder.inScope('embed', () => builder.gatherRows(embedding, builder.reshape(tokens, [count])));
  const { x, routed } = layers(builder, embedded, model);
  const normed = rmsNorm(builder, 'norm', x, model.d_model);

  const { negativeLogLikelihood, crossEntropy } = builder.inScope('logits', () => {
    const logits = builder.matmul(normed, embedding, { transposeB: true });
    const flatTargets = builder.reshape(targets, [count]);
    const total = builder.sum(builder.crossEntropy(logits, flatTargets), [0]);
    const scored = builder.sum(builder.greaterEqual(flatTargets, 0), [0]);
    return { negativeLogLikelihood: total, crossEntropy: builder.divide(total, scored) };
  });
  const balances = routed.map((layer) => layer.balance);
  const [firstBalance, ...otherBalances] = balances;
  const balance = firstBalance === undefined ? undefined : otherBalances.reduce((sum, next) => builder.add(sum, next), firstBalance);
  const weight = model.moe?.balance_weight ?? 0;
  const loss =
    balance === undefined || weight === 0 ? crossEntropy : builder.add(crossEntropy, builder.multiply(balance, builder.constant(weight)));

  return {
    schemaVersion: 1,
    name: experiment.name ?? 'experiment',
    values: builder.values,
    inputs: builder.inputs,
    parameters: builder.parameters,
    buffers: builder.buffers,
    nodes: builder.nodes,
    outputs: {
      loss: loss.id,
      negativeLogLikelihood: negativeLogLikelihood.id,
      crossEntropy: crossEntropy.id,
      balance: balance?.id ?? null,
    },
    routedLayers: routed.map((layer) => layer.layer),
    optimiser: optimiser(experiment.train ?? trainSchema.parse({ steps: 1, batch_tokens: 1 })),
  };
}
