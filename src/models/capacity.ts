import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RouterSpec } from './routerLogits';
import type { UnitChoice } from './unitChoice';

export interface Capped {
  /** [units, most]: 0 where the choice was dropped. */
  readonly weights: Tensor;
  /** Scalar: how many choices were dropped. */
  readonly dropped: Tensor;
  /** Scalar: their share of all choices made. */
  readonly dropRate: Tensor;
}

/**
 * Drops what exceeds C = ceil(factor k U / E) choices of an expert (2006.16668, 2101.03961 Eq. 3), k the mean where units take different
 * numbers of experts: its weight becomes 0 and the unit's other weights stay, so a unit without any expert passes by on the residual
 * stream. In evaluation only with `capacity_in_evaluation`. Dropped rows are still computed: capacity here is a definition, not a saving.
 */
export function dropOverCapacity(builder: ProgramBuilder, choice: UnitChoice, factor: number, spec: RouterSpec): Capped {
  const { config, experts, k, most } = spec;
  const { indices, weights, kept } = choice;
  const order = config.capacity_priority === 'first_choice' ? 'choice' : 'unit';
  // The primitive takes a share of all columns, of which units are to use k on average.
  const within = builder.withinCapacity(indices, experts, k === most ? factor : (factor * k) / most, order);
  const beyond = builder.subtract(builder.constant(1), within);
  const over = kept === null ? beyond : builder.multiply(beyond, kept);
  const lost = config.capacity_in_evaluation ? over : builder.multiply(over, builder.trainingMode());
  const dropped = builder.sum(lost, [0, 1]);
  const share =
    kept === null
      ? builder.multiply(dropped, builder.constant(1 / k, [], indices.shape.slice(0, 1)))
      : builder.divide(dropped, builder.sum(kept, [0, 1]));
  return { weights: builder.multiply(weights, builder.subtract(builder.constant(1), lost)), dropped, dropRate: share };
}
