import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { presets } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import { runCli } from './runCli';

const run = (...args: string[]) => runCli(tmpdir(), 'presets', ...args);

const figure = z.strictObject({ printed: z.string(), where: z.string() });
/** The published form, key by key. */
const listed = z.strictObject({
  id: z.string(),
  title: z.string(),
  paper: z.string(),
  source: z.string(),
  gaps: z.array(z.string()),
  flags: z.array(z.string()),
  published: z.strictObject({
    total: figure.optional(),
    active: figure.optional(),
    expertParameters: figure.optional(),
    otherParameters: figure.optional(),
    attentionMacs: figure.optional(),
    attentionMemory: figure.optional(),
  }),
  perplexity: z.array(z.strictObject({ dataset: z.string(), step: z.int().nullable(), value: z.number(), where: z.string() })),
  results: z.array(
    z.strictObject({ metric: z.string(), dataset: z.string(), step: z.int().nullable(), value: z.number(), where: z.string() }),
  ),
});

describe('moe-lab presets', () => {
  it('lists every preset under its paper', async () => {
    const { code, stdout, stderr } = await run();
    expect([code, stderr]).toEqual([0, '']);
    for (const { id, title } of presets) expect(stdout).toMatch(new RegExp(`^  ${id} +${title.replace(/[()+]/g, '\\$&')}$`, 'm'));
    expect(stdout.indexOf('MH-MoE (2411.16205)')).toBeLessThan(stdout.indexOf('mh-moe/table-1/dense'));
    expect(stdout.indexOf('mh-moe/table-5/head-and-merge')).toBeLessThan(stdout.indexOf('MH-MoE, original (2404.15045)'));
  });

  it('prints one as a config, ready to save', async () => {
    for (const preset of presets.slice(-4)) expect(await run(preset.id)).toEqual({ code: 0, stdout: presetText(preset), stderr: '' });
  });

  it('has both as JSON', async () => {
    const list = z.strictObject({ schemaVersion: z.literal(1), presets: z.array(listed) }).parse(JSON.parse((await run('--json')).stdout));
    expect(list.presets.map(({ id }) => id)).toEqual(presets.map(({ id }) => id));
    const one = z
      .strictObject({ schemaVersion: z.literal(1), preset: listed.extend({ experiment: z.looseObject({}), yaml: z.string() }) })
      .parse(JSON.parse((await run('qwen3-30b-a3b', '--json')).stdout));
    expect(one.preset.yaml).toContain('experts: 128');
    expect(one.preset.experiment).toMatchObject({ model: { moe: { experts: 128 } } });
  });

  it.each([
    [['mixtral-8x7'], 'There is no preset mixtral-8x7; did you mean mixtral-8x7b?'],
    [['nothing-like-it'], 'There is no preset nothing-like-it; moe-lab presets lists them.'],
    [['mixtral-8x7b', 'olmoe-1b-7b'], 'moe-lab presets prints one preset at a time; name one ID.'],
  ])('%j is wrong use', async (args, sentence) => {
    expect(await run(...args)).toEqual({ code: 2, stdout: '', stderr: `moe-lab: ${sentence}\n` });
  });
});
