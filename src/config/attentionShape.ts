import type { AttentionMoeConfig, ModelConfig } from './schema';

/** Width of one attention head. */
export function headWidth({ d_model: d, attention }: Pick<ModelConfig, 'd_model' | 'attention'>): number {
  return attention.head_width ?? d / attention.heads;
}

/**
 * How many channels of a head are rotated, the first ones: rope turns pairs, so an even number. 0 where there is no rope. In a config
 * without errors
 * `rope_share: 1` has an even head width.
 */
export function rotatedChannels(model: Pick<ModelConfig, 'd_model' | 'attention'>): number {
  const { position, rope_share: share } = model.attention;
  if (position !== 'rope') return 0;
  // 0.58 * 100 / 2 is a little less than 29.
  return 2 * Math.floor((share * headWidth(model)) / 2 + 1e-9);
}

/** Whether rope would find pairs of channels in every head: all of them are rotated, or a part that is rounded to pairs. */
export function hasPairs(model: Pick<ModelConfig, 'd_model' | 'attention'>): boolean {
  return model.attention.rope_share < 1 || headWidth(model) % 2 === 0;
}

/**
 * The sides of attention that choose experts (2312.07987 section 2.2): the token that is seen (value, key), and the one that sees (output,
 * query).
 */
export interface SelectionSides {
  readonly source: boolean;
  readonly destination: boolean;
}

/** Which sides a projection with experts is on. With `shared_selection` the source side uses what the destination side chose. */
export function selectionSides({ projections }: Pick<AttentionMoeConfig, 'projections'>): SelectionSides {
  return {
    source: projections.includes('value') || projections.includes('key'),
    destination: projections.includes('output') || projections.includes('query'),
  };
}

/** Selections of experts that each head computes for each token: 1 or 2. */
export function selections(moe: Pick<AttentionMoeConfig, 'projections' | 'shared_selection'>): number {
  const { source, destination } = selectionSides(moe);
  return moe.shared_selection ? 1 : Number(source) + Number(destination);
}
