import { parseColour } from './colour';

/** Colours of the editor's theme, from its CSS variables, as a canvas needs them. */
export interface Theme {
  readonly foreground: string;
  readonly muted: string;
  readonly background: string;
  readonly grid: string;
  readonly focus: string;
  /** One per run, in order; runs beyond the last begin again. */
  readonly series: readonly string[];
  readonly cold: string;
  readonly hot: string;
  readonly highContrast: boolean;
  readonly fontFamily: string;
  /** Pixels. */
  readonly fontSize: number;
}

const seriesVariables = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'].map((colour) => `--vscode-charts-${colour}`);
const fallbackSeries = ['#3794ff', '#d18616', '#89d185', '#b180d7', '#f14c4c', '#cca700'];

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const variable = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  const highContrast = document.body.classList.contains('vscode-high-contrast');
  const foreground = variable('--vscode-foreground', '#888888');
  const series = seriesVariables.map((name, index) => variable(name, fallbackSeries[index] ?? foreground));
  return {
    foreground,
    muted: variable('--vscode-descriptionForeground', foreground),
    background: variable('--vscode-editor-background', '#1e1e1e'),
    grid: faint(foreground, highContrast ? 0.3 : 0.13),
    focus: variable('--vscode-focusBorder', '#007fd4'),
    series,
    cold: variable('--vscode-charts-blue', '#3794ff'),
    hot: variable('--vscode-charts-orange', '#d18616'),
    highContrast,
    fontFamily: style.fontFamily,
    fontSize: Number.parseFloat(style.fontSize) || 13,
  };
}

function faint(colour: string, alpha: number): string {
  const [red, green, blue] = parseColour(colour) ?? [128, 128, 128];
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** Calls back when the user changes the theme: the editor then rewrites the page's style and the body's class. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
}
