import type { Tensor } from '../graph/builder';
import { ProgramBuilder } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { AdamW, Parameter, Program } from '../graph/program';
import { isRoutedLayer } from '../config/placement';
import type { Experiment, ModelConfig, TrainConfig } from '../config/schema';
import { trainSchema } from '../config/schema';
import { attention } from './attention';
import type { BalanceScope } from './balance';
import { feedForward } from './feedForward';
import { INITIAL_STANDARD_DEVIATION } from './linear';
import type { RoutedOutput } from './mixtureOfExperts';
import { mixtureOfExperts } from './mixtureOfExperts';
import { rmsNorm } from './norm';

function optimiser(train: TrainConfig): AdamW {
  return {
    kind: 'adamw',
    beta1: train.betas[0],
    beta2: train.betas[1],
    epsilon: train.epsilon,
    clip: train.clip === 0 ? null : train.clip,
    groups: { decayed: { weightDecay: train.weight_decay, rateScale: 1 }, undecayed: { weightDecay: 0, rateScale: 1 } },
  };
}

/** A single microbatch is the whole step already, and needs no figure of the step, which would cost another forward pass. */
function hasSeveralMicrobatches({ train, model }: Experiment): boolean {
  return train !== undefined && train.batch_tokens > train.micro_batch * model.context;
}

/** Over what the routed layers balance. */
function balanceScope(experiment: Experiment): BalanceScope {
  const wanted = experiment.model.moe?.router.balance_scope ?? 'micro';
  return wanted === 'global' && hasSeveralMicrobatches(experiment) ? 'global' : 'micro';
}

/** The layers: h = x + attention(norm(x)); x = h + ffn(norm(h)). Residual stream x [tokens, d_model]. */
function layers(
  builder: ProgramBuilder,
  embedded: Tensor,
  model: ModelConfig,
  scope: BalanceScope,
): { readonly x: Tensor; readonly routed: readonly RoutedOutput[] } {
  const { d_model: d, moe, bitnet } = model;
  const { width, activation } = model.ffn;
  const routed: RoutedOutput[] = [];
  let x = embedded;
  for (let index = 0; index < model.layers; index++) {
    x = builder.inScope(`layers.${index}`, () => {
      const attended = builder.inScope('attention', () => attention(builder, rmsNorm(builder, 'norm', x, d), model));
      const h = builder.add(x, attended);
      if (moe !== undefined && isRoutedLayer(model, index)) {
        const output = builder.inScope('moe', () => mixtureOfExperts(builder, rmsNorm(builder, 'norm', h, d), model, moe, { scope }));
        routed.push(output);
        return builder.add(h, output.output);
      }
      return builder.inScope('ffn', () => {
        const normed = rmsNorm(builder, 'norm', h, d);
        return builder.add(h, feedForward(builder, normed, { inputs: d, width, activation, layers: model.layers, role: 'ffn', bitnet }));
      });
    });
  }
  return { x, routed };
}

/** The sum of those that are there; null where none is. */
function total(builder: ProgramBuilder, terms: readonly (Tensor | null)[]): Tensor | null {
  return terms.reduce<Tensor | null>((sum, next) => (sum === null || next === null ? (sum ?? next) : builder.add(sum, next)), null);
}

/** loss + weight * term, without what does not count. */
function plusWeighted(builder: ProgramBuilder, loss: Tensor, term: Tensor | null, weight: number): Tensor {
  return term === null || weight === 0 ? loss : builder.add(loss, builder.multiply(term, builder.constant(weight)));
}

/** Layers declare their weights for a deviation of INITIAL_STANDARD_DEVIATION; another one (`initial_std`) scales them all alike. */
function initialised(parameters: readonly Parameter[], deviation: number): Parameter[] {
  const scale = deviation / INITIAL_STANDARD_DEVIATION;
  return parameters.map((parameter) => {
    const { initialiser } = parameter;
    if (initialiser.kind !== 'normal') return parameter;
    return { ...parameter, initialiser: { ...initialiser, standardDeviation: initialiser.standardDeviation * scale } };
  });
}

