import { solveTargets, type ChoiceView, type SolveTarget } from '../../src/extension/panels/configEditor-protocol';
import { dropdown, textButton } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { ParityBars } from '../shared/parityBars';
import type { PageActions } from './actions';
import { residualCells, residualHeads } from './residualCells';
import { isReadOnly, type ConfigEditorState } from './state';

const targetNames: Readonly<Record<SolveTarget, string>> = { both: 'MACs and parameters', macs: 'MACs', parameters: 'Parameters' };

/** How far the model is from its baseline, and the sizes that would bring it nearer. */
export class ParityPart {
  readonly element: HTMLElement;
  private readonly none = element('p', { class: 'field-description' });
  private readonly bars = new ParityBars();
  private readonly solver = element('div', { class: 'solver' });
  private readonly target;
  private readonly solve: HTMLElement & { disabled: boolean };
  private readonly answer = element('p', { class: 'field-description', role: 'status' });
  private readonly choices = element('div', { class: 'table-scroller', hidden: true });
  private shown: unknown = null;

  constructor(private readonly actions: PageActions) {
    this.target = dropdown<SolveTarget>('Match', (target) => actions.dispatch({ type: 'target', target }));
    this.solve = textButton('Find Sizes', () => actions.solve());
    this.solver.append(this.target.element, this.solve);
    this.element = element(
      'section',
      { class: 'parity', 'aria-labelledby': 'parity-title' },
      element('h2', { id: 'parity-title' }, 'Parity'),
      this.none,
      this.bars.element,
      this.solver,
      this.answer,
      this.choices,
    );
  }

  update(state: ConfigEditorState): void {
    const { parity } = state.counted;
    setHidden(this.bars.element, parity === null);
    setHidden(this.solver, parity === null);
    setHidden(this.none, parity !== null);
    setText(this.none, parity === null ? whyNone(state) : '');
    if (parity !== null) this.bars.update(parity);
    this.target.set(
      solveTargets.map((value) => ({ value, label: targetNames[value] })),
      state.target,
    );
    // Not while it looks for sizes: a button that is disabled loses the focus.
    this.solve.disabled = isReadOnly(state);
    this.updateChoices(parity === null ? null : state.choices, isReadOnly(state));
  }

  private updateChoices(choices: ConfigEditorState['choices'], readOnly: boolean): void {
    if (this.shown === choices) return;
    this.shown = choices;
    const list = choices === null || choices === 'asking' ? [] : choices;
    setText(this.answer, choices === null ? '' : choices === 'asking' ? 'Looking for sizes…' : answerTo(list));
    setHidden(this.choices, list.length === 0);
    this.choices.replaceChildren(...(list.length === 0 ? [] : [this.table(list, readOnly)]));
  }

  private table(choices: readonly ChoiceView[], readOnly: boolean): HTMLTableElement {
    const heads = ['Sizes', ...residualHeads];
    return element(
      'table',
      { class: 'choices-table' },
      element('caption', { class: 'visually-hidden' }, 'Sizes that bring the model to its baseline, best first'),
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)), element('td', {}))),
      element('tbody', {}, ...choices.map((choice) => this.row(choice, readOnly))),
    );
  }

  private row({ title, changes, parity }: ChoiceView, readOnly: boolean): HTMLTableRowElement {
    const apply = textButton('Apply', () => void this.actions.change({ kind: 'solved', changes }));
    apply.setAttribute('aria-label', `Apply ${title}`);
    apply.disabled = readOnly;
    return element('tr', {}, element('th', { scope: 'row' }, title), ...residualCells(parity.compared), element('td', {}, apply));
  }
}

function answerTo(choices: readonly ChoiceView[]): string {
  if (choices.length === 0) return 'No whole numbers bring this model nearer to its baseline.';
  return 'Best first; residuals are of the part that differs.';
}

function whyNone({ update, counted }: ConfigEditorState): string {
  if (counted.cost !== null) return 'No baseline to compare with: `parity` names one.';
  return update === null || update.broken !== null ? '' : 'Nothing to compare while the config has errors.';
}
