import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { Dimension } from '../graph/dimensions';
import { product } from '../graph/dimensions';
import { ShapeError } from '../graph/shapes';

/**
 * With `position: xl` attention sees the cached chunk of each window and the present one. Their rows lie window by window, the cached chunk
 * first: [batch, 2, time] as one axis, so that whatever is drawn for a row does not depend on how a step is split into microbatches.
 */
export interface Chunks {
  readonly memory: Tensor;
  readonly present: Tensor;
}

/** Both chunks [batch * time, width] -> [2 * batch * time, width]. */
export function joinChunks(builder: ProgramBuilder, { memory, present }: Chunks): Tensor {
  const width = widthOf(present);
  const apart = (x: Tensor): Tensor => builder.reshape(x, ['batch', 1, 'time', width]);
  return builder.reshape(builder.concat([apart(memory), apart(present)], 1), [product([2, 'batch', 'time']), width]);
}

/** [2 * batch * time, width] -> both chunks, [batch * time, width]. */
export function splitChunks(builder: ProgramBuilder, rows: Tensor): Chunks {
  return { memory: chunk(builder, rows, 0), present: chunk(builder, rows, 1) };
}

/** [2 * batch * time, width] -> the present chunk [batch * time, width]. */
export function presentOf(builder: ProgramBuilder, rows: Tensor): Tensor {
  return chunk(builder, rows, 1);
}

function chunk(builder: ProgramBuilder, rows: Tensor, index: 0 | 1): Tensor {
  const width = widthOf(rows);
  const byChunk = builder.reshape(rows, ['batch', 2, 'time', width]);
  return builder.reshape(builder.slice(byChunk, 1, index, index + 1), [product(['batch', 'time']), width]);
}

function widthOf({ shape }: Tensor): Dimension {
  const width = shape.at(-1);
  if (width === undefined) throw new ShapeError('Chunks are rows of some width.');
  return width;
}
