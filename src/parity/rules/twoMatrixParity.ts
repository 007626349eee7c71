import { isIsoMac, matricesPerExpert, projectionsLeftOut } from '../../config/moeShape';
import { atKey } from '../../config/pathFinding';
import type { Remedy } from '../../config/remedy';
import type { ModelConfig, MoeConfig } from '../../config/schema';
import { costLimits } from '../comparedPart';
import { formatResidual } from '../formatCount';
import { deviation } from './deviation';
import type { Comparison, ParityRule } from './parityRule';

/** What the equations of 2411.16205 speak of. */
interface EquationTerms {
  /** Width of the residual stream. */
  readonly d: number;
  /** Head and merge layer, as many as are kept. */
  readonly projections: number;
  readonly heads: number;
  readonly k: number;
  readonly baseline: { readonly width: number; readonly k: number; readonly experts: number };
}

/** By how much a width may be off an equation that it comes from: to the next multiple of 8. */
const ROUNDING = 8;

/**
 * Equations 8 and 9 of 2411.16205 are printed for experts of two matrices, `f' = f - d / k`. Gated experts have three, so a third of what
 * the projections cost comes off their width, not half: by the printed equation the model is too cheap, as it is in a config that takes it
 * for SwiGLU.
 */
export const twoMatrixParity: ParityRule = {
  code: 'two-matrix-parity',
  severity: 'warning',
  summary: '`expert_width` by equation 8 of 2411.16205, which is for experts of two matrices, though these are gated and have three',
  differsIn: 'in MACs, as `expert_width` is by the equation for experts of two matrices',
  deviation: ({ compared }) => deviation(compared.macsWithRouter),
  check({ experiment: { model }, baseline, residuals }) {
    const terms = termsOf(model, baseline.experiment.model);
    if (model.moe === undefined || terms === undefined || !isByTwoMatrices(model.moe, terms)) return undefined;
    const { macs, macsWithRouter } = residuals.compared;
    // Whose MACs are equal with routers has chosen the width by them: of narrow models that comes out near the printed equation's.
    if (macs >= 0 || Math.abs(macsWithRouter) <= costLimits.macs) return undefined;
    const { width, experts } = equations(terms, 3);
    return {
      spots: () => [atKey('model', 'moe', 'expert_width'), atKey('parity')],
      message: `expert_width ${model.moe.expert_width} is what equation 8 of 2411.16205 gives, which is for experts of two matrices; SwiGLU has three, so that this model has ${formatResidual(macsWithRouter, 1)} MACs with routers (${formatResidual(macs, 1)} without) of ${baseline.name}. By three matrices it is expert_width ${shown(width)} with ${shown(experts)} experts.`,
      remedies: remediesFor(model.moe, { width, experts }),
    };
  },
};

function termsOf(model: ModelConfig, baseline: ModelConfig): EquationTerms | undefined {
  const { moe } = model;
  const theirs = baseline.moe;
  if (moe?.kind !== 'mh-moe' || theirs?.kind !== 'smoe' || model.d_model !== baseline.d_model) return undefined;
  if (matricesPerExpert(model) !== 3 || matricesPerExpert(baseline) !== 3) return undefined;
  // `iso_mac` describes the layer with both projections.
  const projections = isIsoMac(moe) ? 2 : 2 - projectionsLeftOut(moe);
  const { expert_width: width, top_k: k, experts } = theirs;
  return projections === 0 ? undefined : { d: model.d_model, projections, heads: moe.heads, k: moe.top_k, baseline: { width, k, experts } };
}

/**
 * Experts of n matrices that cost what the baseline's do, q projections included (models.md 1.4; 2411.16205 Eq. 8 and 9 for n = q = 2):
 *
 *     f' = (f k - q d / n) / k'            E' = h (n f E - q d) / (n f')
 */
function equations(
  { d, projections: q, heads, k, baseline }: EquationTerms,
  n: number,
): { readonly width: number; readonly experts: number } {
  const width = (baseline.width * baseline.k - (q * d) / n) / k;
  return { width, experts: (heads * (n * baseline.width * baseline.experts - q * d)) / (n * width) };
}

function isByTwoMatrices({ expert_width: width }: MoeConfig, terms: EquationTerms): boolean {
  const byTwo = Math.abs(width - equations(terms, 2).width);
  return byTwo < ROUNDING && byTwo < Math.abs(width - equations(terms, 3).width);
}

function remediesFor(moe: MoeConfig, { width, experts }: { readonly width: number; readonly experts: number }): readonly Remedy[] {
  const [wholeWidth, wholeExperts] = [Math.round(width), Math.round(experts)];
  if (wholeWidth < 1 || wholeExperts < moe.top_k) return [];
  return [
    {
      title: `Set expert_width to ${wholeWidth} and experts to ${wholeExperts}, by three matrices`,
      changes: [
        { kind: 'set', path: ['model', 'moe', 'expert_width'], value: wholeWidth },
        { kind: 'set', path: ['model', 'moe', 'experts'], value: wholeExperts },
      ],
    },
  ];
}

function shown(value: number): string {
  return Number.isInteger(value) ? value.toString() : value.toFixed(2);
}

/** Whether the rule speaks of a comparison: then others that would say the same of its MACs keep silent. */
export function isTwoMatrixParity(comparison: Comparison): boolean {
  return twoMatrixParity.check(comparison) !== undefined;
}
