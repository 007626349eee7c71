import type { ProgramBuilder, Routing, Tensor } from '../graph/builder';
import type { Dimension } from '../graph/dimensions';
import { product } from '../graph/dimensions';
import { ShapeError } from '../graph/shapes';

/** How units get to experts and back, whoever chose whom. Rows R are (unit, expert) pairs, grouped by expert. */
export interface Dispatch {
  /** x [units, d] -> [R, d]: each unit into the rows of its experts. */
  readonly toRows: (x: Tensor) => Tensor;
  /** rows [R, in], weight [experts, in, out] -> [R, out]: each row times its expert's matrix. */
  readonly multiply: (rows: Tensor, weight: Tensor) => Tensor;
  /** rows [R, d] -> [units, d]: the sum of each unit's rows, each times its weight. */
  readonly combine: (rows: Tensor) => Tensor;
}

/** Every unit has k rows: sorted by expert without a limit (dropless, 2211.15841). weights [units, k]. */
export function dispatchByUnit(builder: ProgramBuilder, routing: Routing, weights: Tensor): Dispatch {
  return {
    toRows: (x) => builder.permute(x, routing),
    multiply: (rows, weight) => builder.expertMatmul(rows, weight, routing),
    combine: (rows) => builder.combine(rows, weights, routing),
  };
}

/**
 * Every expert has C rows: indices int32 [experts, C] are its units, weights [experts, C] theirs. A unit may have none, or one of each
 * expert.
 */
export function dispatchByExpert(builder: ProgramBuilder, indices: Tensor, weights: Tensor, units: Dimension): Dispatch {
  const flat = product(indices.shape);
  const grouped = (rows: Tensor): Tensor => builder.reshape(rows, [...indices.shape, width(rows)]);
  const flattened = (rows: Tensor): Tensor => builder.reshape(rows, [flat, width(rows)]);
  return {
    toRows: (x) => flattened(builder.gatherRows(x, indices)),
    multiply: (rows, weight) => flattened(builder.matmul(grouped(rows), weight)),
    combine: (rows) => {
      const weighted = builder.multiply(rows, builder.reshape(weights, [flat, 1]));
      return builder.scatterRows(builder.reshape(indices, [flat]), weighted, units);
    },
  };
}

function width(rows: Tensor): Dimension {
  const last = rows.shape.at(-1);
  if (last === undefined) throw new ShapeError('Routed rows need a width.');
  return last;
}
