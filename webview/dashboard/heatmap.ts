import { css } from '../shared/colour';
import { element, setText } from '../shared/element';
import { spoken, type Hover, type HoverRow } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { paletteOf, ratioColour } from './heatmapColour';
import { axisTicks, cellAt, cellBox, layoutHeatmap, moveCell, namedRows, type Cell, type HeatmapLayout } from './heatmapLayout';

/** What a heatmap shows: how much cells get, relative to an even share. */
export interface HeatmapContent {
  readonly rows: readonly {
    readonly name: string;
    /** Times the even share; 0 is crossed out where there is room. */
    readonly cells: readonly number[];
  }[];
  /** The whole picture in words. */
  readonly description: string;
  /** What the columns are, written before their labels. */
  readonly columnTitle: string;
  /** What is written below a column. */
  readonly columnLabel: (column: number) => string;
  readonly title: (cell: Cell) => string;
  readonly figures: (cell: Cell) => HoverRow[];
  /** A column to mark, as what is shown elsewhere is about it; null for none. */
  readonly marked: number | null;
}

export interface HeatmapOptions {
  /** Class of the canvas; ids are made of it. */
  readonly name: string;
  readonly rowHeight?: Parameters<typeof layoutHeatmap>[3];
  /** A click on a cell, or Enter. */
  readonly choose?: (cell: Cell) => void;
}

const nothing: HeatmapContent = {
  rows: [],
  description: '',
  columnTitle: '',
  columnLabel: () => '',
  title: () => '',
  figures: () => [],
  marked: null,
};

/** Cells on a canvas, coloured by how much they get. Hover or the arrow keys say the figures of a cell. */
export class Heatmap {
  private readonly canvas: HTMLCanvasElement;
  private readonly scroller: HTMLElement;
  private readonly reading: HTMLElement;
  readonly element: HTMLElement;
  private content = nothing;
  private layout: HeatmapLayout = layoutHeatmap(1, 0, []);
  private cursor: Cell = { row: 0, column: 0 };
  private hovered: Cell | null = null;

