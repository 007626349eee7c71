import { atKey, type Spot } from '../../config/pathFinding';
import { hasRoutedLayer, productKeyLayers } from '../../config/placement';
import type { ModelConfig } from '../../config/schema';
import type { ComparedScope } from '../comparedPart';
import { formatResidual } from '../formatCount';
import { residualCause } from '../residualCause';
import type { Comparison, ParityRule } from './parityRule';

/** Shares of the baseline's costs of the part that differs, beyond which a comparison is no longer at equal cost. */
const limits = { macs: 0.02, parameters: 0.05 } as const;

const parts: Readonly<Record<ComparedScope, string>> = {
  layers: 'the feed-forward layers that differ',
  attention: 'attention',
  model: 'the model',
};

export const macsOff: ParityRule = {
  code: 'macs-off-parity',
  severity: 'warning',
  summary: 'MACs of the part that differs are more than 2 % off the baseline',
  check(comparison) {
    const { baseline, residuals } = comparison;
    const { scope, macs, macsWithRouter } = residuals.compared;
    const worse = furthest(macs, macsWithRouter);
    if (Math.abs(worse) <= limits.macs) return undefined;
    const both = `${formatResidual(macs)} without what chooses experts, ${formatResidual(macsWithRouter)} with it`;
    return {
      spots: spotsOf(comparison),
      message: `${capital(parts[scope])} takes ${amount(worse, 'the MACs')} of ${baseline.name} (${both}): a difference in quality may come from compute alone. Change sizes until both models cost the same, or say why not.`,
    };
  },
};

export const parametersOff: ParityRule = {
  code: 'parameters-off-parity',
  severity: 'warning',
  summary: 'parameters of the part that differs are more than 5 % off the baseline',
  check(comparison) {
    const { baseline, residuals } = comparison;
    const { scope, parameters, parametersWithRouter } = residuals.compared;
    const worse = furthest(parameters, parametersWithRouter);
    if (Math.abs(worse) <= limits.parameters) return undefined;
    const both = `${formatResidual(parameters)} without what chooses experts, ${formatResidual(parametersWithRouter)} with it`;
    const reason = cannotMatch(comparison);
    return {
      ...(reason === undefined ? {} : { severity: 'information' as const }),
      spots: spotsOf(comparison),
      message: `${capital(parts[scope])} has ${amount(worse, 'the parameters')} of ${baseline.name} (${both})${reason ?? ': a difference in quality may come from capacity alone. Change sizes until both models are as large, or say why not.'}`,
    };
  },
};

function furthest(one: number, other: number): number {
  return deviation(other) > deviation(one) ? other : one;
}

/** Half as much is as far away as twice as much. */
function deviation(fraction: number): number {
  return Math.abs(Math.log(Math.max(1 + fraction, Number.MIN_VALUE)));
}

/** `4.19 times the MACs`, `12.5 % fewer than the MACs`. */
function amount(fraction: number, what: string): string {
  const factor = 1 + fraction;
  if (factor >= 2 || factor <= 0.5) return `${factor.toFixed(2)} times ${what}`;
  return `${Math.abs(fraction * 100).toFixed(2)} % ${fraction > 0 ? 'more than' : 'less than'} ${what}`;
}

function spotsOf({ loaded, count, baseline }: Comparison): readonly Spot[] {
  const cause = residualCause({ loaded, count, baseline });
  return [...(cause === undefined ? [] : [atKey(...cause)]), atKey('parity')];
}

/** Why parameters cannot be equal at equal MACs; undefined where they can. */
function cannotMatch({ experiment, baseline }: Comparison): string | undefined {
  const [ours, theirs] = [experiment.model, baseline.experiment.model].map(isSparse);
  if (ours === theirs) return undefined;
  return `. ${ours === true ? 'The baseline is' : 'This model is'} dense: at equal MACs it cannot have as many parameters as a sparse one, which uses a part of them for each token.`;
}

function isSparse(model: ModelConfig): boolean {
  return hasRoutedLayer(model) || productKeyLayers(model).length > 0 || model.attention.moe !== undefined;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
