import { nearestDivisors, nearestMultiples, nearestThatFit } from '../divisibility';
import { atValue } from '../pathFinding';
import { mended, setting } from './remedies';
import type { ModelConfig } from '../schema';
import { most } from '../schemaBounds';
import type { Rule } from './rule';
import { violation } from './rule';

/** Numbers of heads near to what is stated that leave whole head widths, even ones where rope needs them. */
function headCounts(model: ModelConfig, heads: number): readonly number[] {
  const { position, rope_share: share, kv_heads: shared } = model.attention;
  const even = position === 'rope' && share === 1;
  return nearestThatFit(
    heads,
    model.d_model,
    (count) =>
      model.d_model % count === 0 && (!even || (model.d_model / count) % 2 === 0) && (shared === undefined || count % shared === 0),
  );
}

export const attentionHeads: Rule = {
  code: 'attention-heads',
  severity: 'error',
  summary: '`d_model` is not divisible by `attention.heads`, and there is no `head_width`',
  check({ experiment: { model } }) {
    const { heads, head_width: width } = model.attention;
    if (width !== undefined || model.d_model % heads === 0) return undefined;
    return mended(
      violation(
        `\`model.d_model\` ${model.d_model} is not divisible by \`attention.heads\` ${heads}; use ${nearestDivisors(model.d_model, heads)} heads, or a width of ${nearestMultiples(model.d_model, heads)}.`,
        atValue('model', 'attention', 'heads'),
        atValue('model', 'd_model'),
      ),
      ...headCounts(model, heads).map((count) => setting(['model', 'attention', 'heads'], count)),
    );
  },
};

/** RoPE turns pairs of channels. */
export const oddHeadWidth: Rule = {
  code: 'odd-head-width',
  severity: 'error',
  summary: 'with `position: rope` and `rope_share: 1` the width of an attention head must be even',
  check({ experiment: { model } }) {
    const { heads, head_width: stated, position, rope_share: share } = model.attention;
    // A smaller share is rounded down to pairs.
    if (position !== 'rope' || share < 1) return undefined;
    if (stated !== undefined) {
      if (stated % 2 === 0) return undefined;
      return mended(
        violation(
          `\`attention.head_width\` ${stated} is odd, but rope turns pairs of channels; use ${nearestMultiples(stated, 2)}, or a \`rope_share\` below 1, or \`position: none\`.`,
          atValue('model', 'attention', 'head_width'),
        ),
        ...nearestThatFit(stated, most.width, (width) => width % 2 === 0).map((width) =>
          setting(['model', 'attention', 'head_width'], width),
        ),
      );
    }
    const width = model.d_model / heads;
    if (!Number.isInteger(width) || width % 2 === 0) return undefined;
    return mended(
      violation(
        `The head width \`d_model / attention.heads\` = ${model.d_model} / ${heads} = ${width} is odd, but rope turns pairs of channels; use an even head width, or a \`rope_share\` below 1, or \`position: none\`.`,
        atValue('model', 'attention', 'heads'),
        atValue('model', 'd_model'),
      ),
      ...headCounts(model, heads).map((count) => setting(['model', 'attention', 'heads'], count)),
    );
  },
};

export const keyValueHeads: Rule = {
  code: 'kv-heads',
  severity: 'error',
  summary: '`attention.heads` is not divisible by `kv_heads`',
  check({ experiment: { model } }) {
    const { heads, kv_heads: shared } = model.attention;
    if (shared === undefined || heads % shared === 0) return undefined;
    return mended(
      violation(
        `\`attention.heads\` ${heads} is not divisible by \`kv_heads\` ${shared}, so queries cannot share keys and values evenly; use ${nearestDivisors(heads, shared)} of them.`,
        atValue('model', 'attention', 'kv_heads'),
        atValue('model', 'attention', 'heads'),
      ),
      ...nearestThatFit(shared, heads, (count) => heads % count === 0).map((count) => setting(['model', 'attention', 'kv_heads'], count)),
    );
  },
};
