import { CategoryScale, Chart, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, type Plugin } from 'chart.js';
import { element, setText } from '../shared/element';
import { spoken, type Hover, type HoverRow } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { chartContent, covers, nearestIndex, type ChartCurve, type ChartPoint } from './chartCurves';
import { axisFigure, chartOptions, datasetOf, seriesColour } from './chartOptions';
import { quantityStyles } from './quantity';
import type { DashboardState } from './state';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, CategoryScale);

/** What the reading line stands on: the point of each curve nearest to an x. */
interface Reading {
  readonly x: number;
  readonly points: readonly { readonly curve: ChartCurve; readonly dataset: number; readonly index: number; readonly point: ChartPoint }[];
}

/**
 * Perplexity, or another quantity, of the shown runs over steps, tokens or time. Hover or the arrow keys read exact figures off all curves
 * at once.
 */
export class CurveChart {
  private readonly canvas = element('canvas', { tabindex: 0, role: 'img', 'aria-describedby': 'chart-reading' });
  private readonly spokenReading = element('div', { id: 'chart-reading', class: 'visually-hidden', 'aria-live': 'polite' });
  private readonly frame = element('div', { class: 'chart-frame' }, this.canvas);
  readonly element = element('div', {}, this.frame, this.spokenReading);
  private readonly chart: Chart<'line', ChartPoint[]>;
  private curves: readonly ChartCurve[] = [];
  private reading: Reading | null = null;
  private drawn: readonly unknown[] = [];

  constructor(
    private readonly hover: Hover,
    private theme: Theme,
    private state: DashboardState,
  ) {
    this.chart = new Chart(this.canvas, {
      type: 'line',
      data: { datasets: [] },
      options: chartOptions(theme, state.ui, { curves: [], start: null }),
      plugins: [this.readingLine()],
    });
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerleave', () => this.read(null));
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('blur', () => this.read(null));
  }

  /** Device pixels across. */
  get width(): number {
    return this.frame.clientWidth * window.devicePixelRatio;
  }

  update(state: DashboardState, theme: Theme): void {
    const inputs = [state.curves, state.summaries, state.ui, state.runs, theme];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    this.state = state;
    this.theme = theme;
    const content = chartContent(state);
    this.curves = content.curves;
    this.chart.options = chartOptions(theme, state.ui, content);
    this.chart.data.datasets = this.curves.map((curve) => datasetOf(curve, theme));
    this.chart.update('none');
    this.canvas.setAttribute('aria-label', this.summary());
    if (this.reading !== null) this.read(this.reading.x);
  }

  private figure(value: number): string {
    return quantityStyles[this.state.ui.quantity].figure(value);
  }

  private summary(): string {
    const shown = this.curves.flatMap((curve) => {
      const last = curve.points.at(-1);
      return last === undefined ? [] : [`${curve.runName} ${curve.label} ${this.figure(last.y)} at step ${last.step}`];
    });
    const { title } = quantityStyles[this.state.ui.quantity];
    return `Line chart of ${title.toLowerCase()}. ${shown.length === 0 ? 'No points yet.' : `Latest: ${shown.join('; ')}.`} Arrow keys read figures.`;
  }

  private point(event: PointerEvent): void {
    const x = this.chart.scales['x']?.getValueForPixel(event.offsetX);
    if (x === undefined) return;
    this.read(x, { x: event.clientX, y: event.clientY });
  }

  private key(event: KeyboardEvent): void {
    const longest = this.curves.reduce<readonly ChartPoint[]>((best, { points }) => (points.length > best.length ? points : best), []);
    if (longest.length === 0) return;
    const at = this.reading === null ? longest.length : nearestIndex(longest, this.reading.x);
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      PageUp: at - Math.ceil(longest.length / 10),
      PageDown: at + Math.ceil(longest.length / 10),
      Home: 0,
      End: longest.length - 1,
    };
    if (event.key === 'Escape') this.read(null);
    const target = moves[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const x = longest[Math.min(longest.length - 1, Math.max(0, target))]?.x ?? 0;
    const box = this.canvas.getBoundingClientRect();
    this.read(x, { x: box.left + (this.chart.scales['x']?.getPixelForValue(x) ?? 0), y: box.top + this.chart.chartArea.top });
    setText(this.spokenReading, spoken(this.title(), this.rows()));
  }

  /** Stands the reading line at `x`; `place`, in window coordinates, is where the hover goes. */
  private read(x: number | null, place?: { readonly x: number; readonly y: number }): void {
    this.reading = x === null ? null : { x, points: this.pointsAt(x) };
    const active = this.reading?.points.map(({ dataset, index }) => ({ datasetIndex: dataset, index })) ?? [];
    this.chart.setActiveElements(active);
    this.chart.draw();
    if (active.length === 0) this.hover.hide();
    else if (place !== undefined) this.hover.show(this.title(), this.rows(), place.x, place.y);
  }

  private pointsAt(x: number): Reading['points'] {
    const axis = this.chart.scales['x'];
    const reach = axis === undefined ? 0 : (axis.max - axis.min) / 50;
    return this.curves.flatMap((curve, dataset) => {
      if (!covers(curve.points, x, reach)) return [];
      const index = nearestIndex(curve.points, x);
      const point = curve.points[index];
      return point === undefined ? [] : [{ curve, dataset, index, point }];
    });
  }

  /** The point nearest to the pointer names the place. */
  private nearest(): ChartPoint | undefined {
    const { x, points } = this.reading ?? { x: 0, points: [] };
    return points.map(({ point }) => point).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0];
  }

  private title(): string {
    const point = this.nearest();
    if (point === undefined) return '';
    const step = `Step ${axisFigure('step', point.step)}`;
    if (this.state.ui.xAxis === 'step') return step;
    return `${step} · ${axisFigure(this.state.ui.xAxis, point.x)}${this.state.ui.xAxis === 'tokens' ? ' tokens' : ''}`;
  }

  private rows(): HoverRow[] {
    const title = this.nearest()?.step;
    return (this.reading?.points ?? []).map(({ curve, point }) => ({
      colour: seriesColour(this.theme, curve.colour),
      label: `${curve.runName} · ${curve.label}${point.step === title ? '' : ` (step ${axisFigure('step', point.step)})`}`,
      figure: this.figure(point.y),
    }));
  }

  private readingLine(): Plugin<'line'> {
    return {
      id: 'readingLine',
      beforeDatasetsDraw: ({ ctx, chartArea, scales }) => {
        const at = this.nearest();
        const x = at === undefined ? undefined : scales['x']?.getPixelForValue(at.x);
        if (x === undefined) return;
        ctx.save();
        ctx.strokeStyle = this.theme.muted;
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(Math.round(x) + 0.5, chartArea.top);
        ctx.lineTo(Math.round(x) + 0.5, chartArea.bottom);
        ctx.stroke();
        ctx.restore();
      },
    };
  }
}
