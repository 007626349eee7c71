import { ProgramBuilder, type Tensor } from '../../../src/graph/builder';
import type { Program } from '../../../src/graph/program';

export const experts = 5;
const choices = 2;
const units = 'batch*time';

export interface StepProgramOptions {
  /** Over which batch the balance losses take their means. */
  readonly scope?: 'micro' | 'global';
  /** Noise in [1 - jitter, 1 + jitter) on what the router reads. */
  readonly jitter?: number;
  /** A bias on the choice of experts, replaced once a step from the step's counts (2408.15664). */
  readonly lossFree?: boolean;
  /** A running mean of the router's scores, replaced after each microbatch, which the choice of experts reads. */
  readonly running?: boolean;
  /** What a token was in the window before it in its lane is added to what it is: a lane buffer, and `resets`. */
  readonly lanes?: boolean;
  /** The routed layer is a retrieval too: of the same choices, with their gates as weights. */
  readonly retrieval?: boolean;
  /** Capacity factor; it holds in training only. */
  readonly capacity?: number | null;
}

/**
 * A small routed model with everything that a step is more than its microbatches for. Its AdamW has a large epsilon: with a small one, an
 * element whose gradient is zero but for rounding would move by a whole learning rate.
 */
export function stepProgram(options: StepProgramOptions = {}): Program {
  const { scope = 'global', jitter = 0.2, lossFree = true, running = false, capacity = null, lanes = false, retrieval = false } = options;
  const [vocabulary, width, hidden] = [11, 6, 8];
  const builder = new ProgramBuilder();
  const flat = (name: string) => builder.reshape(builder.input(name, ['batch', 'time'], 'int32'), [units]);
  const [tokens, targets] = [flat('tokens'), flat('targets')];
  const weight = (name: string, shape: readonly number[], standardDeviation: number) =>
    builder.parameter(name, shape, { initialiser: { kind: 'normal', standardDeviation }, role: 'experts' });
  const table = weight('embedding', [vocabulary, width], 0.5);
  const embedded = builder.gatherRows(table, tokens);
  const x = lanes ? withWindowBefore(builder, embedded, width) : embedded;

  return builder.inScope('moe', () => {
    const noise = () => builder.noise('jitter', [units, width], { low: 1 - jitter, high: 1 + jitter, evaluation: 1 });
    const logits = builder.matmul(jitter === 0 ? x : builder.multiply(x, noise()), weight('router', [width, experts], 1));
    const scores = builder.softmax(logits);
    const probability = builder.mean(scores, [0]);

    let preference = scores;
    if (running) {
      builder.buffer('running', [experts], {
        initial: 0.1,
        updated: 'microbatch',
        update: (current) => {
          preference = builder.subtract(preference, current);
          return builder.multiply(builder.add(current, builder.stopGradient(probability)), builder.constant(0.5));
        },
      });
    }
    let counts: Tensor | undefined;
    let indices: Tensor | undefined;
    const choose = (biased: Tensor): Tensor => {
      indices = builder.topK(biased, choices);
      counts = builder.countChoices(indices, experts, choices);
      return counts;
    };
    if (lossFree) {
      builder.buffer('bias', [experts], {
        initial: 0,
        updated: 'step',
        update: (bias) => {
          const mean = builder.stepMean('counts', choose(builder.add(preference, bias)));
          const excess = builder.subtract(builder.mean(mean, [0]), mean);
          return builder.add(bias, builder.multiply(builder.sign(excess), builder.constant(0.05)));
        },
      });
    } else choose(preference);
    if (counts === undefined || indices === undefined) throw new Error('Experts were chosen.');

    // Balance: E sum_e F_e P_e, and sum_e p_e log pbar_e, with F and pbar of the microbatch or of the whole step.
    const load = builder.multiply(counts, builder.constant(1, [], [choices, units]));
    const ofStep = (name: string, local: Tensor) => (scope === 'global' ? builder.stepMean(name, local) : builder.stopGradient(local));
    const even = builder.multiply(builder.sum(builder.multiply(ofStep('load', load), probability), [0]), builder.constant(experts));
    const entropy = builder.sum(builder.multiply(probability, builder.log(ofStep('probability', probability))), [0]);
    const balance = builder.add(even, entropy);
    const logZ = builder.logSumExp(logits);
    const zLoss = builder.mean(builder.multiply(logZ, logZ), [0]);

    const one = builder.constant(1);
    const over =
      capacity === null
        ? null
        : builder.multiply(builder.trainingMode(), builder.subtract(one, builder.withinCapacity(indices, experts, capacity, 'choice')));
    const gates = builder.takeAlongLast(scores, indices);
    const dropped = over && builder.sum(over, [0, 1]);
    const routing = builder.route(indices, experts);
    const inner = builder.activation(
      'silu',
      builder.expertMatmul(builder.permute(x, routing), weight('w1', [experts, width, hidden], 0.5), routing),
    );
    const outer = builder.expertMatmul(inner, weight('w2', [experts, hidden, width], 0.5), routing);
    const y = builder.combine(outer, over === null ? gates : builder.multiply(gates, builder.subtract(one, over)), routing);

    const negativeLogLikelihood = builder.sum(
      builder.crossEntropy(builder.matmul(builder.add(x, y), table, { transposeB: true }), targets),
      [0],
    );
    const crossEntropy = builder.multiply(negativeLogLikelihood, builder.constant(1, [], [units]));
    const weighted = (auxiliary: Tensor, factor: number) => builder.multiply(auxiliary, builder.constant(factor));
    const loss = builder.add(crossEntropy, builder.add(weighted(balance, 0.5), weighted(zLoss, 0.1)));
    const dropRate = dropped && builder.multiply(dropped, builder.constant(1, [], [choices, units]));
    return builder.finish({
      name: 'step',
      outputs: { loss, negativeLogLikelihood, crossEntropy, balance, zLoss, dropRate },
      routedLayers: [
        { name: 'moe', experts, k: choices, unitsPerToken: 1, counts: counts.id, dropped: dropped && dropped.id, taken: null },
      ],
      retrievals: retrieval ? [{ name: 'retrieval', experts, k: choices, indices: indices.id, weights: gates.id }] : [],
      optimiser: {
        kind: 'adamw',
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 0.01,
        clip: 1,
        groups: { decayed: { weightDecay: 0.1, rateScale: 1 } },
      },
    });
  });
}

/** x [units, width], and half of it as it was in the window before, where a window goes on from one. */
function withWindowBefore(builder: ProgramBuilder, x: Tensor, width: number): Tensor {
  const windows = ['batch', 'time', width];
  const resets = builder.reshape(builder.input('resets', ['batch'], 'int32'), ['batch', 1, 1]);
  const seen = builder.subtract(builder.constant(1), builder.greaterEqual(resets, 1));
  let sum = builder.reshape(x, windows);
  builder.buffer('before', windows, {
    initial: 0,
    updated: 'lane',
    update: (before) => {
      sum = builder.add(sum, builder.multiply(builder.multiply(before, seen), builder.constant(0.5)));
      // Of the sum: what a lane holds depends on all its windows since it began.
      return builder.stopGradient(sum);
    },
  });
  return builder.reshape(sum, [units, width]);
}
