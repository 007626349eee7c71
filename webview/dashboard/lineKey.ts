import { checkbox, type CheckboxControl } from '../shared/controls';
import { element, setHidden } from '../shared/element';
import { svg } from '../shared/icons';
import { trainingLine, validationLine, validationSets } from './chartCurves';
import { lineStyle } from './lineStyles';
import type { DashboardState } from './state';

interface Line {
  readonly name: string;
  readonly label: string;
  /** Number of the validation set; null for training. */
  readonly set: number | null;
}

/** Which line is which within a run, by marker and dashes; each kind can be shown or not. */
export class LineKey {
  readonly element = element('div', { class: 'line-key', role: 'group', 'aria-label': 'Shown lines' });
  private readonly boxes = new Map<string, CheckboxControl>();
  private listed = '';

  constructor(private readonly toggle: (line: string) => void) {}

  update(state: DashboardState): void {
    setHidden(this.element, state.ui.quantity !== 'perplexity' && validationSets(state).length === 0);
    const lines = linesOf(state);
    const list = JSON.stringify(lines);
    if (list !== this.listed) {
      this.listed = list;
      this.boxes.clear();
      this.element.replaceChildren(...lines.map((line) => this.entry(line)));
    }
    for (const [name, box] of this.boxes) box.set(!state.ui.hiddenLines.includes(name));
  }

  private entry({ name, label, set }: Line): HTMLElement {
    const box = checkbox(label, () => this.toggle(name));
    this.boxes.set(name, box);
    return element('div', { class: 'legend-entry' }, box.element, sample(set));
  }
}

function linesOf(state: DashboardState): readonly Line[] {
  const training = { name: trainingLine, label: 'training', set: null };
  return [training, ...validationSets(state).map((name, set) => ({ name: validationLine(name), label: name, set }))];
}

/** A piece of the line, as the chart draws it but for its colour. */
function sample(set: number | null): SVGElement {
  const style = set === null ? null : lineStyle(set);
  const line = svg('path', {
    d: 'M0 6H36',
    stroke: 'currentColor',
    'stroke-width': style === null ? 1 : 2,
    'stroke-dasharray': style === null || style.dash.length === 0 ? 'none' : style.dash.join(' '),
  });
  const marker =
    style === null ? [] : [svg('path', { d: style.shape, transform: 'translate(18 6)', fill: 'currentColor', stroke: 'currentColor' })];
  return svg('svg', { viewBox: '0 0 36 12', width: 36, height: 12, 'aria-hidden': 'true' }, line, ...marker);
}
