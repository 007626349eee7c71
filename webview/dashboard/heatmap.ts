import { css } from '../shared/colour';
import { element, setText } from '../shared/element';
import { count, percent, timesUniform } from '../shared/figures';
import { spoken, type Hover, type HoverRow } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { describeLayers, type LayerFigures } from './expertFigures';
import { paletteOf, ratioColour } from './heatmapColour';
import { axisTicks, cellAt, cellBox, layoutHeatmap, moveCell, type Cell, type HeatmapLayout } from './heatmapLayout';

/** Share of routed units of each expert, layer by layer, on a canvas. Hover or the arrow keys say the figures of a cell. */
export class Heatmap {
  private readonly canvas = element('canvas', {
    class: 'heatmap',
    tabindex: 0,
    role: 'application',
    'aria-roledescription': 'heatmap',
    'aria-describedby': 'heatmap-reading',
  });
  private readonly scroller = element('div', { class: 'heatmap-scroller' }, this.canvas);
  private readonly reading = element('div', { id: 'heatmap-reading', class: 'visually-hidden', 'aria-live': 'polite' });
  readonly element = element('div', {}, this.scroller, this.reading);
  private layers: readonly LayerFigures[] = [];
  /** `Steps 240 to 250`. */
  private stretch = '';
  private layout: HeatmapLayout = layoutHeatmap(1, 0, []);
  private cursor: Cell = { layer: 0, expert: 0 };
  private hovered: Cell | null = null;

  constructor(
    private readonly hover: Hover,
    private theme: Theme,
  ) {
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerleave', () => this.unhover());
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('focus', () => this.draw());
    this.canvas.addEventListener('blur', () => this.unhover());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  update(layers: readonly LayerFigures[], stretch: string, theme: Theme): void {
    this.layers = layers;
    this.stretch = stretch;
    this.theme = theme;
    this.canvas.setAttribute('aria-label', `Expert utilisation, ${stretch}. ${describeLayers(layers)} Arrow keys move over the cells.`);
    this.draw();
  }

  private draw(): void {
    const context = this.canvas.getContext('2d');
    if (context === null || this.scroller.clientWidth === 0) return;
    const font = `${this.theme.fontSize - 1}px ${this.theme.fontFamily}`;
    context.font = font;
    const labels = Math.max(0, ...this.layers.map(({ name }) => context.measureText(name).width));
    const experts = this.layers.map((layer) => layer.experts.length);
    this.layout = layoutHeatmap(this.scroller.clientWidth, labels, experts);
    this.resize(context);
    context.font = font;
    this.drawCells(context);
    this.drawLabels(context);
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
    for (const [layer, { experts }] of this.layers.entries()) {
      for (const [expert, figures] of experts.entries()) {
        const box = cellBox(this.layout, { layer, expert });
        context.fillStyle = css(ratioColour(figures.timesUniform, palette));
        context.fillRect(box.x, box.y, box.width, box.height);
        if (figures.count === 0 && box.width >= 6) crossOut(context, box, this.theme.background);
      }
    }
  }

  private drawLabels(context: CanvasRenderingContext2D): void {
    const { layout } = this;
    context.fillStyle = this.theme.muted;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const [layer, { name }] of this.layers.entries()) {
      const y = layout.top + (layer + 0.5) * layout.cellHeight;
      context.fillText(shortened(context, name, layout.left - 10), layout.left - 8, y);
    }
    context.textAlign = 'center';
    for (const expert of axisTicks(layout, 3 * this.theme.fontSize)) {
      const x = layout.left + (expert + 0.5) * layout.cellWidth;
      context.fillText(String(expert), Math.max(x, layout.left + 4), layout.height - 10);
    }
  }

  private frameCell(context: CanvasRenderingContext2D, cell: Cell, colour: string): void {
    const box = cellBox(this.layout, cell);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.strokeRect(box.x, box.y, box.width, box.height);
  }

  private point(event: PointerEvent): void {
    const cell = cellAt(this.layout, event.offsetX, event.offsetY);
    if (cell === null) return this.unhover();
    this.hovered = cell;
    this.draw();
    this.hover.show(this.title(cell), this.rows(cell), event.clientX, event.clientY);
  }

  private unhover(): void {
    this.hovered = null;
    this.hover.hide();
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.hover.hide();
    const cell = moveCell(this.layout, this.cursor, event.key);
    if (cell === null) return;
    event.preventDefault();
    this.cursor = cell;
    this.draw();
    const box = cellBox(this.layout, cell);
    this.scroller.scrollLeft = Math.max(0, box.x - this.scroller.clientWidth / 2);
    const canvas = this.canvas.getBoundingClientRect();
    this.hover.show(this.title(cell), this.rows(cell), canvas.left + box.x + box.width / 2, canvas.top + box.y + box.height / 2);
    setText(this.reading, spoken(this.title(cell), this.rows(cell)));
  }

  private title({ layer, expert }: Cell): string {
    return `${this.layers[layer]?.name ?? ''} · expert ${expert}`;
  }

  private rows({ layer, expert }: Cell): HoverRow[] {
    const row = this.layers[layer];
    const figures = row?.experts[expert];
    if (row === undefined || figures === undefined) return [];
    return [
      { label: 'Share of routed units', figure: percent(figures.share) },
      { label: `Times uniform (1/${row.experts.length})`, figure: timesUniform(figures.timesUniform) },
      { label: `Routed to it (top ${row.k})`, figure: `${count(figures.count)} of ${count(figures.total)}` },
      { label: 'Steps', figure: this.stretch },
    ];
  }
}

/** Marks an expert that got nothing, so that it differs from a rarely used one not by colour alone. */
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
