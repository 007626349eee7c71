import { expect, it } from 'vitest';
import { runCost } from '../../src/language/runCost';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { load, valid } from '../config/memoryFiles';

const { experiment } = load(valid);
if (experiment === undefined) throw new Error('Not valid.');
const count = countModel(buildLanguageModel(experiment), experiment.model);

it('is what run.json keeps, whatever this version makes of its config', () => {
  expect(runCost({ cost: JSON.parse(JSON.stringify(count)) as unknown, experiment: { model: { from: 'the future' } } })).toEqual(count);
});

it('is counted again where run.json keeps none, or less than is needed', () => {
  expect(runCost({ experiment: JSON.parse(JSON.stringify(experiment)) as unknown })).toEqual(count);
  expect(runCost({ cost: { parameters: { total: 1 } }, experiment })).toEqual(count);
});

it('is unknown where nothing is understood', () => {
  expect(runCost({ experiment: { model: 3 } })).toBeUndefined();
});