/** A matrix with a row of width d_model for every token of the vocabulary. */
function tokenRows(builder: ProgramBuilder, name: 'embedding' | 'output', model: ModelConfig): Tensor {
  return builder.parameter(name, [model.vocabulary, model.d_model], {
    initialiser: { kind: 'normal', standardDeviation: INITIAL_STANDARD_DEVIATION },
    role: name,
  });
}

/**
 * The training program of an experiment: pre-norm layers with RMSNorm, and logits by the embeddings or, untied, by a matrix of their own.
 * Inputs `tokens` and `targets` int32 [batch, time]; a target below 0 is not scored, which for a masked objective is every token that was not
 * hidden. The loss is the mean cross-entropy of the scored targets (nats per token), where they are masked over all those of the step, plus,
 * each summed over the routed layers, balance_weight times the balance losses and z_loss_weight times the router z-losses.
 */
export function buildLanguageModel(experiment: Experiment): Program {
  const { model } = experiment;
  const builder = new ProgramBuilder();
  const tokens = builder.input('tokens', ['batch', 'time'], 'int32');
  const targets = builder.input('targets', ['batch', 'time'], 'int32');
  const count = product(['batch', 'time']);
  const embedding = tokenRows(builder, 'embedding', model);
  const embedded = builder.inScope('embed', () => builder.gatherRows(embedding, builder.reshape(tokens, [count])));
  const { x, routed } = layers(builder, embedded, model, balanceScope(experiment));
  const normed = rmsNorm(builder, 'norm', x, model.d_model);
  const output = model.tie_embeddings ? embedding : tokenRows(builder, 'output', model);

  const { negativeLogLikelihood, crossEntropy } = builder.inScope('logits', () => {
    const logits = builder.matmul(normed, output, { transposeB: true });
    const flatTargets = builder.reshape(targets, [count]);
    const summed = builder.sum(builder.crossEntropy(logits, flatTargets), [0]);
    const scored = builder.sum(builder.greaterEqual(flatTargets, 0), [0]);
    // Microbatches hide unequal numbers of tokens: over the mean number, their losses average to the mean over all tokens of the step.
    const divisor = model.objective === 'masked' && hasSeveralMicrobatches(experiment) ? builder.stepMean('scored', scored) : scored;
    return { negativeLogLikelihood: summed, crossEntropy: builder.divide(summed, divisor) };
  });
  const over = (figure: (layer: RoutedOutput) => Tensor | null): Tensor | null => total(builder, routed.map(figure));
  const balance = over((layer) => layer.balance);
  const zLoss = over((layer) => layer.zLoss);
  const dropRates = over((layer) => layer.dropRate);
  const dropRate = dropRates === null ? null : builder.multiply(dropRates, builder.constant(1 / routed.length));
  const { balance_weight: balanceWeight = 0, z_loss_weight: zLossWeight = 0 } = model.moe?.router ?? {};
  const loss = plusWeighted(builder, plusWeighted(builder, crossEntropy, balance, balanceWeight), zLoss, zLossWeight);

  return {
    schemaVersion: 1,
    name: experiment.name ?? 'experiment',
    values: builder.values,
    inputs: builder.inputs,
    parameters: initialised(builder.parameters, model.initial_std),
    buffers: builder.buffers,
    statistics: builder.statistics,
    noises: builder.noises,
    nodes: builder.nodes,
    outputs: {
      loss: loss.id,
      negativeLogLikelihood: negativeLogLikelihood.id,
      crossEntropy: crossEntropy.id,
      balance: balance?.id ?? null,
      zLoss: zLoss?.id ?? null,
      dropRate: dropRate?.id ?? null,
    },
    routedLayers: routed.map((layer) => layer.layer),
    retrievals: [],
    optimiser: optimiser(experiment.train ?? trainSchema.parse({ steps: 1, batch_tokens: 1 })),
  };
}
