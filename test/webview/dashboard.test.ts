/// <reference types="node" />
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { WrittenRun, type RunPlan } from '../extension/reader/writtenRun';
import { experimentSchema } from '../../src/config/schema';
import { readSketches, start } from '../../src/runs/runReader';
import { paletteOf, ratioColour } from '../../webview/dashboard/heatmapColour';
import { buildDashboard, chromiumPath, OpenDashboard, screenshots, type BuiltDashboard, type OpenOptions } from './dashboardHarness';
import { themes, type EditorTheme } from './themes';

if (chromiumPath === undefined) console.warn('Skipped: the dashboard is tested in Chromium, and there is none on this machine.');

/** Waits until the assertion holds; generous, since the machine may have more to do. */
const eventually = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 60_000, interval: 50 });

/** What registering the toolkit causes under this policy, and nothing else. */
const knownViolations = ['style-src-elem inline'];

describe.skipIf(chromiumPath === undefined)('dashboard in a browser', () => {
  let built: BuiltDashboard;
  let opened: OpenDashboard[] = [];
  let written: WrittenRun[] = [];

  beforeAll(async () => {
    built = await buildDashboard();
    mkdirSync(screenshots, { recursive: true });
  });
  afterAll(() => built.close());
  afterEach(async () => {
    await Promise.all(opened.map((dashboard) => dashboard.close()));
    for (const run of written) run.close();
    opened = [];
    written = [];
  });

  const write = (plan: RunPlan, steps: number): WrittenRun => {
    const run = new WrittenRun(plan);
    written.push(run);
    run.train(steps);
    return run;
  };
  const open = async (runs: readonly WrittenRun[], options: Omit<OpenOptions, 'runs'> = {}): Promise<OpenDashboard> => {
    const dashboard = await OpenDashboard.open(built, { runs: runs.map((run) => run.directory), ...options });
    opened.push(dashboard);
    return dashboard;
  };
  const openDrawn = async (runs: readonly WrittenRun[], options: Omit<OpenOptions, 'runs'> = {}): Promise<OpenDashboard> => {
    const dashboard = await open(runs, options);
    await dashboard.page.waitForSelector('.heatmap:visible');
    await eventually(async () => expect(await distinctColours(dashboard, '.chart-frame canvas')).toBeGreaterThan(8));
    return dashboard;
  };

  test.each(['dark', 'light', 'highContrast'] as const)('%s: everything is drawn, and no policy is violated', async (name) => {
    const finished = write({ name: 'SMoE', seed: 1 }, 2000);
    finished.status('finished');
    const running = write({ name: 'MH-MoE (head=2)', seed: 2, floor: 5.2, experts: [40, 40] }, 1250);
    const failed = write({ name: 'SMoE, learning rate 1e-1', seed: 3, floor: 40 }, 260);
    failed.status('failed', {
      message: 'The loss is not finite.',
      advice: 'Lower learning_rate; the checkpoint of step 250 is kept.',
      step: 260,
    });
    const dashboard = await openDrawn([finished, running, failed], { theme: themes[name], height: 1150 });
    const { page } = dashboard;
    await page.locator('.chart-frame canvas').hover({ position: { x: 500, y: 150 } });
    await page.screenshot({ path: join(screenshots, `dashboard-${name}.png`) });
    await page.locator('.heatmap').hover({ position: { x: 300, y: 12 } });
    await page.screenshot({ path: join(screenshots, `dashboard-${name}-cell.png`) });
    expect(await page.locator('.run').count()).toBe(3);
    expect(await page.locator('.trouble:visible p').allInnerTexts()).toEqual([
      'Failed at step 260: The loss is not finite.',
      'Lower learning_rate; the checkpoint of step 250 is kept.',
    ]);
    expect(await page.locator('vscode-button[aria-label="Stop"]:visible').count()).toBe(1);
    expect(await distinctColours(dashboard, '.heatmap')).toBeGreaterThan(20);
    expect((await dashboard.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
    expect(dashboard.errors).toEqual([]);
  });

  test('a cell has the colour of its datum, and its hover says the figures', async () => {
    const run = write({ experts: [8, 8] }, 300);
    const dashboard = await openDrawn([run]);
    const frame = dashboard.sent.findLast((message) => message.type === 'update' && message.experts !== null);
    if (frame?.type !== 'update' || frame.experts === null) throw new Error('no frame was sent');
    const cells = await cellCentres(dashboard, 8, 2);
    for (const [layer, { counts }] of frame.experts.layers.entries()) {
      const values = [...new Float32Array(counts)];
      const total = values.reduce((sum, value) => sum + value, 0);
      for (const [expert, value] of values.entries()) {
        const centre = cells(layer, expert);
        // Beside the middle, where an unused expert has its cross.
        const shown = await pixel(dashboard, centre.x - 15, centre.y - 10);
        expect(shown, `layer ${layer} expert ${expert}`).toEqual([
          ...ratioColour((8 * value) / total, paletteOf(paletteSource(themes.dark))),
        ]);
      }
    }
    const counts = new Float32Array(frame.experts.layers[1]?.counts ?? new ArrayBuffer(0));
    const total = counts.reduce((sum, value) => sum + value, 0);
    await dashboard.page.locator('.heatmap').hover({ position: cells(1, 5) });
    const text = await dashboard.page.locator('.hover').innerText();
    expect(text).toContain('layer 3 · expert 5');
    expect(text).toContain(`${((100 * (counts[5] ?? 0)) / total).toFixed(2)} %`);
    expect(text).toContain(`${((8 * (counts[5] ?? 0)) / total).toFixed(2)}×`);
    expect(text).toContain(`${(counts[5] ?? 0).toLocaleString('en')} of ${total.toLocaleString('en')}`);
    expect(text).toMatch(/Steps\s+300$/);
  });

  test('the keyboard moves over the cells and says what it stands on', async () => {
    const dashboard = await openDrawn([write({ experts: [8, 8] }, 300)]);
    const { page } = dashboard;
    await page.locator('.heatmap').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.locator('#heatmap-reading').textContent()).toMatch(/^layer 3 · expert 2, Share of routed units \d/);
    await page.keyboard.press('End');
    expect(await page.locator('.hover').innerText()).toContain('expert 7');
    await page.locator('.chart-frame canvas').focus();
    await page.keyboard.press('Home');
    expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 1, SMoE · training \d/);
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 2, /);
  });

  test('a growing run is told by increments: only the new points are sent', async () => {
    const run = write({}, 300);
    const dashboard = await openDrawn([run]);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(300));
    const before = dashboard.pointsSent;
    expect(before).toBe(300 + 6);
    run.train(10);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(310));
    // Ten new points, and the last one of before, whose bucket could have grown.
    expect(dashboard.pointsSent - before).toBe(10 + 1);
    await eventually(async () => expect(await dashboard.page.locator('.steps').textContent()).toBe('310 / 2,000 steps'));
    expect(await dashboard.page.locator('.chart-frame canvas').getAttribute('aria-label')).toContain('at step 310');
  });

  test('a very long run sends no more points than twice the pixels', async () => {
    const run = write({ totalSteps: 20_000, experts: [4] }, 9000);
    const dashboard = await openDrawn([run]);
    const view = dashboard.received.findLast((message) => message.type === 'view');
    if (view?.type !== 'view') throw new Error('the page asked for nothing');
    for (const message of dashboard.sent) {
      if (message.type !== 'update') continue;
      for (const curve of message.curves) expect(curve.points.byteLength / 32).toBeLessThanOrEqual(2 * view.view.width);
    }
    expect(lastStepSent(dashboard)).toBe(9000);
  });

  test('another theme recolours chart and heatmap without new data', async () => {
    const dashboard = await openDrawn([write({ experts: [8, 8] }, 300)]);
    const at = (await cellCentres(dashboard, 8, 2))(0, 0);
    const [cellBefore, chartBefore] = [await pixel(dashboard, at.x - 15, at.y - 10), await pictureOf(dashboard, '.chart-frame canvas')];
    await eventually(() => expect(lastStepSent(dashboard)).toBe(300));
    const points = dashboard.pointsSent;
    await dashboard.setTheme(themes.light);
    await eventually(async () => expect(await pixel(dashboard, at.x - 15, at.y - 10)).not.toEqual(cellBefore));
    expect(await pictureOf(dashboard, '.chart-frame canvas')).not.toBe(chartBefore);
    expect(dashboard.pointsSent).toBe(points);
  });

  test.each([
    { what: '320 pixels wide', width: 320, height: 800, scale: 1 },
    { what: '1280 x 900 at 200 % zoom', width: 640, height: 450, scale: 2 },
  ])('nothing overflows: $what', async ({ what, ...size }) => {
    const runs = [
      write({ name: 'A very long name of an experiment that nobody would type but a generator', seed: 1 }, 300),
      write({ name: 'MH-MoE', seed: 2, experts: [128, 128], validationSets: ['prose', 'source-code'] }, 300),
    ];
    const dashboard = await openDrawn(runs, size);
    const { page } = dashboard;
    const name = what.includes('320') ? 'narrow' : 'zoomed';
    await page.screenshot({ path: join(screenshots, `dashboard-${name}.png`), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await page.waitForSelector('.table-scroller table');
    await page.screenshot({ path: join(screenshots, `dashboard-${name}-table.png`), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test('the table says what the chart and the heatmap show', async () => {
    const dashboard = await openDrawn([write({ name: 'SMoE', experts: [8, 8] }, 300)]);
    const { page } = dashboard;
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await page.waitForSelector('.table-scroller table');
    expect(await page.locator('.table-scroller table').first().locator('thead th').allInnerTexts()).toEqual([
      'Step',
      'SMoE, training',
      'SMoE, prose',
    ]);
    expect(await page.locator('.table-scroller table').first().locator('tbody tr').count()).toBe(6);
    expect(await page.locator('.table-scroller table').last().locator('tbody tr').count()).toBe(8);
    expect(await page.locator('.heatmap').isVisible()).toBe(false);
  });

  test('the slider looks back, and Live follows again', async () => {
    const run = write({ experts: [8, 8] }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    await page.locator('#experts-step').fill('120');
    await eventually(async () => expect(await page.locator('output[for=experts-step]').textContent()).toBe('120'));
    run.train(5);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(305));
    expect(await page.locator('output[for=experts-step]').textContent()).toBe('120');
    await page.locator('vscode-checkbox', { hasText: 'Live' }).first().click();
    await eventually(async () => expect(await page.locator('output[for=experts-step]').textContent()).toBe('305'));
  });

  test('runs are hidden, stopped and taken off', async () => {
    const runs = [write({ name: 'one', seed: 1 }, 300), write({ name: 'two', seed: 2 }, 300)];
    const dashboard = await openDrawn(runs);
    const { page } = dashboard;
    const [first, second] = runs.map((run) => run.directory);
    await page.locator('.legend vscode-checkbox', { hasText: 'two' }).click();
    await eventually(async () => expect(await page.locator('.chart-frame canvas').getAttribute('aria-label')).not.toContain('two'));
    await page.locator('.run', { hasText: 'one' }).locator('vscode-button[aria-label="Stop"]').click();
    await eventually(() => expect(dashboard.performed).toEqual([{ kind: 'stopRun', run: first }]));
    await page.locator('.run', { hasText: 'two' }).locator('vscode-button[aria-label="Hide"]').click();
    await eventually(async () => expect(await page.locator('.run').count()).toBe(1));
    expect(dashboard.performed.at(-1)).toEqual({ kind: 'toggleRun', run: second });
  });

  test('choices outlive a reload; data is not kept in the state', async () => {
    const run = write({}, 300);
    const before = await openDrawn([run]);
    await before.page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).click();
    await before.page.locator('vscode-checkbox', { hasText: 'Smooth training' }).click();
    await before.page.locator('.line-key vscode-checkbox', { hasText: 'prose' }).click();
    await choose(before, 'Range', 'From 10 %');
    await eventually(async () => expect(await before.savedState()).toMatchObject({ yScale: 'linear', smoothed: false, skipStart: 0.1 }));
    const savedState = await before.savedState();
    expect(savedState).toEqual({
      schemaVersion: 1,
      runs: [run.directory],
      hidden: [],
      quantity: 'perplexity',
      hiddenLines: ['validation.prose'],
      skipStart: 0.1,
      xAxis: 'step',
      yScale: 'linear',
      smoothed: false,
      asTable: false,
      retrievalRun: null,
      retrievalLayer: 0,
      baselineRun: null,
      heatmapRun: null,
    });
    const after = await openDrawn([run], { savedState });
    expect(await after.page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).getAttribute('aria-checked')).toBe('false');
    expect(await after.page.locator('.line-key vscode-checkbox', { hasText: 'prose' }).getAttribute('aria-checked')).toBe('false');
    await eventually(async () => expect(await chosen(after, 'Range')).toBe('From 10 %'));
    expect(after.received.findLast((message) => message.type === 'view')).toMatchObject({ view: { smoothed: false } });
  });

  const fourSets = ['arithmetic', 'code', 'lists', 'prose'];

  test.each(['dark', 'light'] as const)('%s, 500 x 760, two runs with four validation sets: chart and figures fit', async (name) => {
    const runs = [
      write({ name: 'SMoE', seed: 1, validationSets: fourSets }, 1250),
      write({ name: 'MH-MoE (heads=2)', seed: 2, floor: 5.2, validationSets: fourSets }, 800),
    ];
    const dashboard = await openDrawn(runs, { width: 500, height: 760, theme: themes[name] });
    const { page } = dashboard;
    await eventually(async () => expect(await page.locator('.figures').last().innerText()).toContain('prose'));
    await page.screenshot({ path: join(screenshots, `dashboard-panel-${name}.png`) });
    const bottomOf = (selector: string) =>
      page
        .locator(selector)
        .last()
        .evaluate((element) => element.getBoundingClientRect().bottom);
    expect(await bottomOf('.chart-frame')).toBeLessThanOrEqual(760);
    expect(await bottomOf('.run')).toBeLessThanOrEqual(760);
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test('lines are switched off and the start is skipped, without anything sent again', async () => {
    const run = write({ name: 'SMoE', validationSets: fourSets }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await eventually(async () => expect(await label()).toContain('prose'));
    const sent = dashboard.pointsSent;
    expect(await page.locator('.line-key vscode-checkbox').allInnerTexts()).toEqual(['training', ...fourSets]);
    for (const set of ['arithmetic', 'code', 'lists']) await page.locator('.line-key vscode-checkbox', { hasText: set }).click();
    await eventually(async () => expect(await label()).not.toMatch(/arithmetic|code|lists/));
    expect(await label()).toContain('SMoE prose');
    await choose(dashboard, 'Range', 'From 50 %');
    await page.locator('.chart-frame canvas').focus();
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 150, SMoE · training /);
    });
    expect(dashboard.pointsSent).toBe(sent);
    run.train(100);
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 200, /);
    });
    await page.screenshot({ path: join(screenshots, 'dashboard-end-of-curves.png') });
  });

  test('other quantities can be looked at, and perplexity comes back without being sent again', async () => {
    const run = write({ name: 'SMoE' }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await choose(dashboard, 'Show', 'Learning rate');
    await eventually(async () => expect(await label()).toContain('Latest: SMoE learning rate 0.001 at step 300'));
    expect(await page.locator('#chart-title').textContent()).toBe('Learning rate');
    expect(await page.locator('.line-key').isVisible()).toBe(false);
    await choose(dashboard, 'Show', 'Tokens per second');
    await eventually(async () => expect(await label()).toMatch(/SMoE tokens per second (9\.\d{3}|10\.0\d) k at step 300/));
    await page.screenshot({ path: join(screenshots, 'dashboard-tokens-per-second.png') });
    const sent = dashboard.pointsSent;
    await choose(dashboard, 'Show', 'Perplexity');
    await eventually(async () => expect(await label()).toContain('SMoE training'));
    expect(dashboard.pointsSent).toBe(sent);
  });

  test('dropped assignments are a percentage, 0 on a logarithmic axis too; a model that drops none has no points', async () => {
    const [dropping, dropless] = [write({ name: 'Capacity', dropRate: 0.2 }, 1200), write({ name: 'Dropless', seed: 2 }, 300)];
    const dashboard = await openDrawn([dropping, dropless]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await choose(dashboard, 'Show', 'Dropped assignments');
    await eventually(async () => expect(await label()).toContain('Latest: Capacity dropped assignments 0.00 % at step 1200.'));
    await page.locator('.chart-frame canvas').focus();
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 1, Capacity .* 19\.86 %/);
    });
    await page.screenshot({ path: join(screenshots, 'dashboard-dropped-logarithmic.png') });
    await page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).click();
    await page.screenshot({ path: join(screenshots, 'dashboard-dropped.png') });
    await choose(dashboard, 'Show', 'Router z-loss');
    await eventually(async () => expect(await label()).toContain('router z-loss. No points yet.'));
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test.each(['dark', 'light', 'highContrast'] as const)(
    '%s: a run that retrieves, and one whose units take different numbers of experts',
    async (name) => {
      const peer = write({ name: 'PEER', seed: 1, experts: [], retrievals: [16_384, 4096] }, 400);
      const varying = write({ name: 'Dynamic', seed: 2, experts: [16, 16], varyingK: true, attentionHeads: 4 }, 400);
      const dashboard = await openDrawn([peer, varying], { theme: themes[name], height: 2000 });
      const { page } = dashboard;
      await eventually(async () => expect(await distinctColours(dashboard, '.retrieval-map')).toBeGreaterThan(20));
      await page.locator('.retrieval-map').hover({ position: { x: 300, y: 100 } });
      await page.screenshot({ path: join(screenshots, `dashboard-retrieval-${name}.png`) });
      const text = await page.locator('.hover').innerText();
      expect(text).toMatch(/layer 0 retrieval · experts [\d,]+ to [\d,]+/);
      expect(text).toMatch(/Choices\s+[\d,]+ of [\d,]+/);
      expect(await overflowing(dashboard)).toEqual([]);
      expect((await dashboard.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
      expect(dashboard.errors).toEqual([]);
    },
  );

  test('what a retrieval did can be read, looked back at and chosen by the keyboard, and its figures are those of the file', async () => {
    const run = write({ name: 'PEER', experts: [], retrievals: [1024, 256] }, 300);
    let frames = (await readSketches(run.directory, start)).records;
    const dashboard = await open([run]);
    const { page } = dashboard;
    await page.waitForSelector('.retrieval-map:visible');
    // A run that only retrieves has no section of routed experts.
    expect(await page.locator('.heatmap').isVisible()).toBe(false);
    const cells = (caption: string) =>
      page
        .locator('table', { has: page.locator('caption', { hasText: caption }) })
        .locator('tbody tr')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).innerText.split(/\s*\t\s*/)));
    const frameAt = (step: number, layer: number) => frames.find((frame) => frame.layer === layer && frame.step === step);
    const digits = (value: number) => value.toLocaleString('en');
    const expectFigures = async (step: number, layer: number, experts: number) => {
      const frame = frameAt(step, layer);
      if (frame === undefined) throw new Error(`There is no frame of step ${step}.`);
      const ever = new Set(
        frames
          .filter((each) => each.layer === layer && each.step <= step)
          .flatMap(({ used }) =>
            Array.from({ length: experts }, (_, expert) => expert).filter((expert) => ((used[expert >> 3] ?? 0) >> (expert & 7)) & 1),
          ),
      );
      await eventually(async () => {
        const figures = new Map((await cells(`Steps ${digits(step)}`)).map(([what = '', figure = '']) => [what, figure]));
        expect(figures.get('Choices')).toBe(digits(frame.total));
        expect(figures.get('Experts used in these steps')).toContain(
          `${digits(experts - (frame.histogram[0] ?? 0))} of ${digits(experts)}`,
        );
        expect(figures.get('Experts ever used')).toContain(`${digits(ever.size)} of ${digits(experts)}`);
      });
      const [busiest] = await cells('Most used experts');
      expect(busiest?.[0]).toBe(digits(frame.heaviest[0]?.expert ?? -1));
      expect((await cells('How often')).map(([, inBin]) => inBin)).toEqual(
        [...frame.histogram].slice(0, 1 + frame.histogram.findLastIndex((count) => count > 0)).map(digits),
      );
    };
    await expectFigures(300, 0, 1024);

    await page.locator('.retrieval-map').focus();
    await page.keyboard.press('Home');
    for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight');
    expect(await page.locator('#retrieval-map-reading').textContent()).toMatch(
      /^layer 0 retrieval · experts 0 to 7, Choices [\d,]+ of [\d,]+, Times uniform/,
    );
    await page.keyboard.press('Enter');
    // 300 frames are shown in columns of two.
    await expectFigures(8, 0, 1024);
    await page.screenshot({ path: join(screenshots, 'dashboard-retrieval-back.png') });
    run.train(1);
    frames = (await readSketches(run.directory, start)).records;
    await page.locator('vscode-checkbox', { hasText: 'Live' }).locator('visible=true').click();
    await expectFigures(301, 0, 1024);

    await choose(dashboard, 'Layer', 'layer 1 retrieval');
    await expectFigures(301, 1, 256);
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await eventually(async () => expect(await page.locator('.retrieval-map').isVisible()).toBe(false));
    expect((await cells('Most used experts')).length).toBe(64);
    const [newest] = await cells('Share of choices by expert');
    expect(newest?.[0]).toBe('301');
    await page.screenshot({ path: join(screenshots, 'dashboard-retrieval-table.png'), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test('of a retrieval only new columns are sent', async () => {
    const run = write({ name: 'PEER', experts: [], retrievals: [1024] }, 100);
    const dashboard = await open([run]);
    await dashboard.page.waitForSelector('.retrieval-map:visible');
    const series = () =>
      dashboard.sent.flatMap((message) => (message.type === 'update' && message.retrieval?.series ? [message.retrieval.series] : []));
    expect(series().map(({ from, steps }) => [from, steps.byteLength / 16])).toEqual([[0, 100]]);
    run.train(3);
    await eventually(() => expect(series().at(-1)?.steps).toBeDefined());
    await eventually(() => expect(Math.max(...series().flatMap(({ steps }) => [...new Float64Array(steps)]))).toBe(103));
    // The column that was last is sent again.
    for (const { from } of series().slice(1)) expect(from).toBeGreaterThanOrEqual(99);
    const shown = () => dashboard.page.locator('.retrieval-map').getAttribute('aria-label');
    await eventually(async () => expect(await shown()).toContain('over 103 stretches of steps'));
  });

  test('how many experts units take: a curve, on validation sets too, the shares as bars, and what it costs', async () => {
    const dashboard = await openDrawn([
      write({ name: 'Dynamic', experts: [16], varyingK: true, attentionHeads: 4, validationSets: ['code', 'prose'] }, 300),
    ]);
    const { page } = dashboard;
    expect(await page.locator('.details').first().innerText()).toMatch(/mean K 2\.\d\d\s+2\.\d+ M MACs\/token at that mean/);
    expect(await page.locator('.bar-table caption').first().innerText()).toMatch(
      /^Experts per unit in the newest step: 2\.\d\d on average, 2\.\d+ M MACs\/token/,
    );
    expect(await page.locator('.bar-table').first().locator('tbody tr').count()).toBe(4);
    await page.locator('.heatmap').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('End');
    expect(await page.locator('#heatmap-reading').textContent()).toMatch(/^layer 0 attention, source · head 3, expert 3, /);
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('#heatmap-reading').textContent()).toContain('(up to 4)');
    await choose(dashboard, 'Show', 'Experts per unit');
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await eventually(async () =>
      expect(await label()).toMatch(/Dynamic experts per unit 2\.\d+ at step 300; Dynamic code 2\.\d+ at step 300; Dynamic prose/),
    );
    expect(await page.locator('.line-key').isVisible()).toBe(true);
    await page.screenshot({ path: join(screenshots, 'dashboard-mean-k.png'), fullPage: true });
  });

  test.each(['dark', 'light', 'highContrast'] as const)('%s: what runs cost against one of them, on both axes', async (name) => {
    const model = (changes: object) =>
      experimentSchema.parse({
        model: {
          d_model: 768,
          layers: 2,
          context: 64,
          attention: { heads: 12 },
          ffn: { width: 2048 },
          moe: { kind: 'smoe', every: 2, experts: 8, top_k: 1, expert_width: 2048, ...changes },
        },
      });
    const mhMoe = { kind: 'mh-moe', heads: 2, experts: 40, top_k: 2, expert_width: 768 };
    const smoe = write({ name: 'SMoE', seed: 1, experiment: model({}) }, 60);
    const twin = write({ name: 'MH-MoE (head=2)', seed: 2, floor: 5.2, experiment: model(mhMoe) }, 60);
    const foreign = write({ name: 'Foreign', seed: 3 }, 60);
    foreign.status('failed', { message: 'Diverged: the loss is NaN.', advice: 'Lower it.', step: 60, cause: 'diverged' });
    const dashboard = await openDrawn([smoe, twin, foreign], { theme: themes[name], height: 1500 });
    const { page } = dashboard;
    const section = page.locator('section', { has: page.locator('#parity-title') });
    await eventually(async () => expect(await section.locator('table').count()).toBe(1));
    expect(await section.locator('caption').innerText()).toBe('MH-MoE (head=2) against SMoE');
    const figures = async () =>
      (await section.locator('.parity-figure:visible').allInnerTexts()).map((text) => text.replace('\u2212', '-'));
    expect((await figures()).slice(0, 4)).toEqual(['0.00 %', '+0.52 %', '-3.13 %', '-3.10 %']);
    expect(await section.locator('p:visible').innerText()).toBe('Cannot be counted against SMoE: Foreign.');
    await page.screenshot({ path: join(screenshots, `dashboard-parity-${name}.png`), fullPage: true });
    await choose(dashboard, 'Against', 'MH-MoE (head=2)');
    await eventually(async () => expect(await section.locator('caption').innerText()).toBe('SMoE against MH-MoE (head=2)'));
    expect((await figures())[2]).toBe('+3.23 %');
    expect(await dashboard.savedState()).toMatchObject({ baselineRun: twin.directory });
    // Of one run there is nothing to compare.
    dashboard.showRuns([twin.directory]);
    await section.waitFor({ state: 'hidden' });
    expect((await dashboard.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
    expect(dashboard.errors).toEqual([]);
  });

  test('a failed run, and one with an alarm, can be branched from', async () => {
    const failed = write({ name: 'Failed', seed: 1 }, 60);
    failed.status('failed', { message: 'Diverged: the loss is NaN.', advice: 'Lower it.', step: 60, cause: 'diverged' });
    const dropping = write({ name: 'Dropping', seed: 2, dropRate: 0.9 }, 60);
    const calm = write({ name: 'Calm', seed: 4 }, 60);
    const dashboard = await openDrawn([failed, dropping, calm]);
    const branch = dashboard.page.locator('.run vscode-button[aria-label="Branch with this fix"]:visible');
    await eventually(async () => expect(await branch.count()).toBe(2));
    expect(await dashboard.page.locator('.trouble:visible p').allInnerTexts()).toMatchObject([
      'Failed at step 60: Diverged: the loss is NaN.',
      'Lower it.',
      expect.stringMatching(/^\d\d % of the choices of experts are dropped/),
    ]);
    await branch.nth(1).click();
    await eventually(() => expect(dashboard.performed).toEqual([{ kind: 'branchWithFix', run: dropping.directory }]));
  });

  test('without runs it says what to do', async () => {
    const dashboard = await open([]);
    expect(await dashboard.page.locator('.empty:visible').first().innerText()).toContain('Tick runs in the MoE Lab sidebar');
    await dashboard.page.screenshot({ path: join(screenshots, 'dashboard-empty.png') });
    expect((await dashboard.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
  });
});

/** Chooses in a dropdown with the keyboard, as one who uses no pointer does. */
async function choose({ page }: OpenDashboard, label: string, option: string): Promise<void> {
  const control = page.locator(`vscode-dropdown[aria-label="${label}"]`);
  const options = await control.locator('vscode-option').allTextContents();
  await control.focus();
  await page.keyboard.press('Home');
  for (let at = options.indexOf(option); at > 0; at--) await page.keyboard.press('ArrowDown');
}

function chosen({ page }: OpenDashboard, label: string): Promise<string> {
  return page.locator(`vscode-dropdown[aria-label="${label}"] .selected-value`).innerText();
}

function lastStepSent(dashboard: OpenDashboard): number {
  const steps = dashboard.sent.flatMap((message) =>
    message.type === 'update' ? message.curves.map((curve) => new Float64Array(curve.points).at(-4) ?? 0) : [],
  );
  return Math.max(0, ...steps);
}

function paletteSource({ variables }: EditorTheme): Parameters<typeof paletteOf>[0] {
  const variable = (name: string) => variables[`--vscode-${name}`] ?? '';
  return {
    cold: variable('charts-blue'),
    hot: variable('charts-orange'),
    background: variable('editor-background'),
    foreground: variable('foreground'),
  };
}

function distinctColours({ page }: OpenDashboard, selector: string): Promise<number> {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return new Set(new Uint32Array(new Uint8ClampedArray(pixels).buffer)).size;
  });
}

function pictureOf({ page }: OpenDashboard, selector: string): Promise<string> {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
}

function pixel({ page }: OpenDashboard, x: number, y: number): Promise<number[]> {
  return page
    .locator('.heatmap')
    .evaluate((canvas: HTMLCanvasElement, at) => [...(canvas.getContext('2d')?.getImageData(at.x, at.y, 1, 1).data ?? [])].slice(0, 3), {
      x,
      y,
    });
}

/** Centres of the cells, from the size of the canvas alone: cells are 48 x 30, the axis below is 22 high. */
async function cellCentres(
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
function overflowing({ page }: OpenDashboard): Promise<string[]> {
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
