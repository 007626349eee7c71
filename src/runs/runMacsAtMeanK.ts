import type { RunDescription } from './format';

/**
 * MACs per token of a run where units take `meanK` experts on average: MACs are linear in it. Null where K is the same for all, or was not
 * measured.
 */
export function runMacsAtMeanK(
  { macsPerToken, varyingK }: Pick<RunDescription, 'macsPerToken' | 'varyingK'>,
  meanK: number | null,
): number | null {
  if (varyingK === null || meanK === null) return null;
  return macsPerToken + (meanK - varyingK.counted) * varyingK.macsPerChoice;
}
