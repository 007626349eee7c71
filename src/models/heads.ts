import type { ProgramBuilder, Tensor } from '../graph/builder';
import { headWidth, rotatedChannels } from '../config/attentionShape';
import type { ModelConfig } from '../config/schema';

/** rows [tokens, heads * width] -> [batch, heads, time, width]. */
export function splitHeads(builder: ProgramBuilder, rows: Tensor, heads: number, model: ModelConfig): Tensor {
  return swapHeads(builder, builder.reshape(rows, ['batch', 'time', heads, headWidth(model)]));
}

/** [batch, heads, time, width] <-> [batch, time, heads, width]. */
export function swapHeads(builder: ProgramBuilder, headed: Tensor): Tensor {
  return builder.transpose(headed, [0, 2, 1, 3]);
}

/** x [batch, heads, time, width] with every head `times` times in a row. */
export function repeatHeads(builder: ProgramBuilder, x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [batch = 1, heads, time = 1, width = 1] = x.shape;
  if (typeof heads !== 'number') throw new RangeError('The number of heads is not a number.');
  const apart = builder.reshape(x, [batch, heads, 1, time, width]);
  return builder.reshape(builder.expand(apart, [batch, heads, times, time, width]), [batch, heads * times, time, width]);
}

/** Rotary positions over the first channels of every head, as `rope_share` says; x [batch, heads, time, width] itself without them. */
export function rotateHeads(builder: ProgramBuilder, x: Tensor, model: ModelConfig): Tensor {
  const width = headWidth(model);
  const { rope_base: base } = model.attention;
  const rotated = rotatedChannels(model);
  if (rotated === 0) return x;
  if (rotated === width) return builder.rotary(x, base);
  return builder.concat([builder.rotary(builder.slice(x, 3, 0, rotated), base), builder.slice(x, 3, rotated, width)], 3);
}
