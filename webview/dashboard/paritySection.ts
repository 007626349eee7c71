import { dropdown } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { ParityBars } from '../shared/parityBars';
import { uniqueLabel } from './runLabels';
import { baselineRun, type DashboardState } from './state';

/** What the shown runs cost against one of them: whether their perplexities are those of models of equal compute and parameters. */
export class ParitySection {
  private readonly run = dropdown<string>('Against', (run) => this.choose(run));
  private readonly bars = new Map<string, ParityBars>();
  private readonly list = element('div', { class: 'parity' });
  private readonly unknown = element('p', { class: 'details' });
  readonly element: HTMLElement;
  private drawn: readonly unknown[] = [];

  constructor(private readonly choose: (run: string) => void) {
    this.element = element(
      'section',
      { 'aria-labelledby': 'parity-title' },
      element('h2', { id: 'parity-title' }, 'Compute and parameters'),
      element('div', { class: 'controls' }, this.run.element),
      this.list,
      this.unknown,
    );
  }

  update(state: DashboardState): void {
    const inputs = [state.parity, state.summaries, state.runs, state.ui.baselineRun];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    const baseline = baselineRun(state);
    setHidden(this.element, baseline === null);
    if (baseline === null) return;
    const runs = state.runs.flatMap((run) => state.summaries.get(run) ?? []);
    const labelOf = (run: string): string => uniqueLabel(run, state.summaries.get(run)?.name ?? run, runs);
    this.run.set(
      runs.map(({ run }) => ({ value: run, label: labelOf(run) })),
      baseline,
    );
    const counted = state.parity.baseline === baseline ? state.parity.runs : [];
    const shown = counted.flatMap(({ run, parity }) => {
      if (parity === null) return [];
      const bars = this.bars.get(run) ?? new ParityBars();
      this.bars.set(run, bars);
      bars.update({ ...parity, baseline: labelOf(baseline) }, labelOf(run));
      return [bars.element];
    });
    const same = shown.length === this.list.children.length && shown.every((bars, index) => this.list.children[index] === bars);
    if (!same) this.list.replaceChildren(...shown);
    const missing = counted.filter(({ parity }) => parity === null).map(({ run }) => labelOf(run));
    setText(this.unknown, missing.length === 0 ? '' : `Cannot be counted against ${labelOf(baseline)}: ${missing.join(', ')}.`);
    setHidden(this.unknown, missing.length === 0);
  }
}
