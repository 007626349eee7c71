import { element } from '../shared/element';

/** A row of a bar chart that is a table: what it is about, how long its bar is (0 to 1), and its figures. */
export interface Bar {
  readonly label: string;
  readonly share: number;
  readonly figures: readonly string[];
}

/**
 * Bars beside their figures. `head` names the first column and those of the figures; the bars have no name, they repeat the first figure.
 */
export function barTable(caption: string, head: readonly string[], bars: readonly Bar[]): HTMLTableElement {
  const [first = '', ...others] = head;
  return element(
    'table',
    { class: 'bar-table' },
    element('caption', {}, caption),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col' }, first),
        element('td', { 'aria-hidden': 'true' }),
        ...others.map((name) => element('th', { scope: 'col' }, name)),
      ),
    ),
    element('tbody', {}, ...bars.map(row)),
  );
}

function row({ label, share, figures }: Bar): HTMLTableRowElement {
  const bar = element('span', { class: 'bar' });
  bar.style.width = `${(100 * Math.max(0, Math.min(1, share))).toFixed(2)}%`;
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, label),
    element('td', { class: 'bar-cell', 'aria-hidden': 'true' }, bar),
    ...figures.map((figure) => element('td', {}, figure)),
  );
}
