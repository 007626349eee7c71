import type { ProductKeysConfig } from '../config/schema';

/** Parameters, and MACs per token. */
export interface Cost {
  readonly parameters: number;
  readonly macs: number;
}

export interface RetrievalCost {
  readonly experts: Cost;
  readonly queries: Cost;
  readonly subKeys: Cost;
}

/**
 * What a layer with product keys costs (2407.04153 section 2), N experts, h heads of k, queries of width w, model width d, m vectors for
 * each expert (2, with `glu` 3, PKM 1):
 *
 *     experts   m N d                  m h k d MACs per token
 *     queries   d h w                  d h w
 *     sub-keys  2 sqrt(N) (w / 2)      h sqrt(N) w
 */
export function retrievalCost(
  { kind, activation, experts, heads, top_k: k, key_width: width }: ProductKeysConfig,
  d: number,
): RetrievalCost {
  const vectors = kind === 'pkm' ? 1 : activation === 'glu' ? 3 : 2;
  const root = Math.sqrt(experts);
  return {
    experts: { parameters: vectors * experts * d, macs: vectors * heads * k * d },
    queries: { parameters: d * heads * width, macs: d * heads * width },
    subKeys: { parameters: root * width, macs: heads * root * width },
  };
}
