import type { paletteOf } from '../../webview/dashboard/heatmapColour';
import type { OpenDashboard } from './dashboardHarness';
import type { EditorTheme } from './themes';

/** What a dashboard shows, read off its page. */

/** Chooses in a dropdown with the keyboard, as one who uses no pointer does. */
export async function choose({ page }: OpenDashboard, label: string, option: string): Promise<void> {
  const control = page.locator(`vscode-dropdown[aria-label="${label}"]`);
  const options = await control.locator('vscode-option').allTextContents();
  await control.focus();
  await page.keyboard.press('Home');
  for (let at = options.indexOf(option); at > 0; at--) await page.keyboard.press('ArrowDown');
}

export function chosen({ page }: OpenDashboard, label: string): Promise<string> {
  return page.locator(`vscode-dropdown[aria-label="${label}"] .selected-value`).innerText();
}

export function lastStepSent(dashboard: OpenDashboard): number {
  const steps = dashboard.sent.flatMap((message) =>
    message.type === 'update' ? message.curves.map((curve) => new Float64Array(curve.points).at(-4) ?? 0) : [],
  );
  return Math.max(0, ...steps);
}

export function paletteSource({ variables }: EditorTheme): Parameters<typeof paletteOf>[0] {
  const variable = (name: string) => variables[`--vscode-${name}`] ?? '';
  return {
    cold: variable('charts-blue'),
    hot: variable('charts-orange'),
    background: variable('editor-background'),
    foreground: variable('foreground'),
  };
}

export function distinctColours({ page }: OpenDashboard, selector: string): Promise<number> {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return new Set(new Uint32Array(new Uint8ClampedArray(pixels).buffer)).size;
  });
}

export function pictureOf({ page }: OpenDashboard, selector: string): Promise<string> {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
}

export function pixel({ page }: OpenDashboard, x: number, y: number): Promise<number[]> {
  return page
    .locator('.heatmap')
    .evaluate((canvas: HTMLCanvasElement, at) => [...(canvas.getContext('2d')?.getImageData(at.x, at.y, 1, 1).data ?? [])].slice(0, 3), {
      x,
      y,
    });
}

/** Centres of the cells, from the size of the canvas alone: cells are 48 x 30, the axis below is 22 high. */
export async function cellCentres(
  { page }: OpenDashboard,
  experts: number,
  layers: number,
): Promise<(layer: number, expert: number) => { x: number; y: number }> {
  const { width, height } = await page
    .locator('.heatmap')
    .evaluate((canvas) => ({ width: canvas.clientWidth, height: canvas.clientHeight }));
  const left = width - 1 - 48 * experts;
  const top = height - 22 - 30 * layers;
  return (layer, expert) => ({ x: Math.round(left + 48 * (expert + 0.5)), y: Math.round(top + 30 * (layer + 0.5)) });
}

/** Elements that stick out of the page, apart from what lies in boxes that scroll by themselves. */
export function overflowing({ page }: OpenDashboard): Promise<string[]> {
  return page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    const offenders = [...document.querySelectorAll<HTMLElement>('#dashboard *')].filter((element) => {
      if (
        element.closest('.heatmap-scroller > *, .table-scroller > *, .figures > *, .visually-hidden') !== null ||
        element.getClientRects().length === 0
      )
        return false;
      return element.getBoundingClientRect().right > limit + 0.5;
    });
    const page =
      document.documentElement.scrollWidth > limit ? [`the page is ${document.documentElement.scrollWidth} wide, not ${limit}`] : [];
    return [...page, ...offenders.map((element) => `${element.tagName} ${element.className}: ${element.getBoundingClientRect().right}`)];
  });
}
