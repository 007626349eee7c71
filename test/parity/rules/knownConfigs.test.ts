import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { presets } from '../../../src/config/presets/catalogue';
import { presetText } from '../../../src/config/presets/presetText';
import { loadConfig } from '../../../src/config/loadConfig';
import { sampleConfigs } from '../../../src/data/sample/configs';
import { modelCost } from '../../../src/parity/closedForm/modelCost';
import { residuals } from '../../../src/parity/compareWithBaseline';
import { parityFindings } from '../../../src/parity/rules/parityRules';
import { codes } from './compare';

const fixtures = join(import.meta.dirname, '../../fixtures/tables-1-and-2');
const tables = Object.fromEntries(readdirSync(fixtures).map((name) => [name, readFileSync(join(fixtures, name), 'utf8')]));

const of = (name: string, texts: Readonly<Record<string, string>>) => codes({ ...texts, 'a.moe.yaml': texts[name] ?? '' });

describe('configs that are known to be fair', () => {
  it.each(Object.keys(tables))('Tables 1 and 2 of 2411.16205: nothing but that a dense model cannot be as large: %s', (name) => {
    expect(of(name, tables)).toEqual(name.startsWith('dense') ? ['information parameters-off-parity'] : []);
  });

  it.each([
    ['smoe.moe.yaml', []],
    // Its model is so narrow that routers are 4 % of a layer.
    ['mh-moe.moe.yaml', ['information macs-off-parity']],
    ['dense.moe.yaml', ['information parameters-off-parity']],
  ])('the sample experiment warns of nothing: %s', (name, expected) => {
    expect(of(name, sampleConfigs)).toEqual(expected);
  });

  it('presets name no baseline, so that nothing is said', () => {
    for (const preset of presets) {
      const text = presetText(preset);
      const loaded = loadConfig('/lab/a.moe.yaml', (file) => (file === '/lab/a.moe.yaml' ? text : undefined));
      expect(parityFindings({ loaded, count: undefined, baseline: undefined, residuals: null })).toEqual([]);
    }
  });
});

it('the original MH-MoE, its experts as wide as its table says, is four times as dear as its X-MoE (2404.15045 Table 11; 2411.16205 section 2.2)', () => {
  const textOf = (id: string): string => {
    const preset = presets.find((one) => one.id === id);
    if (preset === undefined) throw new Error(`There is no preset ${id}.`);
    return presetText(preset);
  };
  const subject = presets.find(({ id, baseline }) => /mh-moe-8$/.test(id) && baseline !== undefined);
  const texts: Record<string, string> = {
    '/lab/a.moe.yaml': `parity: b.moe.yaml\n${textOf(subject?.id ?? '')}`,
    '/lab/b.moe.yaml': textOf(subject?.baseline ?? ''),
  };
  const load = (file: string) => loadConfig(file, (path) => texts[path]);
  const [loaded, { experiment }] = [load('/lab/a.moe.yaml'), load('/lab/b.moe.yaml')];
  if (loaded.experiment === undefined || experiment === undefined) throw new Error('Presets have no errors.');
  const [count, theirs] = [modelCost(loaded.experiment.model), modelCost(experiment.model)];
  const baseline = { name: 'b.moe.yaml', file: '/lab/b.moe.yaml', experiment, count: theirs };
  const found = parityFindings({ loaded, count, baseline, residuals: residuals('b.moe.yaml', count, theirs) });
  expect(found.find(({ code }) => code === 'macs-off-parity')?.message).toContain('3.98 times the MACs of b.moe.yaml');
});
