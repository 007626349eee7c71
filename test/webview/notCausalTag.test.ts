/// <reference types="node" />
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDescription } from '../../src/runs/readRun';
import { writeDescription } from '../../src/runs/runWriter';
import { WrittenRun } from '../extension/reader/writtenRun';
import { buildDashboard, chromiumPath, OpenDashboard, screenshots, type BuiltDashboard } from './dashboardHarness';

const model = { d_model: 8, layers: 2, context: 4, attention: { heads: 2 }, ffn: { width: 8 } };

describe.skipIf(chromiumPath === undefined)('the tag of a run whose model is not causal', () => {
  let built: BuiltDashboard;
  const runs: WrittenRun[] = [];
  beforeAll(async () => {
    built = await buildDashboard();
  });
  afterAll(async () => {
    for (const run of runs) run.close();
    await built.close();
  });

  async function write(name: string, seed: number, experiment: unknown): Promise<string> {
    const run = new WrittenRun({ name, seed });
    runs.push(run);
    run.train(60);
    const description = await readDescription(run.directory);
    if (!description) throw new Error('unreachable');
    writeDescription(run.directory, { ...description, experiment });
    return run.directory;
  }

  test('stands in its header, with the reason on hover; other runs have none', async () => {
    const moe = { kind: 'smoe', experts: 4, top_k: 1, expert_width: 8 };
    const choice = { ...moe, router: { select: 'expert_choice', balance: 'none' } };
    const directories = [
      await write('Expert choice', 1, { model: { ...model, moe: choice } }),
      await write('Top-k', 2, { model: { ...model, moe } }),
    ];
    const { page } = await OpenDashboard.open(built, { runs: directories, width: 480 });
    const header = (name: string) => page.locator('article.run header', { has: page.locator('h3', { hasText: name }) });
    const tag = header('Expert choice').locator('.tag');
    await tag.waitFor();
    expect(await tag.textContent()).toBe('not causal');
    expect(await tag.getAttribute('title')).toMatch(/^Not causal: with `select: expert_choice` /);
    expect(await header('Top-k').locator('.tag').isVisible()).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
    await page.screenshot({ path: join(screenshots, 'dashboard-not-causal.png') });
  });
});
