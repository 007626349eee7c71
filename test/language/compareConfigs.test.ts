import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { experimentSchema, type Experiment } from '../../src/config/schema';
import { compareConfigs } from '../../src/language/compareConfigs';
import { keyDifferences, resolvedText, resolvedValue } from '../../src/language/resolvedConfig';
import { load, valid } from '../config/memoryFiles';

function experimentOf(text: string): Experiment {
  const { experiment } = load(text);
  if (experiment === undefined) throw new Error(text);
  return experiment;
}

const side = (name: string, text: string, folder = '/lab') => ({ name, experiment: experimentOf(text), folder });

it('a resolved config has every default, in one order, whatever the file says first', () => {
  const reversed = valid.split('\n').filter((line) => line.startsWith('engine') || line.startsWith('evaluate'));
  const rest = valid.split('\n').filter((line) => !reversed.includes(line));
  const text = resolvedText(experimentOf(valid), '/lab');
  expect(resolvedText(experimentOf([...reversed.toReversed(), ...rest].join('\n')), '/lab')).toBe(text);
  expect(text).toContain('  tie_embeddings: true\n');
  // A key in each line: a diff shows what differs, and nothing beside it.
  expect(text.split('\n').every((line) => !line.includes('{'))).toBe(true);
  expect(experimentSchema.parse(parse(text)).model).toEqual(experimentOf(valid).model);
});

it('text is found by where it lies, not by how it is written', () => {
  const inFolder = valid.replace('corpus/*.txt', '../corpus/*.txt').replace('valid/*.txt', '../valid/*.txt');
  expect(compareConfigs(side('one', valid), side('other', inFolder, '/lab/variants')).identical).toBe(true);
  const { keys } = compareConfigs(side('one', valid), side('other', valid, '/elsewhere'));
  expect(keys.map(({ key }) => key)).toEqual(['data.train', 'data.validation.prose']);
});

it('names of experiments, of bases and of baselines are no differences', () => {
  expect(compareConfigs(side('one', valid), side('other', valid.replace('MH-MoE (head=2)', 'Another'))).identical).toBe(true);
});

it('a section that only one has is listed key by key', () => {
  expect(keyDifferences({ a: { b: 1, c: [1] }, d: 2 }, { d: 2, e: null })).toMatchObject([
    { key: 'a.b', one: 1, other: undefined },
    { key: 'a.c', one: [1], other: undefined },
    { key: 'e', one: undefined, other: null },
  ]);
  expect(Object.keys(resolvedValue(experimentOf(valid), '/') as object)).toEqual([
    'model',
    'train',
    'data',
    'evaluate',
    'checkpoint',
    'engine',
  ]);
});

it('residuals are of the second against the first, and costs that are equal are left out', () => {
  const wider = valid.replace('expert_width: 256', 'expert_width: 512');
  const { costs, parity } = compareConfigs(side('one', valid), side('other', wider));
  const figures = costs.map(({ figure }) => figure);
  expect(figures).toEqual(expect.arrayContaining(['parameters', 'parameters of experts', 'MACs of experts', 'training memory']));
  expect(figures).not.toContain('MACs of routers');
  const experts = costs.find(({ figure }) => figure === 'parameters of experts');
  expect(experts?.residual).toBe(1);
  expect(parity.compared.macs).toBeGreaterThan(0);
  expect(compareConfigs(side('one', wider), side('other', valid)).parity.compared.macs).toBeLessThan(0);
});