  constructor(
    private readonly hover: Hover,
    private theme: Theme,
    private readonly options: HeatmapOptions,
  ) {
    const { name } = options;
    this.canvas = element('canvas', {
      class: name,
      tabindex: 0,
      role: 'application',
      'aria-roledescription': 'heatmap',
      'aria-describedby': `${name}-reading`,
    });
    this.scroller = element('div', { class: 'heatmap-scroller' }, this.canvas);
    this.reading = element('div', { id: `${name}-reading`, class: 'visually-hidden', 'aria-live': 'polite' });
    this.element = element('div', {}, this.scroller, this.reading);
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerleave', () => this.unhover());
    this.canvas.addEventListener('click', (event) => {
      const cell = cellAt(this.layout, event.offsetX, event.offsetY);
      if (cell !== null) this.options.choose?.(cell);
    });
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('focus', () => this.draw());
    this.canvas.addEventListener('blur', () => this.unhover());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  update(content: HeatmapContent, theme: Theme): void {
    this.content = content;
    this.theme = theme;
    this.canvas.setAttribute('aria-label', `${content.description} Arrow keys move over the cells.`);
    this.draw();
  }

  private draw(): void {
    const context = this.canvas.getContext('2d');
    if (context === null || this.scroller.clientWidth === 0) return;
    const font = `${this.theme.fontSize - 1}px ${this.theme.fontFamily}`;
    context.font = font;
    const { rows } = this.content;
    const labels = Math.max(
      0,
      ...[this.content.columnTitle, ...rows.map(({ name }) => name)].map((text) => context.measureText(text).width),
    );
    const columns = rows.map(({ cells }) => cells.length);
    this.layout = layoutHeatmap(this.scroller.clientWidth, labels, columns, this.options.rowHeight);
    // The rows may have become fewer, or shorter.
    this.cursor = moveCell(this.layout, { ...this.cursor, column: this.cursor.column + 1 }, 'ArrowLeft') ?? this.cursor;
    this.resize(context);
    context.font = font;
    this.drawCells(context);
    this.drawLabels(context);
    if (this.content.marked !== null) this.markColumn(context, this.content.marked);
    if (this.hovered !== null) this.frameCell(context, this.hovered, this.theme.foreground);
    if (document.activeElement === this.canvas) this.frameCell(context, this.cursor, this.theme.focus);
  }

  private resize(context: CanvasRenderingContext2D): void {
    const ratio = window.devicePixelRatio;
    const { width, height } = this.layout;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  private drawCells(context: CanvasRenderingContext2D): void {
    const palette = paletteOf(this.theme);
    for (const [row, { cells }] of this.content.rows.entries()) {
      for (const [column, ratio] of cells.entries()) {
        const box = cellBox(this.layout, { row, column });
        context.fillStyle = css(ratioColour(ratio, palette));
        context.fillRect(box.x, box.y, box.width, box.height);
        if (ratio === 0 && box.width >= 6 && box.height >= 6) crossOut(context, box, this.theme.background);
      }
    }
  }

  private drawLabels(context: CanvasRenderingContext2D): void {
    const { layout } = this;
    context.fillStyle = this.theme.muted;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const row of namedRows(layout, this.theme.fontSize + 3)) {
      // Of a row that is lower than its name, the name stays on the canvas.
      const y = Math.max(layout.top + (row + 0.5) * layout.cellHeight, this.theme.fontSize / 2);
      context.fillText(shortened(context, this.content.rows[row]?.name ?? '', layout.left - 10), layout.left - 8, y);
    }
    const { columnTitle, columnLabel } = this.content;
    context.fillText(shortened(context, columnTitle, layout.left - 10), layout.left - 8, layout.height - 10);
    context.textAlign = 'center';
    const widest = context.measureText(columnLabel(Math.max(0, ...layout.columns) - 1)).width;
    for (const column of axisTicks(layout, Math.max(3 * this.theme.fontSize, widest + this.theme.fontSize))) {
      const x = layout.left + (column + 0.5) * layout.cellWidth;
      context.fillText(columnLabel(column), Math.max(x, layout.left + 4), layout.height - 10);
    }
  }

  private frameCell(context: CanvasRenderingContext2D, cell: Cell, colour: string): void {
    const box = cellBox(this.layout, cell);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.strokeRect(box.x, box.y, box.width, box.height);
  }

  private markColumn(context: CanvasRenderingContext2D, column: number): void {
    const { left, top, cellWidth, cellHeight, columns } = this.layout;
    context.strokeStyle = this.theme.foreground;
    context.lineWidth = 1;
    context.strokeRect(left + column * cellWidth - 0.5, top - 0.5, cellWidth, cellHeight * columns.length);
  }

  private point(event: PointerEvent): void {
    const cell = cellAt(this.layout, event.offsetX, event.offsetY);
    if (cell === null) return this.unhover();
    this.hovered = cell;
    this.draw();
    this.hover.show(this.content.title(cell), this.content.figures(cell), event.clientX, event.clientY);
  }

  private unhover(): void {
    this.hovered = null;
    this.hover.hide();
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.hover.hide();
    if (event.key === 'Enter') this.options.choose?.(this.cursor);
    const cell = moveCell(this.layout, this.cursor, event.key);
    if (cell === null) return;
    event.preventDefault();
    this.cursor = cell;
    this.draw();
    const box = cellBox(this.layout, cell);
    this.scroller.scrollLeft = Math.max(0, box.x - this.scroller.clientWidth / 2);
    const canvas = this.canvas.getBoundingClientRect();
    const [title, figures] = [this.content.title(cell), this.content.figures(cell)];
    this.hover.show(title, figures, canvas.left + box.x + box.width / 2, canvas.top + box.y + box.height / 2);
    setText(this.reading, spoken(title, figures));
  }
}

/** Marks what got nothing, so that it differs from what is rarely used not by colour alone. */
function crossOut(context: CanvasRenderingContext2D, box: { x: number; y: number; width: number; height: number }, colour: string): void {
  const arm = Math.min(box.width, box.height) * 0.2;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x - arm, y - arm);
  context.lineTo(x + arm, y + arm);
  context.moveTo(x + arm, y - arm);
  context.lineTo(x - arm, y + arm);
  context.stroke();
}

function shortened(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`…${text.slice(-length)}`).width > width) length--;
  return `…${text.slice(-length)}`;
}
