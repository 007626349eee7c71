import type { FrameLocator } from 'playwright-core';
import { eventually } from './eventually';
import type { Window } from './window';

export interface CurvePoint {
  readonly step: number;
  readonly perplexity: number;
}

const number = (text: string): number => Number(text.replaceAll(',', ''));

/** The dashboard's webview, read as somebody reads it who does not see the canvases: labels, tables and keyboard readings. */
export class Dashboard {
  constructor(private readonly window: Window) {}

  private get frame(): FrameLocator {
    return this.window.webview();
  }

  private get chart() {
    return this.frame.locator('canvas[role="img"]');
  }

  private get heatmap() {
    return this.frame.locator('canvas.heatmap');
  }

  async waitUntilReady(): Promise<void> {
    await this.chart.waitFor({ timeout: 45_000 });
  }

  /** Names of the runs whose figures are shown, in order. */
  async runNames(): Promise<readonly string[]> {
    return this.frame.locator('article.run h3').allTextContents();
  }

  /** `Running`, `Finished`, ... */
  async stateOf(run: string): Promise<string | null> {
    return this.frame.locator('article.run', { hasText: run }).first().locator('.state').textContent();
  }

  /** What the chart's label says about the newest point of each curve: `SMoE training 7.432 at step 30`. */
  private async latest(): Promise<readonly { readonly curve: string; readonly perplexity: number; readonly step: number }[]> {
    // Absent or between two pages after a reload: nothing is shown now.
    const label = await this.chart.getAttribute('aria-label', { timeout: 2000 }).catch(() => null);
    const list = /Latest: (.*)\. Arrow keys/.exec(label ?? '')?.[1];
    return (list?.split('; ') ?? []).flatMap((text) => {
      const match = /^(.*) ([\d.e+]+) at step ([\d,]+)$/.exec(text);
      return match ? [{ curve: match[1] ?? '', perplexity: number(match[2] ?? ''), step: number(match[3] ?? '') }] : [];
    });
  }

  async curveNames(): Promise<readonly string[]> {
    return (await this.latest()).map(({ curve }) => curve);
  }

  /** The newest step on the training curve of a run. */
  async lastStep(run: string): Promise<number | undefined> {
    return (await this.latest()).find(({ curve }) => curve.startsWith(`${run} training`))?.step;
  }

  private async setCheckbox(name: string, wanted: boolean): Promise<void> {
    const box = this.frame.locator(`vscode-checkbox[aria-label="${name}"]`);
    const isOn = (): Promise<boolean> => box.evaluate((control) => (control as HTMLInputElement).checked);
    if ((await isOn()) !== wanted) await box.click();
    await eventually(`"${name}" to be ${wanted ? 'on' : 'off'}`, async () => (await isOn()) === wanted);
  }

  /** Every point of a run's training curve as the chart holds it, read off with the arrow keys from the first point to the last. */
  async trainingPoints(run: string): Promise<readonly CurvePoint[]> {
    await this.setCheckbox('Smooth training', false);
    // The unsmoothed curve comes from the host: wait until the chart has one.
    await eventually(`the curve of ${run}`, async () => ((await this.lastStep(run)) ?? 0) > 0);
    const readings = await this.chart.evaluate((canvas) => {
      const press = (key: string): string => {
        canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        return document.getElementById('chart-reading')?.textContent ?? '';
      };
      const seen = [press('Home')];
      for (;;) {
        const reading = press('ArrowRight');
        if (reading === seen.at(-1) || seen.length > 20_000) break;
        seen.push(reading);
      }
      press('Escape');
      return seen;
    });
    await this.setCheckbox('Smooth training', true);
    return readings.flatMap((reading) => {
      const step = /^Step (\d+(?:,\d{3})*)(?=, | ·|$)/.exec(reading)?.[1];
      // A figure with its own step belongs to another point of this curve: it is read there.
      const figure = reading.split(`${run} · training `)[1]?.match(/^[\d.e+]+/)?.[0];
      return step !== undefined && figure !== undefined ? [{ step: number(step), perplexity: number(figure) }] : [];
    });
  }

  /** The last step of the stretch that the heatmap shows. */
  heatmapStep(): Promise<number | undefined> {
    return this.lastStepShown('experts-step');
  }

  /** The last step of the stretch that the figures of a retrieval are about. */
  retrievalStep(): Promise<number | undefined> {
    return this.lastStepShown('retrieval-step');
  }

  private async lastStepShown(slider: string): Promise<number | undefined> {
    const text = await this.frame
      .locator(`output[for=${slider}]`)
      .textContent({ timeout: 2000 })
      .catch(() => null);
    const steps = text?.match(/\d+(?:,\d{3})*/g) ?? [];
    const last = steps.at(-1);
    return last === undefined ? undefined : number(last);
  }

  /** Share of routed units [layer][expert], from the table that stands for the heatmap. */
  async expertShares(): Promise<readonly (readonly number[])[]> {
    await this.setCheckbox('Show as table', true);
    const table = this.frame.locator('table', { hasText: 'Share of routed units' });
    await table.waitFor();
    const rows = await table
      .locator('tbody tr')
      .evaluateAll((elements) => elements.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')));
    await this.setCheckbox('Show as table', false);
    const layers = Math.max(0, ...rows.map((row) => row.length));
    return Array.from({ length: layers }, (_, layer) =>
      rows.flatMap((row) => {
        const percent = /^([\d.]+) %/.exec(row[layer] ?? '')?.[1];
        return percent === undefined ? [] : [Number(percent) / 100];
      }),
    );
  }

  /** Figures of the retrieval that is shown, by their names; empty while there are none. */
  async retrievalFigures(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.frame
      .locator('section[aria-labelledby="retrieval-title"] table')
      .first()
      .locator('tbody tr')
      .evaluateAll((elements) => elements.map((row) => [...row.children].map((cell) => cell.textContent ?? '')))
      .catch(() => []);
    return new Map(rows.map(([name = '', figure = '']) => [name, figure]));
  }

  /** Rows of a table of bars, by its caption: label and figures. */
  async bars(caption: string): Promise<readonly (readonly string[])[]> {
    const rows = this.frame.locator('table.bar-table', { has: this.frame.locator('caption', { hasText: caption }) }).locator('tbody tr');
    return rows.evaluateAll((elements) =>
      elements.map((row) => [...row.children].filter((cell) => !cell.hasAttribute('aria-hidden')).map((cell) => cell.textContent ?? '')),
    );
  }

  /** The small print of a run: parameters, MACs, mean K, speed. */
  async details(run: string): Promise<string> {
    return (await this.frame.locator('article.run', { hasText: run }).first().locator('.details').textContent()) ?? '';
  }

  /** Colours that cover at least a few pixels of a canvas: 0 or 1 when it is blank. */
  async distinctColours(which: 'curve' | 'heatmap' | 'retrieval'): Promise<number> {
    const canvases = { curve: this.chart, heatmap: this.heatmap, retrieval: this.frame.locator('canvas.retrieval-map') };
    return canvases[which].evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray();
      const seen = new Map<number, number>();
      for (let at = 0; at < pixels.length; at += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = pixels.subarray(at, at + 4);
        const colour = (red << 24) | (green << 16) | (blue << 8) | alpha;
        seen.set(colour, (seen.get(colour) ?? 0) + 1);
      }
      return [...seen.values()].filter((count) => count >= 8).length;
    });
  }
}
