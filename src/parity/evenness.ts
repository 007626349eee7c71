import { comparedNames, costLimits, type ComparedResiduals } from './comparedPart';
import { formatResidual } from './formatCount';
import type { Axis } from './solver/equations';

/** By which count two models cost the same: without what chooses experts, with it, or either. */
export type Evenness = 'both ways' | 'without router' | 'with router' | 'neither';

export type Residuals = Omit<ComparedResiduals, 'scope'>;

/** Without what chooses experts, and with it. */
export function bothCounts(residuals: Residuals, axis: Axis): readonly [without: number, withRouter: number] {
  return axis === 'macs' ? [residuals.macs, residuals.macsWithRouter] : [residuals.parameters, residuals.parametersWithRouter];
}

/** Within the limits that the rules have. */
export function evenness(residuals: Residuals, axis: Axis): Evenness {
  const [without, withRouter] = bothCounts(residuals, axis).map((residual) => Math.abs(residual) <= costLimits[axis]);
  if (without === true) return withRouter === true ? 'both ways' : 'without router';
  return withRouter === true ? 'with router' : 'neither';
}

const axisNames: Readonly<Record<Axis, string>> = { macs: 'MACs', parameters: 'parameters' };

/** What is left of the residuals of an axis, a sentence; undefined where models are equal in it by either count. */
export function leftover(residuals: ComparedResiduals, axis: Axis): string | undefined {
  const even = evenness(residuals, axis);
  const [without, withRouter] = bothCounts(residuals, axis).map((residual) => formatResidual(residual));
  const [name, of] = [axisNames[axis], comparedNames[residuals.scope]];
  if (even === 'both ways') return undefined;
  if (even === 'neither') return `The ${name} of ${of} are not equal: ${both(without, withRouter)} are left.`;
  const [equal, other] = even === 'without router' ? ['without', withRouter] : ['with', without];
  return `The ${name} of ${of} are equal only ${equal} what chooses experts: ${other} are left ${even === 'without router' ? 'with' : 'without'} it.`;
}

function both(without = '', withRouter = ''): string {
  return without === withRouter ? without : `${without} without what chooses experts and ${withRouter} with it`;
}
