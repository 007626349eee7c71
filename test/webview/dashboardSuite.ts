/// <reference types="node" />
import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { WrittenRun, type RunPlan } from '../extension/reader/writtenRun';
import { eventually } from './eventually';
import { distinctColours } from './dashboardReading';
import { buildDashboard, OpenDashboard, screenshots, type BuiltDashboard, type OpenOptions } from './dashboardHarness';

export interface DashboardSuite {
  /** A run of `steps` steps; it is closed after the test. */
  write(plan: RunPlan, steps: number): WrittenRun;
  open(runs: readonly WrittenRun[], options?: Omit<OpenOptions, 'runs'>): Promise<OpenDashboard>;
  /** As `open`, when chart and heatmap have been drawn. */
  openDrawn(runs: readonly WrittenRun[], options?: Omit<OpenOptions, 'runs'>): Promise<OpenDashboard>;
}

/** Runs and dashboards for the tests of the suite that calls this, which are taken away after each. */
export function dashboardSuite(): DashboardSuite {
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

  const open: DashboardSuite['open'] = async (runs, options = {}) => {
    const dashboard = await OpenDashboard.open(built, { runs: runs.map((run) => run.directory), ...options });
    opened.push(dashboard);
    return dashboard;
  };
  return {
    open,
    write(plan, steps) {
      const run = new WrittenRun(plan);
      written.push(run);
      run.train(steps);
      return run;
    },
    async openDrawn(runs, options) {
      const dashboard = await open(runs, options);
      await dashboard.page.waitForSelector('.heatmap:visible');
      await eventually(async () => expect(await distinctColours(dashboard, '.chart-frame canvas')).toBeGreaterThan(8));
      return dashboard;
    },
  };
}
