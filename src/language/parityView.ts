import type { ModelCount } from '../models/count';
import { comparedResiduals, residualsOf, type ComparedScope, type PartCost } from '../parity/comparedPart';

/** Residuals as pages show them: fractions of the baseline, null where that has none of it. */
interface Figures {
  readonly parameters: number | null;
  readonly parametersWithRouter: number | null;
  readonly macs: number | null;
  readonly macsWithRouter: number | null;
}

export interface ParityOfBoth {
  readonly baseline: string;
  readonly scope: ComparedScope;
  /** Of the part that differs. */
  readonly compared: Figures;
  /** Of the whole models. */
  readonly model: Figures;
}

/**
 * What the parity section of a page shows of two counted models: both axes, with and without router, of the part that differs and of the
 * whole.
 */
export function parityView(baseline: string, ours: ModelCount, theirs: ModelCount): ParityOfBoth {
  const { scope, ...compared } = comparedResiduals(ours, theirs);
  return { baseline, scope, compared: finite(compared), model: finite(residualsOf(wholeOf(ours), wholeOf(theirs))) };
}

function wholeOf({ parameters, macsPerToken }: ModelCount): PartCost {
  return {
    parameters: parameters.total - parameters.router,
    routerParameters: parameters.router,
    macs: macsPerToken.total - macsPerToken.router,
    routerMacs: macsPerToken.router,
  };
}

/** Residuals without what no number says: of a baseline that has none of it. */
export function finite(figures: Readonly<Record<keyof Figures, number>>): Figures {
  const known = (figure: number): number | null => (Number.isFinite(figure) ? figure : null);
  return {
    parameters: known(figures.parameters),
    parametersWithRouter: known(figures.parametersWithRouter),
    macs: known(figures.macs),
    macsWithRouter: known(figures.macsWithRouter),
  };
}
