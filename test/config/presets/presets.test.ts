import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { presetOf, presets } from '../../../src/config/presets/catalogue';
import { printedExpertParameters, sizes } from '../../../src/config/presets/mhMoeOriginal';
import type { Preset } from '../../../src/config/presets/preset';
import { presetText } from '../../../src/config/presets/presetText';
import { ruleCodes } from '../../../src/config/ruleCodes';
import { experimentSchema } from '../../../src/config/schema';
import { adjusted } from '../../../src/config/severities';
import { load } from '../memoryFiles';

/** The data that a preset leaves commented out, put in. */
function filledIn(text: string): string {
  return text.replace(/^# data: .*\n(?:# .*\n?)*$/m, (block) => block.replaceAll(/^# /gm, ''));
}

/** As an editor shows them: without what the config suppresses, and with what is wrong with that. */
function shownCodes(text: string): string[] {
  const loaded = load(text);
  return adjusted(loaded.findings, { loaded, severities: {}, texts: () => text, codes: ruleCodes }).map(({ code }) => code);
}

/** What a paper's own model is warned of. */
const known: Readonly<Record<string, readonly string[]>> = { 'peer/moe': ['not-causal'] };

describe('presets', () => {
  it('have ids of their own, and name only presets that there are', () => {
    const ids = presets.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const named = presets.flatMap(({ baseline, claims }) => [...(baseline === undefined ? [] : [baseline]), ...claims.map(({ to }) => to)]);
    expect(named.filter((id) => presetOf(id) === undefined)).toEqual([]);
  });

  it('are every row of the tables of 2411.16205, and those of the others', () => {
    const ids = presets.map(({ id }) => id);
    const rowsOf = (table: number): number => ids.filter((id) => id.startsWith(`mh-moe/table-${table}/`)).length;
    expect([1, 2, 3, 4, 5].map(rowsOf)).toEqual([5, 4, 5, 6, 4]);
    expect(ids.filter((id) => id.startsWith('mh-moe-original/'))).toHaveLength(17);
    expect(ids.filter((id) => id.startsWith('mh-moe-original/table-5/'))).toHaveLength(4);
    expect(ids.filter((id) => !id.includes('/'))).toEqual(['mixtral-8x7b', 'olmoe-1b-7b', 'qwen3-30b-a3b', 'deepseek-moe-16b']);
  });

  it('are every row of 2312.07987 whose sizes are known, and of 2407.04153', () => {
    const ids = presets.map(({ id }) => id);
    const tableOf = (preset: Preset): string[] =>
      [...preset.perplexity, ...(preset.results ?? [])].map(({ where }) => where.replace(/,.*/, ''));
    const rowsOf = (paper: string, table: number): number =>
      presets.filter((preset) => preset.id.startsWith(paper) && tableOf(preset).includes(`Table ${table}`)).length;
    // Table 1 has eight rows of MoA too, and Tables 4 and 8 two each that are matched in MACs, whose sizes are not printed; Tables 3 and 7
    // repeat dense rows.
    expect([1, 2, 3, 4, 6, 7, 8].map((table) => rowsOf('switchhead/', table))).toEqual([4, 21, 12, 6, 17, 6, 6]);
    expect([1, 2].map((table) => rowsOf('peer/', table))).toEqual([4, 8]);
    expect(ids.filter((id) => id.startsWith('switchhead/')).length).toBe(51);
  });

  it.each(presets)('$id: its text is the same config, without a finding, and can be trained once it has data', (preset) => {
    const text = presetText(preset);
    const { experiment } = load(text);
    const expected = known[preset.id] ?? [];
    expect(shownCodes(text)).toEqual(expected);
    expect(experiment).toEqual(experimentSchema.parse(preset.experiment));
    expect(experiment?.data).toBeUndefined();
    const filled = load(filledIn(text));
    expect(shownCodes(filledIn(text))).toEqual(expected);
    expect(filled.experiment?.data?.train).toEqual(['corpus/train/*.txt']);
    expect(text.split('\n').filter((line) => line.startsWith('#') && line.length > 110)).toEqual([]);
  });

  it.each(presets)('$id: names its source and says every gap in a sentence', ({ source, gaps, flags }) => {
    expect(source.length).toBeGreaterThan(20);
    for (const sentence of [...gaps, ...flags]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
  });

  it("X-MoE's expert parameters come out to the last million of Table 11 with biases and a norm, and beta is below 1", () => {
    for (const { experts, xMoe } of sizes) {
      // Two of the six are rounded down in print.
      expect(Math.abs((6 * experts * printedExpertParameters(768, 4 * 768)) / 1e6 - xMoe.experts)).toBeLessThan(1);
      const width = presetOf(`mh-moe-original/mh-moe-${experts}`)?.experiment.model.moe?.expert_width ?? fail();
      expect(width / (4 * 4 * 768)).toBeLessThan(1);
      expect(width / (4 * 4 * 768)).toBeGreaterThan(0.9);
    }
  });

  it('read as a file looks', () => {
    expect(presetText(presets[3] ?? fail())).toMatchSnapshot();
    expect(presetText(presetOf('mh-moe-original/mh-moe-8') ?? fail())).toMatchSnapshot();
    expect(presetText(presetOf('qwen3-30b-a3b') ?? fail())).toMatchSnapshot();
    expect(presetText(presetOf('switchhead/c4-262m/switchall') ?? fail())).toMatchSnapshot();
    expect(presetText(presetOf('peer/n-1024') ?? fail())).toMatchSnapshot();
    expect(presetText(presetOf('da-style/encoder') ?? fail())).toMatchSnapshot();
  });

  it('of Tables 1 and 2 are the configs that the command line counts in its tests', () => {
    const fixture = (name: string) =>
      load(readFileSync(join(import.meta.dirname, '../../fixtures/tables-1-and-2', `${name}.moe.yaml`), 'utf8')).experiment;
    for (const [id, name] of [
      ['mh-moe/table-1/smoe', 'smoe'],
      ['mh-moe/table-1/mh-moe-3', 'mh-moe-3'],
      ['mh-moe/table-2/mh-moe-2', 'mh-moe-2-shared'],
    ] as const) {
      const ours = experimentSchema.parse(presetOf(id)?.experiment).model;
      const theirs = fixture(name)?.model;
      const { router: _ours, ...moe } = ours.moe ?? fail();
      const { router: _theirs, ...expected } = theirs?.moe ?? fail();
      expect({ ...ours, moe }).toEqual({ ...theirs, moe: expected });
    }
  });
});

function fail(): never {
  throw new Error('There is no such preset.');
}
