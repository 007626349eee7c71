import { describe, expect, it } from 'vitest';
import { presetOf } from '../../src/config/presets/catalogue';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { choiceItems } from '../../src/extension/commands/choiceItems';
import { durationText } from '../../src/language/durationText';
import { modelCost } from '../../src/parity/closedForm/modelCost';
import { analysisOf, hintedTexts } from '../language/hintedConfigs';

describe('sizes to choose from', () => {
  const { loaded, baseline } = analysisOf(hintedTexts, 'mh-moe.moe.yaml');
  if (loaded.experiment === undefined || baseline === undefined) throw new Error('It can be compared.');
  const items = choiceItems(loaded.experiment, baseline);

  it('stand under what they are near in, each once, with both axes', () => {
    const headings = items.flatMap((item) => ('heading' in item ? [item.heading] : []));
    expect(headings[0]).toBe('Near on both axes');
    const choices = items.flatMap((item) => ('changes' in item ? [item] : []));
    expect(choices.length).toBeGreaterThan(5);
    const identities = choices.map(({ changes }) => JSON.stringify(Object.entries(changes).toSorted()));
    expect(new Set(identities).size).toBe(identities.length);
    for (const { description, detail } of choices) {
      expect(description).toMatch(/ % MACs, .+ % parameters$/);
      expect(detail).toMatch(/^without router .+ %, .+ %; in all .+ %, .+ %$/);
    }
  });

  it('change only what the config says otherwise, among them one expert more than the paper has', () => {
    const choices = items.flatMap((item) => ('changes' in item ? [item] : []));
    expect(choices.every(({ changes }) => Object.keys(changes).length > 0)).toBe(true);
    const nearest = choices.find(({ changes }) => JSON.stringify(changes) === '{"model.moe.experts":41}');
    expect(nearest?.description).toBe('+0.54 % MACs, −0.76 % parameters');
  });
});

describe('the heading of what is near on both axes', () => {
  const preset = (id: string): Experiment => experimentSchema.parse(presetOf(id)?.experiment);
  const narrow = (moe: object): Experiment =>
    experimentSchema.parse({
      model: {
        d_model: 64,
        layers: 4,
        context: 32,
        attention: { heads: 4 },
        ffn: { width: 128 },
        moe: { top_k: 1, experts: 8, expert_width: 128, ...moe },
      },
    } as ExperimentInput);

  it.each([
    ['None is equal on both axes; the nearest', preset('mh-moe/table-1/dense'), preset('mh-moe/table-1/smoe')],
    ['Near on both axes without router or with it, not at once', preset('peer/n-512'), preset('peer/dense')],
    [
      'Near on both axes without router or with it, not at once',
      narrow({ kind: 'mh-moe', heads: 2, top_k: 2, experts: 16 }),
      narrow({ kind: 'smoe' }),
    ],
    ['Near on both axes', preset('switchhead/c4-47m/switchall'), preset('switchhead/c4-47m/dense-10')],
  ])('says %s', (heading, subject, experiment) => {
    const [first] = choiceItems(subject, { name: 'base.moe.yaml', experiment, count: modelCost(experiment.model) });
    expect(first).toEqual({ heading });
  });
});

it.each([
  [0.4, '0 s'],
  [59.4, '59 s'],
  [59.7, '1 min'],
  [150, '2.5 min'],
  [3599, '1 h'],
  [7 * 3600, '7 h'],
  [86_400, '1 day'],
  [40 * 86_400, '40 days'],
  [800 * 86_400, '2.2 years'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
