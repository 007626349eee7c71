import type { ParityFigures } from '../../src/extension/panels/parity-protocol';
import { element } from '../shared/element';
import { residual } from '../shared/figures';

/** What the columns of `residualCells` are called. */
export const residualHeads: readonly string[] = ['MACs (with router)', 'Parameters (with router)'];

/** Two cells of a table: the residuals of MACs and of parameters, each without router and, below in brackets, with it. */
export function residualCells(figures: ParityFigures | null): HTMLTableCellElement[] {
  const text = (figure: number | null | undefined): string => (figure === null || figure === undefined ? '–' : residual(figure));
  const cell = (without: number | null | undefined, withRouter: number | null | undefined): HTMLTableCellElement =>
    element('td', {}, text(without), element('span', { class: 'with-router' }, `(${text(withRouter)})`));
  return [cell(figures?.macs, figures?.macsWithRouter), cell(figures?.parameters, figures?.parametersWithRouter)];
}
