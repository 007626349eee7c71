import type { ProgramBuilder, Tensor } from '../graph/builder';
import { ShapeError } from '../graph/shapes';

/** Added to the variance, and the share of the running statistics that a microbatch replaces: those of PyTorch. */
const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/**
 * Batch normalisation without gain and bias (1502.03167): x [rows, features] -> (x - m) / sqrt(v + 1e-5), each feature for itself. In
 * training m and v are the mean and the biased variance over the rows of the microbatch, through which gradients flow; in evaluation they
 * are the buffers
 * `<name>_mean` and `<name>_variance` [features], which every microbatch moves a tenth of the way to its own, the variance unbiased.
 */
export function batchNorm(builder: ProgramBuilder, name: string, x: Tensor, features: number): Tensor {
  const mean = builder.mean(x, [0]);
  const centred = builder.subtract(x, mean);
  const variance = builder.mean(builder.multiply(centred, centred), [0]);
  const training = builder.trainingMode();
  const evaluating = builder.subtract(builder.constant(1), training);
  const running = (kind: 'mean' | 'variance', initial: number, batch: Tensor): Tensor =>
    builder.buffer(`${name}_${kind}`, [features], {
      initial,
      updated: 'microbatch',
      update: (current) => builder.add(scaled(builder, current, 1 - MOMENTUM), scaled(builder, batch, MOMENTUM)),
    });
  const used = (batch: Tensor, kept: Tensor): Tensor => builder.add(builder.multiply(batch, training), builder.multiply(kept, evaluating));
  const usedMean = used(mean, running('mean', 0, mean));
  const usedVariance = used(variance, running('variance', 1, unbiased(builder, variance, x)));
  const deviation = builder.sqrt(builder.add(usedVariance, builder.constant(EPSILON)));
  return builder.divide(builder.subtract(x, usedMean), deviation);
}

function scaled(builder: ProgramBuilder, x: Tensor, factor: number): Tensor {
  return builder.multiply(x, builder.constant(factor));
}

/** variance * rows / (rows - 1); of a single row, whose variance is 0, as it is. */
function unbiased(builder: ProgramBuilder, variance: Tensor, x: Tensor): Tensor {
  const [rows] = x.shape;
  if (rows === undefined) throw new ShapeError('Batch normalisation is over rows.');
  const others = builder.subtract(builder.constant(1), builder.constant(1, [], [rows]));
  const alone = builder.subtract(builder.constant(1), builder.sign(others));
  return builder.divide(variance, builder.add(others, alone));
}
