import { costLimits, type ComparedResiduals } from './comparedPart';
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

/** `MACs are equal only without what chooses experts`, `parameters are not equal`; undefined where they are equal by either count. */
export function inequality(residuals: Residuals, axis: Axis): string | undefined {
  const even = evenness(residuals, axis);
  if (even === 'both ways') return undefined;
  if (even === 'neither') return `${axisNames[axis]} are not equal`;
  return `${axisNames[axis]} are equal only ${even === 'with router' ? 'with' : 'without'} what chooses experts`;
}
