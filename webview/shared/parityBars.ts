import './parityBars.css';
import { comparedTitles, costLimits, type ParityFigures, type ParityView } from '../../src/extension/panels/parity-protocol';
import { element, setText } from './element';
import { percentTick, residual } from './figures';

/** `of`: what a label that says `with router` only is about. */
const rows: readonly { readonly figure: keyof ParityFigures; readonly label: string; readonly of?: string; readonly beyond: number }[] = [
  { figure: 'macs', label: 'MACs per token', beyond: costLimits.macs },
  { figure: 'macsWithRouter', label: 'with router', of: 'MACs per token', beyond: costLimits.macs },
  { figure: 'parameters', label: 'Parameters', beyond: costLimits.parameters },
  { figure: 'parametersWithRouter', label: 'with router', of: 'Parameters', beyond: costLimits.parameters },
];

interface Row {
  readonly bar: HTMLElement;
  readonly text: HTMLElement;
  readonly beyond: number;
}

/** Both axes of parity, with and without router, of the part that differs and of the whole model: a table whose bars repeat its figures. */
export class ParityBars {
  private readonly caption = element('caption', {});
  private readonly scale = [element('span', {}), element('span', {})] as const;
  private readonly parts = { compared: new Part(), model: new Part() };
  readonly element: HTMLTableElement;

  constructor() {
    const [least, most] = this.scale;
    this.element = element(
      'table',
      { class: 'parity-bars' },
      this.caption,
      this.parts.compared.element,
      this.parts.model.element,
      element(
        'tfoot',
        { 'aria-hidden': 'true' },
        element(
          'tr',
          {},
          element('td', {}),
          element('td', { class: 'parity-scale' }, element('span', {}, least, element('span', {}, '0'), most)),
          element('td', {}),
        ),
      ),
    );
  }

  /** `subject` names what is held against the baseline, where that is not plain from where this stands. */
  update({ baseline, scope, compared, model }: ParityView, subject = ''): void {
    setText(this.caption, subject === '' ? `Against ${baseline}` : `${subject} against ${baseline}`);
    const reach = reachOf(scope === 'model' ? [model] : [compared, model]);
    const [least, most] = this.scale;
    setText(least, `\u2212${percentTick(reach)}`);
    setText(most, `+${percentTick(reach)}`);
    this.parts.compared.update(comparedTitles[scope], compared, reach);
    // The same figures twice would say nothing more.
    this.parts.model.element.hidden = scope === 'model';
    this.parts.model.update(comparedTitles.model, model, reach);
  }
}

class Part {
  private readonly title = element('th', { scope: 'rowgroup', colspan: 3 });
  private readonly rows = new Map<keyof ParityFigures, Row>();
  readonly element: HTMLTableSectionElement;

  constructor() {
    const lines = rows.map(({ figure, label, of, beyond }) => {
      const bar = element('span', { class: 'parity-bar' });
      const text = element('td', { class: 'parity-figure' });
      this.rows.set(figure, { bar, text, beyond });
      return element(
        'tr',
        {},
        element(
          'th',
          { scope: 'row', class: 'parity-label', 'data-part': of !== undefined, 'aria-label': of !== undefined && `${of} ${label}` },
          label,
        ),
        element('td', { class: 'parity-bar-cell', 'aria-hidden': 'true' }, bar),
        text,
      );
    });
    this.element = element('tbody', {}, element('tr', {}, this.title), ...lines);
  }

  update(title: string, figures: ParityFigures, reach: number): void {
    setText(this.title, title);
    for (const [figure, { bar, text, beyond }] of this.rows) {
      const value = figures[figure];
      setText(text, value === null ? '–' : residual(value));
      const length = value === null ? 0 : 50 * Math.min(1, Math.abs(value) / reach);
      bar.hidden = length === 0;
      bar.style.width = `${length.toFixed(2)}%`;
      bar.style.left = `${(value !== null && value < 0 ? 50 - length : 50).toFixed(2)}%`;
      bar.toggleAttribute('data-beyond', value !== null && Math.abs(value) > beyond);
    }
  }
}

/** How far the bars reach to either side: a round figure that holds them all, at most the whole baseline. */
function reachOf(parts: readonly ParityFigures[]): number {
  const most = Math.max(0, ...parts.flatMap((part) => rows.map(({ figure }) => Math.abs(part[figure] ?? 0))));
  return [0.05, 0.1, 0.2, 0.5].find((round) => round >= most) ?? 1;
}
