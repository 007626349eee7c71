import type { Tensor } from '../graph/builder';
import { ProgramBuilder } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { Program } from '../graph/program';
import type { Experiment, ModelConfig } from '../config/schema';
import { trainSchema } from '../config/schema';
import type { BalanceScope } from './balance';
import { initialisation } from './initialisation';
import { layers } from './layers';
import type { RoutedOutput } from './mixtureOfExperts';
import { residualNorm } from './norm';
import { optimiser } from './optimiser';
import { seenWindows } from './relativePositions';

/** A single microbatch is the whole step already, and needs no figure of the step, which would cost another forward pass. */
function hasSeveralMicrobatches({ train, model }: Experiment): boolean {
  return train !== undefined && train.batch_tokens > train.micro_batch * model.context;
}

/** Over what the routed layers balance. */
function balanceScope(experiment: Experiment): BalanceScope {
  const wanted = experiment.model.moe?.router.balance_scope ?? 'micro';
  return wanted === 'global' && hasSeveralMicrobatches(experiment) ? 'global' : 'micro';
}

/** The sum of those that are there; null where none is. */
function total(builder: ProgramBuilder, terms: readonly (Tensor | null)[]): Tensor | null {
  return terms.reduce<Tensor | null>((sum, next) => (sum === null || next === null ? (sum ?? next) : builder.add(sum, next)), null);
}

/** loss + weight * term, without what does not count. */
function plusWeighted(builder: ProgramBuilder, loss: Tensor, term: Tensor | null, weight: number): Tensor {
  return term === null || weight === 0 ? loss : builder.add(loss, builder.multiply(term, builder.constant(weight)));
}

/** A matrix with a row of width d_model for every token of the vocabulary. */
function tokenRows(builder: ProgramBuilder, name: 'embedding' | 'output', model: ModelConfig): Tensor {
  return builder.parameter(name, [model.vocabulary, model.d_model], {
    initialiser: initialisation(model).embedding(),
    role: name,
  });
}

/**
 * The training program of an experiment: pre-norm layers with the norm that `model.norm` says, and logits by the embeddings or, untied, by
 * a matrix of their own. Inputs `tokens` and `targets` int32 [batch, time]; a target below 0 is not scored, which for a masked objective is
 * every token that was not hidden. The loss is the mean cross-entropy of the scored targets (nats per token), where they are masked over
 * all those of the step, plus, each summed over the routed layers, balance_weight times the balance losses, z_loss_weight times the router
 * z-losses and, for top_p, entropy_weight times the entropies of their scores.
 */
export function buildLanguageModel(experiment: Experiment): Program {
  const { model } = experiment;
  const builder = new ProgramBuilder();
  const tokens = builder.input('tokens', ['batch', 'time'], 'int32');
  const targets = builder.input('targets', ['batch', 'time'], 'int32');
  const seen = model.attention.position === 'xl' ? seenWindows(builder, builder.input('resets', ['batch'], 'int32')) : undefined;
  const count = product(['batch', 'time']);
  const embedding = tokenRows(builder, 'embedding', model);
  const embedded = builder.inScope('embed', () => {
    const rows = builder.gatherRows(embedding, builder.reshape(tokens, [count]));
    return model.scale_embeddings ? builder.multiply(rows, builder.constant(Math.sqrt(model.d_model))) : rows;
  });
  const { x, routed, routedLayers, retrievals } = layers({ builder, model, scope: balanceScope(experiment), seen }, embedded);
  const normed = residualNorm(builder, 'norm', model)(x);
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
  const weights = model.moe?.router ?? { balance_weight: 0, z_loss_weight: 0, entropy_weight: 0 };
  const plusBalance = plusWeighted(builder, crossEntropy, balance, weights.balance_weight);
  const plusZLoss = plusWeighted(builder, plusBalance, zLoss, weights.z_loss_weight);
  const loss = plusWeighted(
    builder,
    plusZLoss,
    over((layer) => layer.entropy),
    weights.entropy_weight,
  );

  return builder.finish({
    name: experiment.name ?? 'experiment',
    outputs: { loss, negativeLogLikelihood, crossEntropy, balance, zLoss, dropRate },
    routedLayers,
    retrievals,
    optimiser: optimiser(experiment.train ?? trainSchema.parse({ steps: 1, batch_tokens: 1 }), model.product_keys),
  });
}
