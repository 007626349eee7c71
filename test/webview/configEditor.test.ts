/// <reference types="node" />
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildConfigEditor, OpenConfigEditor, type BuiltConfigEditor, type OpenOptions } from './configEditorHarness';
import { chromiumPath, screenshots } from './dashboardHarness';
import { themes } from './themes';

if (chromiumPath === undefined) console.warn('Skipped: the config editor is tested in Chromium, and there is none on this machine.');

const eventually = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 60_000, interval: 50 });

/** What registering the toolkit causes under this policy, and nothing else. */
const knownViolations = ['style-src-elem inline'];

const smoe = `# 2411.16205, Table 1
model:
  vocabulary: 32000
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe:
    kind: smoe
    experts: 8 # as published
    top_k: 1
    expert_width: 2048
`;

const mhMoe = `# the same with two heads
extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2 # sub-tokens
    experts: 40
    top_k: 2
    expert_width: 768
`;

const pair = { text: mhMoe, files: { 'smoe.moe.yaml': smoe } };

describe.skipIf(chromiumPath === undefined)('config editor in a browser', () => {
  let built: BuiltConfigEditor;
  let opened: OpenConfigEditor[] = [];

  beforeAll(async () => {
    built = await buildConfigEditor();
    mkdirSync(screenshots, { recursive: true });
  });
  afterAll(() => built.close());
  afterEach(async () => {
    const errors = opened.flatMap((editor) => editor.errors);
    await Promise.all(opened.map((editor) => editor.close()));
    opened = [];
    expect(errors).toEqual([]);
  });

  const open = async (options: OpenOptions): Promise<OpenConfigEditor> => {
    const editor = await OpenConfigEditor.open(built, options);
    opened.push(editor);
    return editor;
  };

  test.each(['dark', 'light', 'highContrast'] as const)('%s: everything is drawn, and no policy is violated', async (name) => {
    const editor = await open({ ...pair, theme: themes[name] });
    const { page } = editor;
    await page.waitForSelector('.diagram');
    await page.screenshot({ path: join(screenshots, `config-editor-${name}.png`) });
    await page.screenshot({ path: join(screenshots, `config-editor-${name}-whole.png`), fullPage: true });
    expect((await editor.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
  });
});
