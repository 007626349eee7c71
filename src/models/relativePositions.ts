import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import { headWidth } from '../config/attentionShape';
import type { ModelConfig } from '../config/schema';
import { initialisation } from './initialisation';

/** What a layer keeps of each window for the next one in its lane, and which windows go on from one. */
export interface Memory {
  /** The residual stream as it entered this layer for the window before, [tokens, d_model], without gradient. */
  readonly states: Tensor;
  /** [batch]: 1 for a window that goes on from the one before, 0 for one that begins anew. */
  readonly seen: Tensor;
}

/** The cache of a layer that x [tokens, d_model] enters, before its norm (Transformer-XL, 1901.02860 section 3.2). */
export function cachedStates(builder: ProgramBuilder, x: Tensor, width: number): Tensor {
  const cache = builder.buffer('cache', ['batch', 'time', width], {
    initial: 0,
    updated: 'lane',
    update: () => builder.stopGradient(builder.reshape(x, ['batch', 'time', width])),
  });
  return builder.reshape(cache, x.shape);
}

/** 1 for windows that see their cache: `resets` int32 [batch] is 1 for those that do not. */
export function seenWindows(builder: ProgramBuilder, resets: Tensor): Tensor {
  return builder.subtract(builder.constant(1), builder.greaterEqual(resets, 1));
}

/**
 * [heads, 2 * time, width]: row n is the projected sinusoid of distance n (1901.02860 section 3.3, without u and v). Every layer has a
 * projection of its own, the parameter `position` [d_model, heads * width]; it is full precision also where others are quantised.
 */
export function relativePositions(builder: ProgramBuilder, model: ModelConfig): Tensor {
  const { d_model: d, attention } = model;
  const { heads } = attention;
  const width = headWidth(model);
  const weight = builder.parameter('position', [d, heads * width], { initialiser: initialisation(model).matrix(d), role: 'position' });
  return builder.inScope('position', () => {
    const distances = product([2, 'time']);
    const projected = builder.matmul(builder.sinusoid(distances, d), weight);
    return builder.transpose(builder.reshape(projected, [distances, heads, width]), [1, 0, 2]);
  });
}
