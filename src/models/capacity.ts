import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RouterSpec } from './routerLogits';

export interface Capped {
  /** [units, k]: 0 where the choice was dropped. */
  readonly weights: Tensor;
  /** Scalar: how many choices were dropped. */
  readonly dropped: Tensor;
  /** Scalar: their share of all choices. */
  readonly dropRate: Tensor;
}

/**
 * Drops what exceeds C = ceil(factor k U / E) choices of an expert (2006.16668, 2101.03961 Eq. 3): its weight becomes 0 and the unit's other
 * weights stay, so a unit without any expert passes by on the residual stream. In evaluation only with `capacity_in_evaluation`. Dropped rows
 * are still computed: capacity here is a definition, not a saving.
 */
export function dropOverCapacity(builder: ProgramBuilder, weights: Tensor, chosen: Tensor, factor: number, spec: RouterSpec): Capped {
  const { config, experts, k } = spec;
  const order = config.capacity_priority === 'first_choice' ? 'choice' : 'unit';
  const within = builder.withinCapacity(chosen, experts, factor, order);
  const over = builder.subtract(builder.constant(1), within);
  const lost = config.capacity_in_evaluation ? over : builder.multiply(over, builder.trainingMode());
  const dropped = builder.sum(lost, [0, 1]);
  return {
    weights: builder.multiply(weights, builder.subtract(builder.constant(1), lost)),
    dropped,
    dropRate: builder.multiply(dropped, builder.constant(1 / k, [], chosen.shape.slice(0, 1))),
  };
}
