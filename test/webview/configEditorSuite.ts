/// <reference types="node" />
import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { buildConfigEditor, OpenConfigEditor, type BuiltConfigEditor, type OpenOptions } from './configEditorHarness';
import { screenshots } from './dashboardHarness';

export const smoe = `# 2411.16205, Table 1
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

export const mhMoe = `# the same with two heads
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

export const pair = { text: mhMoe, files: { 'smoe.moe.yaml': smoe } };

/** Opens config editors for the tests of the suite that calls this; after each they are closed, and must have had no errors. */
export function configEditorSuite(): (options: OpenOptions) => Promise<OpenConfigEditor> {
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
  return async (options) => {
    const editor = await OpenConfigEditor.open(built, options);
    opened.push(editor);
    return editor;
  };
}
