import type { FamilyView } from '../../src/extension/panels/configEditor-protocol';
import { element, setHidden } from '../shared/element';
import { amount } from '../shared/figures';
import { residualCells, residualHeads } from './residualCells';
import type { ConfigEditorState } from './state';

/** The members of a sweep, with what each costs against the baseline. */
export class FamilyPart {
  readonly element: HTMLElement;
  private readonly table = element('div', { class: 'table-scroller' });
  private shown = '';

  constructor() {
    const title = element('h2', { id: 'family-title' }, 'Family');
    this.element = element('section', { class: 'family', 'aria-labelledby': 'family-title', hidden: true }, title, this.table);
  }

  update({ counted: { family } }: ConfigEditorState): void {
    setHidden(this.element, family === null);
    const text = JSON.stringify(family);
    if (text === this.shown) return;
    this.shown = text;
    this.table.replaceChildren(...(family === null ? [] : [tableOf(family)]));
  }
}

function tableOf({ against, members }: FamilyView): HTMLTableElement {
  const heads = ['Member', 'Parameters', 'MACs/token', ...residualHeads];
  return element(
    'table',
    { class: 'choices-table' },
    element('caption', { class: 'field-description' }, `Residuals are of the part that differs, against ${against}.`),
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element(
      'tbody',
      {},
      ...members.map(({ name, parameters, macsPerToken, compared }) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, name),
          element('td', {}, amount(parameters)),
          element('td', {}, amount(macsPerToken)),
          ...residualCells(compared),
        ),
      ),
    ),
  );
}
