import { choicesOfWholeSum, mostChoices } from '../config/moeShape';
import type { ModelConfig, MoeConfig } from '../config/schema';
import type { ModelCount } from '../models/count';
import type { ComparedResiduals } from './comparedPart';

const minus = '\u2212';

/** `13.91 M parameters (≤ 5.212 M active), 6.144 M MACs/token`. */
export function formatCount(count: ModelCount): string {
  return `${formatAmount(count.parameters.total)} parameters (${formatActive(count)} active), ${formatAmount(count.macsPerToken.total)} MACs/token`;
}

/** `≤` where two sub-tokens of a token may meet in one expert: then fewer distinct weights may be used. */
function formatActive(count: ModelCount): string {
  return `${count.activeIsUpperBound ? '≤ ' : ''}${formatAmount(count.parameters.active)}`;
}

/** Four digits and a unit, so that twins can be told apart: `109.5 M`, `1.502 M`, `940`. */
export function formatAmount(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  let unit = 0;
  let scaled = value;
  // 999,950 would otherwise be shown as 1000.0 k.
  while (unit < units.length - 1 && scaled >= (unit === 0 ? 1000 : 999.95)) {
    scaled /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(scaled).toString() : scaled.toFixed(decimals(scaled))}${units[unit] ?? ''}`;
}

/** For four digits of a number below 1000; what rounds up to ten or a hundred has a digit more before the point. */
function decimals(scaled: number): number {
  if (scaled >= 99.995) return 1;
  return scaled >= 9.9995 ? 2 : 3;
}

/** `up to 4 experts`: what a unit takes, where numbers vary. Counts assume `top_k` also where it is `always 4 experts (top_p: 1)`. */
export function formatChoices(model: ModelConfig, moe: MoeConfig): string {
  const always = choicesOfWholeSum(model, moe) !== undefined;
  const most = mostChoices(model, moe);
  const experts = `${most} ${most === 1 ? 'expert' : 'experts'}`;
  return always ? `always ${experts} (top_p: ${moe.router.top_p})` : `up to ${experts}`;
}

/** Percent with a sign, but for zero: `−3.13 %`, `0.00 %`, `+0.52 %`. */
export function formatResidual(fraction: number, decimals = 2): string {
  const digits = Math.abs(fraction * 100).toFixed(decimals);
  const sign = Number(digits) === 0 ? '' : fraction < 0 ? minus : '+';
  return `${sign}${digits} %`;
}

/** `MACs 0.00 % (+0.54 % with router), parameters −0.78 % (−0.76 % with router)`; once where the router changes nothing that is shown. */
export function formatBothAxes({ macs, macsWithRouter, parameters, parametersWithRouter }: Omit<ComparedResiduals, 'scope'>): string {
  const axis = (without: number, withRouter: number): string => {
    const [one, other] = [formatResidual(without), formatResidual(withRouter)];
    return one === other ? one : `${one} (${other} with router)`;
  };
  return `MACs ${axis(macs, macsWithRouter)}, parameters ${axis(parameters, parametersWithRouter)}`;
}
