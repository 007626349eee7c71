import './hover.css';
import { element } from './element';

/** A hover like the editor's own: a title and rows of (swatch, label, figure). It follows the pointer and stays within the window. */
export interface HoverRow {
  readonly colour?: string;
  readonly label: string;
  readonly figure: string;
}

export class Hover {
  readonly element = element('div', { class: 'hover', role: 'tooltip', hidden: true });

  /** `x`, `y`: window coordinates of what it describes. */
  show(title: string, rows: readonly HoverRow[], x: number, y: number): void {
    this.element.replaceChildren(element('div', { class: 'hover-title' }, title), ...rows.map(rowElement));
    this.element.hidden = false;
    const { width, height } = this.element.getBoundingClientRect();
    const gap = 14;
    const left = x + gap + width <= window.innerWidth ? x + gap : Math.max(4, x - gap - width);
    const top = y + gap + height <= window.innerHeight ? y + gap : Math.max(4, y - gap - height);
    this.element.style.left = `${left}px`;
    this.element.style.top = `${top}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}

function rowElement(row: HoverRow): HTMLElement {
  const swatch = element('span', { class: 'swatch' });
  if (row.colour === undefined) swatch.hidden = true;
  else swatch.style.backgroundColor = row.colour;
  return element(
    'div',
    { class: 'hover-row' },
    swatch,
    element('span', { class: 'hover-label' }, row.label),
    element('span', { class: 'hover-figure' }, row.figure),
  );
}

/** What a screen reader should hear of it. */
export function spoken(title: string, rows: readonly HoverRow[]): string {
  return [title, ...rows.map((row) => `${row.label} ${row.figure}`)].join(', ');
}
