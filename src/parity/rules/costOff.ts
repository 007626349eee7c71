import { atKey, type Spot } from '../../config/pathFinding';
import { comparedNames, costLimits, type ComparedScope } from '../comparedPart';
import { formatResidual } from '../formatCount';
import { residualCause } from '../residualCause';
import { isSparse } from '../sparsity';
import { deviation, furthest } from './deviation';
import type { Comparison, ParityRule } from './parityRule';
import { isTwoMatrixParity } from './twoMatrixParity';

/** The part that differs, with how it takes MACs and how it has parameters. */
function subject(scope: ComparedScope): { readonly name: string; readonly takes: string; readonly has: string } {
  const name = comparedNames[scope];
  return {
    name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    ...(scope === 'layers' ? { takes: 'take', has: 'have' } : { takes: 'takes', has: 'has' }),
  };
}

export const macsOff: ParityRule = {
  code: 'macs-off-parity',
  severity: 'warning',
  summary: 'MACs of the part that differs are more than 2 % off the baseline',
  differsIn: 'in MACs',
  deviation: ({ compared: { macs, macsWithRouter } }) => deviation(furthest(macs, macsWithRouter)),
  check(comparison) {
    const { baseline, residuals } = comparison;
    const { scope, macs, macsWithRouter, parameters } = residuals.compared;
    // That rule says the same, and why.
    if (!isOff(macs, macsWithRouter, costLimits.macs) || isTwoMatrixParity(comparison)) return undefined;
    const { name, takes } = subject(scope);
    const costs = `${name} ${takes} ${amount(furthest(macs, macsWithRouter), 'MACs', baseline.name)} (${bothWays(macs, macsWithRouter)})`;
    const spots = (): readonly Spot[] => spotsOf(comparison);
    // Papers count one way or the other; who is equal by one of them has chosen it.
    if (!isOff(macs, macs, costLimits.macs)) return { severity: 'information', spots, message: `${costs}: equal without it only.` };
    if (!isOff(macsWithRouter, macsWithRouter, costLimits.macs))
      return { severity: 'information', spots, message: `${costs}: equal with it only.` };
    const dense = theDense(comparison);
    if (dense !== undefined && isSparseAhead(comparison, -macs) && Math.abs(parameters) <= costLimits.parameters) {
      const message = `${costs}. ${dense} dense: with as many parameters it cannot take as few MACs as a sparse one, which uses a part of them for each token. ${closest}`;
      return { severity: 'information', spots, message };
    }
    const message = `${costs}: a difference in quality may come from compute alone. Change sizes until both models cost the same, or say why not.`;
    return { spots, message };
  },
};

export const parametersOff: ParityRule = {
  code: 'parameters-off-parity',
  severity: 'warning',
  summary: 'parameters of the part that differs are more than 5 % off the baseline',
  differsIn: 'in parameters',
  deviation: ({ compared: { parameters, parametersWithRouter } }) => deviation(furthest(parameters, parametersWithRouter)),
  check(comparison) {
    const { baseline, residuals } = comparison;
    const { scope, parameters, parametersWithRouter } = residuals.compared;
    if (!isOff(parameters, parametersWithRouter, costLimits.parameters)) return undefined;
    const { name, has } = subject(scope);
    const size = `${name} ${has} ${amount(furthest(parameters, parametersWithRouter), 'parameters', baseline.name)} (${bothWays(parameters, parametersWithRouter)})`;
    const spots = (): readonly Spot[] => spotsOf(comparison);
    const dense = theDense(comparison);
    if (dense !== undefined && isSparseAhead(comparison, parameters)) {
      const message = `${size}. ${dense} dense: at equal MACs it cannot have as many parameters as a sparse one, which uses a part of them for each token. ${closest}`;
      return { severity: 'information', spots, message };
    }
    const message = `${size}: a difference in quality may come from capacity alone. Change sizes until both models are as large, or say why not.`;
    return { spots, message };
  },
};

/** The solver is not for every keystroke. */
const closest = 'What comes the closest on each axis is in `moe-lab solve` and the lens above `parity`.';

function isOff(one: number, other: number, limit: number): boolean {
  return Math.abs(furthest(one, other)) > limit;
}

function bothWays(without: number, withRouter: number): string {
  return `${formatResidual(without)} without what chooses experts, ${formatResidual(withRouter)} with it`;
}

/** `4.19 times the MACs of smoe.moe.yaml`, `12.50 % fewer MACs than smoe.moe.yaml`. */
function amount(fraction: number, what: string, baseline: string): string {
  const factor = 1 + fraction;
  if (factor >= 2 || factor <= 0.5) return `${factor.toFixed(2)} times the ${what} of ${baseline}`;
  return `${Math.abs(fraction * 100).toFixed(2)} % ${fraction > 0 ? 'more' : 'fewer'} ${what} than ${baseline}`;
}

function spotsOf({ loaded, count, baseline }: Comparison): readonly Spot[] {
  const cause = residualCause({ loaded, count, baseline });
  return [...(cause === undefined ? [] : [atKey(...cause)]), atKey('parity')];
}

/** Which of both is dense, where only one is: then they cannot be equal in both. */
function theDense({ experiment, baseline }: Comparison): 'The baseline is' | 'This model is' | undefined {
  const [ours, theirs] = [isSparse(experiment.model), isSparse(baseline.experiment.model)];
  if (ours === theirs) return undefined;
  return ours ? 'The baseline is' : 'This model is';
}

/** Whether the sparse one of both is what it can be and a dense one cannot: cheaper, or larger. `more` is of ours. */
function isSparseAhead({ experiment }: Comparison, more: number): boolean {
  return isSparse(experiment.model) === more > 0;
}
